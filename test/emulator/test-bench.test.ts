import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { type EmulatedHub, startEmulator } from '../../local/hub-lab/index.ts';
import { anApple, caller, textOf } from './hub-caller.ts';

it('refuses connections while a namespace is down, keeps the other up, and comes back on the same port', async () => {
  await using emulator = await startEmulator();
  const [primary, secondary] = [emulator.namespace('primary'), emulator.namespace('secondary')];
  const { port } = primary;
  const call = caller(primary);
  await call('POST', 'devices/registrations', anApple());
  await primary.down();
  await expect(call('GET', 'devices/registrations')).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  expect((await caller(secondary)('GET', 'devices/registrations')).status).toBe(200);
  await primary.down();
  await primary.up();
  expect([primary.port, emulator.hub('primary', 'devices').devices()]).toEqual([port, 1]);
  expect((await call('GET', 'devices/registrations')).status).toBe(200);
});

it('comes back on its port when another program had it for a moment', async () => {
  await using emulator = await startEmulator();
  const primary = emulator.namespace('primary');
  await primary.down();
  const other = createServer().listen(primary.port, '127.0.0.1');
  await once(other, 'listening');
  const isUp = primary.up();
  setTimeout(() => other.close(), 300);
  await isUp;
  expect((await caller(primary)('GET', 'devices/registrations')).status).toBe(200);
});

it('lets a fault act before the write is carried out, or after', async () => {
  await using emulator = await startEmulator();
  const namespace = emulator.namespace('primary');
  const hub = emulator.hub('primary', 'devices');
  const call = caller(namespace);
  const post = () => call('POST', 'devices/registrations', anApple());
  namespace.intercept(() => ({ status: 429, headers: { 'Retry-After': '1' }, body: 'slow down' }));
  const refused = await post();
  expect([refused.status, refused.headers.get('retry-after'), refused.text, rowCount(hub)]).toEqual([
    429,
    '1',
    'slow down',
    0,
  ]);
  namespace.intercept(({ method }) => (method === 'POST' ? { when: 'after', status: 503 } : undefined));
  expect([(await post()).status, rowCount(hub)]).toEqual([503, 1]);
  namespace.intercept(() => ({ when: 'after', reset: true }));
  await expect(post()).rejects.toThrow();
  expect(rowCount(hub)).toBe(2);
  namespace.intercept(() => ({ reset: true }));
  await expect(post()).rejects.toThrow();
  expect(rowCount(hub)).toBe(2);
  namespace.intercept(() => ({ delayMs: 20 }));
  expect((await post()).status).toBe(200);
  namespace.intercept(undefined);
  namespace.setLatency(30);
  const startedAt = performance.now();
  await post();
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(29);
});

it('counts requests by route and status, so that a test can say that nothing was written', async () => {
  await using emulator = await startEmulator();
  const hub = emulator.hub('primary', 'devices');
  const call = caller(emulator.namespace('primary'));
  await call('GET', 'devices/registrations');
  await call('GET', 'devices/registrations/1-2-3');
  await call('DELETE', 'devices/registrations/1-2-3');
  await call('GET', 'devices/nothing');
  expect(hub.requestCounts()).toEqual([
    { method: 'GET', route: '/registrations', status: 200, count: 1 },
    { method: 'GET', route: '/registrations/{}', status: 404, count: 1 },
    { method: 'DELETE', route: '/registrations/{}', status: 404, count: 1 },
    { method: 'GET', route: '/(unknown)', status: 404, count: 1 },
  ]);
  hub.clearRequestCounts();
  expect(hub.requestCounts()).toEqual([]);
});

it('creates and deletes hubs through the service, and offers them to the test bench', async () => {
  await using emulator = await startEmulator();
  const call = caller(emulator.namespace('primary'));
  expect((await call('PUT', 'drill')).status).toBe(201);
  expect((await call('PUT', 'drill')).status).toBe(409);
  const read = await call('GET', 'drill');
  expect(textOf(read.text, 'RegistrationTtl')).toBe('P10675199DT2H48M5.4775807S');
  expect(emulator.hub('primary', 'Drill').devices()).toBe(0);
  expect((await call('DELETE', 'drill')).status).toBe(200);
  expect(() => emulator.hub('primary', 'drill')).toThrow(RangeError);
});

