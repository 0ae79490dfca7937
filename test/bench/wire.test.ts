import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { request } from 'undici';
import { expect, test } from 'vitest';
import { RequestReader, serveConnection, type WireRequest } from './wire.ts';

test('requests come out as they went in, however their bytes are cut', () => {
  const bodies = fc.array(fc.string({ unit: 'grapheme', maxLength: 200 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(bodies, fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 20 }), (sent, sizes) => {
      const bytes = Buffer.concat(sent.map(requestOf));
      const reader = new RequestReader();
      const found: WireRequest[] = [];
      for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
        const size = sizes[turn % sizes.length] ?? 1;
        reader.push(bytes.subarray(at, at + size));
        at += size;
        for (let next = reader.next(); next !== undefined; next = reader.next()) found.push(next);
      }
      expect(found.map(({ body }) => body.toString())).toEqual(sent);
      for (const { method, target, headers } of found) {
        expect([method, target, headers.get('host')]).toEqual(['PUT', '/hub/a?b=c', '127.0.0.1:1']);
      }
    }),
  );
});

test.each([
  ['no HTTP/1.1', 'GET / HTTP/1.0\r\n\r\n'],
  ['a header without a name', 'GET / HTTP/1.1\r\n: x\r\n\r\n'],
  ['a length that is none', 'PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\n'],
  ['chunks', 'PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['a body that waits for leave', 'PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n'],
])('refuses %s', (_, bytes) => {
  const reader = new RequestReader();
  reader.push(Buffer.from(bytes));
  expect(() => reader.next()).toThrow();
});

test('answers requests sent together one after the other, after the delay, and closes when asked to', async () => {
  await using served = await serve(20);
  const socket = connect(served.port, '127.0.0.1');
  const startedAt = performance.now();
  socket.write(Buffer.concat([requestOf('one'), requestOf('two')]));
  socket.write('GET /last HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n');
  const answers = (await text(socket)).split('HTTP/1.1 200 OK\r\n').slice(1);
  expect(answers.map((answer) => answer.split('\r\n\r\n')[1])).toEqual(['PUT one', 'PUT two', 'GET ']);
  // A timer may fire up to a millisecond early.
  expect(performance.now() - startedAt).toBeGreaterThan(3 * 19);
});

test('bytes that are no HTTP end the connection and not the server', async () => {
  await using served = await serve(0);
  const socket = connect(served.port, '127.0.0.1');
  socket.write('nonsense\r\n\r\n');
  expect(await text(socket)).toBe('');
  const answer = await request(`http://127.0.0.1:${served.port}/`, { method: 'PUT', body: 'still there' });
  expect(await answer.body.text()).toBe('PUT still there');
});

async function serve(delayMs: number): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = createServer((socket) =>
    serveConnection(
      socket,
      ({ method, body }) => ({ head: 'HTTP/1.1 200 OK\r\n', body: `${method} ${body}` }),
      () => delayMs,
    ),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return { port: address.port, [Symbol.asyncDispose]: async () => void server.close() };
}

function requestOf(body: string): Buffer {
  const head = `PUT /hub/a?b=c HTTP/1.1\r\nHOST: 127.0.0.1:1\r\ncontent-length:${Buffer.byteLength(body)}\r\n\r\n`;
  return Buffer.from(head + body);
}
