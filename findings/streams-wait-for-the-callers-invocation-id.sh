#!/usr/bin/env bash
# With HTTP streams, a request that brings its own x-ms-invocation-id leaves its function waiting for ever.
# One would guess: the id by which the worker finds a forwarded request is the host's alone.
# What is so: the host adds the header only when the request has none (DefaultHttpProxyService: Headers.TryAdd), and the
# library waits for the host's id without a limit. When functionTimeout has passed, the host restarts the worker.
# Why it matters here: the console page needs no key, so a stranger could stop the steps of a restore. The app
# therefore leaves streams off (decision 12).
# Needs npm and Node 20 or later. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix "$folder" @azure/functions@4.16.5
mkdir -p node_modules/@azure/functions-core
cat > node_modules/@azure/functions-core/index.js <<'JS'
exports.log = () => {};
exports.registerFunction = () => {};
exports.setProgrammingModel = (model) => (exports.model = model);
JS
cat > look.cjs <<'JS'
const core = require('@azure/functions-core');
const { app } = require('@azure/functions');
app.setup({ enableHttpStream: true });
app.get('f', () => ({}));

/** What the host does: it forwards the request, and names the invocation in a message. */
async function call(url, forwardedId) {
  const headers = { 'x-ms-invocation-id': forwardedId, 'x-forwarded-host': 'app', 'x-forwarded-proto': 'https' };
  fetch(url, { headers }).catch(() => {});
  const bindings = { req: { type: 'httpTrigger', direction: 'in' } };
  const request = { inputData: [{ name: 'req', data: {} }], triggerMetadata: {} };
  const model = core.model.getInvocationModel({ invocationId: 'the-hosts', metadata: { name: 'f', bindings }, request });
  const began = model.getArguments().then(() => 'called');
  return Promise.race([began, new Promise((resolve) => setTimeout(resolve, 3000, 'not called after 3 s'))]);
}

core.model.getCapabilities({}).then(async ({ HttpUri }) => {
  const usual = await call(HttpUri, 'the-hosts');
  const foreign = await call(HttpUri, 'the-callers');
  console.log(`@azure/functions 4.16.5, streams on: ${usual}; with the caller's id: ${foreign}`);
  process.exit(usual === 'called' && foreign !== 'called' ? 0 : 1);
});
JS
node look.cjs
# Seen: @azure/functions 4.16.5, streams on: called; with the caller's id: not called after 3 s
