import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { createHub } from '../../src/hub/client.ts';
import { Limiter } from '../../src/hub/pace/limiter.ts';
import { Overdue } from '../../src/hub/transport/served.ts';
import { realWorld } from '../../src/world.ts';
import { connectionTo, row } from './scripted-client.ts';

const PATIENCE_MS = 5000;

/** Calls by name, and what was given up. */
function openCalls() {
  const overdue = new Overdue(PATIENCE_MS);
  const given: string[] = [];
  const send = (name: string, sentAt: number) => {
    const giveUp = (): void => {
      overdue.end(call, sentAt, false);
      given.push(name);
    };
    const call = { sentAt, giveUp };
    overdue.begin(call);
    return call;
  };
  /** Many that are sent at that time, and carried out so much later. */
  const serveMany = (sentAt: number, tookMs = 20): void => {
    for (let one = 0; one < 20; one += 1) overdue.end(send('other', sentAt), sentAt + tookMs, true);
  };
  const look = (nowMs: number, serves = false) => overdue.look(nowMs, async () => serves);
  return { overdue, given, send, serveMany, look };
}

test('the first that is left without an answer is waited for, and each other given up once later calls are carried out', async () => {
  const { given, send, serveMany, look } = openCalls();
  send('first', 0);
  send('second', 0);
  serveMany(100);
  await look(4999);
  expect(given).toEqual([]);
  await look(5000);
  expect(given).toEqual(['second']);
  serveMany(19_000);
  await look(19_999);
  expect(given).toEqual(['second']);
  await look(20_000);
  expect(given).toEqual(['second', 'first']);
  send('third', 30_000);
  serveMany(30_100);
  await look(35_000);
  expect(given).toEqual(['second', 'first', 'third']);
  // Ten minutes later one is waited for once more.
  send('late', 640_000);
  serveMany(640_100);
  await look(645_000);
  expect(given).toEqual(['second', 'first', 'third']);
});

test('a hub that is slow with all calls is waited for', async () => {
  const { overdue, given, send, serveMany, look } = openCalls();
  serveMany(0);
  const calls = Array.from({ length: 64 }, (_, index) => send(`${index}`, 100));
  await look(6000);
  expect(given).toEqual([]);
  for (const call of calls) overdue.end(call, 10_100, true);
  send('next', 10_200);
  await look(16_000, true);
  expect(given).toEqual([]);
});

test('one that is slow with some answers late, and then all are waited for', async () => {
  const { overdue, given, send, serveMany, look } = openCalls();
  const first = send('first', 0);
  send('second', 0);
  serveMany(100);
  await look(5000);
  overdue.end(first, 9000, true);
  send('third', 9000);
  serveMany(9100);
  await look(20_000);
  expect(given).toEqual(['second']);
});

test('when no other call is under way, one is made to find out whether the hub serves', async () => {
  const { overdue, given, send, serveMany, look } = openCalls();
  const waitedFor = send('waited for', 0);
  await look(5000, true);
  overdue.end(waitedFor, 30_000, false);
  serveMany(30_000);
  send('first', 30_100);
  await look(35_200, false);
  expect(given).toEqual([]);
  await look(36_200, true);
  expect(given).toEqual(['first']);
  // It has carried out nothing of a record for a minute: that may be the hub's trouble.
  send('second', 86_000);
  await look(91_000, true);
  expect(given).toEqual(['first']);
});

test('a record that the hub never answers about is given up within seconds, and says that others are served', async () => {
  const silent: string[] = [];
  const server = createServer((request, response) => {
    if (request.url?.includes('/registrations/poison')) silent.push(request.url);
    else request.resume().on('end', () => response.end());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const limits = { requestTimeoutMs: 4000, random: () => 0.5 };
  const limiter = new Limiter({ maxConcurrency: 8, clock: realWorld });
  const connection = connectionTo(`http://127.0.0.1:${port}`);
  const hub = createHub({ connection, clock: realWorld, limiter, overdueAfterMs: 1500, ...limits });
  const call = { deadlineAt: Date.now() + 60_000, givesWay: true } as const;
  const others = setInterval(() => void hub.putRegistration('other', row, call), 4);
  try {
    const message = expect.stringMatching(/serves others, but not this record; last seen: [\w ]+\.$/);
    const fault = { code: 'HubUnavailable', retryable: true, hasNoEffect: false, isSure: true, message };
    const poisons = ['poison1', 'poison2', 'poison3'].map((id) => hub.putRegistration(id, row, call));
    await Promise.all(poisons.map((one) => expect(one).rejects.toMatchObject(fault)));
    // One of them is waited for to its end, and then no longer than the others.
    expect(silent.length).toBe(4);
  } finally {
    clearInterval(others);
    await hub.close();
    server.closeAllConnections();
    server.close();
  }
});
