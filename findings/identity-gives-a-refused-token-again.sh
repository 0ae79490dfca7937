#!/usr/bin/env bash
# A managed identity's token that a service has refused cannot be replaced through @azure/identity.
# One would guess: `getToken` with `claims`, which a service sends with its refusal, or a new credential object, asks the
# identity endpoint again, as the interface's words on claims say.
# What is so: `ManagedIdentityCredential` drops the claims, and all credentials of a process share one cache. The same
# token comes until it ends, an hour to a day later.
# Why it matters here: a call to Resource Manager that is refused with 401 asks for another token and gets the same. The
# message then has to name what helps: another process, or a hub's key in the settings.
# Needs npm and Node 20 or later. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix "$folder" @azure/identity@4.14.1
cat > look.mjs <<'JS'
import { createServer } from 'node:http';
let asked = 0;
const server = createServer((request, response) => {
  asked += 1;
  const expires_on = String(Math.floor(Date.now() / 1000) + 3600);
  response.setHeader('content-type', 'application/json');
  const resource = new URL(request.url, 'http://any').searchParams.get('resource');
  response.end(JSON.stringify({ access_token: `token-${asked}`, expires_on, resource, token_type: 'Bearer' }));
}).listen(0, '127.0.0.1', async () => {
  process.env.IDENTITY_ENDPOINT = `http://127.0.0.1:${server.address().port}/msi/token`;
  process.env.IDENTITY_HEADER = 'secret';
  const { ManagedIdentityCredential } = await import('@azure/identity');
  const scope = 'https://management.azure.com/.default';
  const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';
  const tokens = [
    await new ManagedIdentityCredential().getToken(scope),
    await new ManagedIdentityCredential().getToken(scope, { claims }),
    await new ManagedIdentityCredential().getToken(scope, { claims, enableCae: true }),
  ].map(({ token }) => token);
  console.log(`asked ${asked} time(s), got ${tokens.join(', ')}`);
  process.exit(asked === 1 && new Set(tokens).size === 1 ? 0 : 1);
});
JS
node look.mjs
# Seen: asked 1 time(s), got token-1, token-1, token-1