it('offers the same over the admin endpoint, and says what is wrong with a call', async () => {
  await using emulator = await startEmulator();
  const admin = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${emulator.adminUrl}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, text: await response.text() };
  };
  const hub = '/namespaces/primary/hubs/devices';
  expect(JSON.parse((await admin('POST', `${hub}/seed`, { devices: 300 })).text)).toMatchObject({ devices: 300 });
  expect(JSON.parse((await admin('POST', `${hub}/churn`, { add: 2 })).text)).toEqual({
    changed: 0,
    removed: 0,
    added: 2,
    refreshed: 0,
    renamed: 0,
    duplicated: 0,
    renewed: 0,
    handedOver: 0,
  });
  expect(JSON.parse((await admin('POST', `${hub}/switches`, { generation: 2024 })).text)).toMatchObject({
    generation: 2024,
    pageSizeLimit: 100,
  });
  await admin('POST', `${hub}/settle`);
  await admin('POST', `${hub}/broadcast`, { message: 'm' });
  const lines = async (view: string) =>
    (await admin('GET', `${hub}/${view}`)).text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  const rows = await lines('rows');
  expect(rows).toEqual([...emulator.hub('primary', 'devices').registrations()]);
  expect(await lines('inboxes')).toEqual([...emulator.hub('primary', 'devices').inboxCounts()]);
  expect(await lines('installations')).toEqual([...emulator.hub('primary', 'devices').installations()]);
  expect(
    JSON.parse((await admin('GET', `${hub}/inbox?handle=${encodeURIComponent(rows[0].handle)}`)).text).total,
  ).toBeGreaterThan(0);
  expect(JSON.parse((await admin('GET', `${hub}/stats`)).text)).toMatchObject({
    devices: 302,
    registrations: rows.length,
  });
  await admin('POST', `${hub}/clear-inboxes`);
  const [tag = ''] = rows.flatMap(({ tags }) => tags);
  expect((await admin('POST', `${hub}/push`, { tags: [tag] })).status).toBe(200);
  const reached = await lines('inboxes');
  expect(reached.every(({ tags, counts }) => tags.includes(tag) && Object.keys(counts).join() === tag)).toBe(true);
  expect(reached.length).toBeGreaterThan(0);
  const live = { from: 'primary/devices', add: 1, returning: 2, seed: 3 };
  expect(JSON.parse((await admin('POST', '/namespaces/secondary/hubs/devices/go-live', live)).text)).toEqual({
    added: 1,
    returned: 2,
  });
  for (const action of ['down', 'up', 'rotate-keys'])
    expect((await admin('POST', `/namespaces/primary/${action}`)).status).toBe(200);
  expect((await admin('POST', '/namespaces/primary/latency', { latencyMs: 1 })).status).toBe(200);

  const faults = await Promise.all([
    admin('POST', `${hub}/seed`, { device: 1 }),
    admin('POST', `${hub}/switches`, { generation: 1999 }),
    admin('POST', '/namespaces/nowhere/down'),
    admin('POST', `${hub}/explode`),
    admin('GET', '/elsewhere'),
  ]);
  expect(faults.map(({ status }) => status)).toEqual([400, 400, 404, 404, 404]);
  expect(faults.map(({ text }) => JSON.parse(text).error.message)).toEqual([
    expect.stringContaining('device'),
    expect.stringContaining('generation'),
    'There is no namespace nowhere.',
    expect.stringContaining('No such action'),
    expect.stringContaining('No such action'),
  ]);
  expect((await fetch(`${emulator.adminUrl}${hub}/seed`, { method: 'POST', body: '{' })).status).toBe(400);
});

it('runs as a process of its own, says when it is ready, and ends on a signal', async () => {
  const main = new URL('../../local/hub-lab/main.ts', import.meta.url);
  const child = fork(main, ['--port', '0', '--admin-port', '0', '--devices', '20'], { silent: true });
  const [message] = await once(child, 'message');
  expect(message).toMatchObject({
    ready: true,
    namespaces: { primary: { url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) }, secondary: {} },
  });
  const stats = await fetch(`${message.adminUrl}/namespaces/primary/hubs/devices/stats`);
  expect(await stats.json()).toMatchObject({ devices: 20 });
  child.kill('SIGINT');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

it.each([
  [['--devices', 'many'], 2, '--devices must be a whole number'],
  [['--colour'], 2, "Unknown option '--colour'"],
  [['--help'], 0, 'npm run emulator'],
])('answers %j on the command line', async (args, code, text) => {
  const child = fork(new URL('../../local/hub-lab/main.ts', import.meta.url), args, { silent: true });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += String(chunk)));
  expect((await once(child, 'close'))[0]).toBe(code);
  expect(output).toContain(text);
});

function rowCount(hub: EmulatedHub): number {
  return hub.stats().registrations;
}
