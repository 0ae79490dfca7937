import { expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../../local/hub-lab/index.ts';
import { anApple, type Call, caller, textOf } from './hub-caller.ts';

it('delivers a native send to native rows of the platform, a template send to template rows', async () => {
  await using emulator = await start();
  const hub = emulator.hub('n', 'h');
  const call = caller(emulator.namespace('n'));
  await call('PUT', 'h/installations/i', {
    platform: 'fcmv1',
    pushChannel: 'f',
    tags: ['x'],
    templates: { t: { body: 'b' } },
  });
  await call('POST', 'h/registrations', anApple({ token: 'aa', tags: 'x' }));
  const reached = async (format: string, tags?: string) => {
    hub.clearInboxes();
    await send(call, format, tags);
    return [...hub.inboxCounts()].map(({ handle, kind }) => `${handle} ${kind}`);
  };
  expect(await reached('fcmv1')).toEqual(['f native']);
  expect(await reached('apple')).toEqual(['AA native']);
  expect(await reached('template')).toEqual(['f template']);
  expect(await reached('template', 'T')).toEqual(['f template']);
  expect(await reached('fcmv1', '$InstallationId:{i} && !y')).toEqual(['f native']);
  expect(await reached('fcmv1', '$installationid:{i}')).toEqual(['f native']);
  expect(await reached('gcm')).toEqual([]);
  expect((await send(call, 'fax')).status).toBe(400);
  expect((await send(call, 'apple', 'x &&')).status).toBe(400);
  expect(
    (await call('POST', 'h/messages', 'x'.repeat(64 * 1024 + 1), { 'servicebusnotification-format': 'apple' })).status,
  ).toBe(413);
});

it('gives a device one push for every row of it, or one in all when deliveries are de-duplicated', async () => {
  for (const deduplicateDeliveries of [false, true]) {
    await using emulator = await start();
    const hub = emulator.hub('n', 'h');
    hub.switches({ deduplicateDeliveries });
    const call = caller(emulator.namespace('n'));
    for (let n = 0; n < 3; n += 1) await call('POST', 'h/registrations', anApple({ token: 'aa', tags: 'x' }));
    await send(call, 'apple');
    expect(hub.inbox('AA').total).toBe(deduplicateDeliveries ? 1 : 3);
  }
});

it('sends to one handle directly, through no row', async () => {
  await using emulator = await start();
  const call = caller(emulator.namespace('n'));
  const headers = { 'servicebusnotification-format': 'apple', 'servicebusnotification-devicehandle': 'cc' };
  expect((await call('POST', 'h/messages?direct', '{}', headers)).status).toBe(201);
  expect(emulator.hub('n', 'h').inbox('CC').lines).toMatchObject([{ kind: 'direct', total: 1 }]);
});

it('broadcasts to every live row once under one message, and keeps what was delivered when the rows are gone', async () => {
  await using emulator = await start();
  const hub = emulator.hub('n', 'h');
  hub.seed({ devices: 400, seed: 3, duplicateShare: 0, expiredShare: 0.1 });
  const live = [...hub.registrations()].filter(
    (row) => row.expiresAt === null || Date.parse(row.expiresAt) > Date.now(),
  );
  const { deliveries } = await hub.broadcast({ message: 'drill' });
  const lines = [...hub.inboxCounts()];
  const rowLabel = (handle: string, isTemplate: boolean, name: string, tags: readonly string[]) =>
    JSON.stringify([handle, isTemplate, name, tags]);
  expect(deliveries).toBe(live.length);
  expect(
    lines.map((line) => rowLabel(line.handle, line.kind === 'template', line.templateName, line.tags)).sort(),
  ).toEqual(live.map((row) => rowLabel(row.handle, row.isTemplate, row.templateName, row.tags)).sort());
  expect(lines.every(({ counts }) => counts['drill'] === 1)).toBe(true);
  await hub.broadcast({ message: 'again' });
  expect([...hub.inboxCounts()].every(({ counts }) => counts['again'] === 1 && counts['drill'] === 1)).toBe(true);
  hub.churn({ remove: 400 });
  expect(hub.devices()).toBe(0);
  expect(hub.stats().inboxes.deliveries).toBe(deliveries * 2);
});

it('shows two equal rows of one device as two deliveries', async () => {
  await using emulator = await start();
  const hub = emulator.hub('n', 'h');
  hub.seed({ devices: 50, seed: 3, installationShare: 0, duplicateShare: 1 });
  await hub.broadcast({ message: 'm' });
  expect([...hub.inboxCounts()].map(({ counts }) => counts['m'])).toEqual(Array(50).fill(2));
});

it('answers a send with the place of its telemetry', async () => {
  await using emulator = await start();
  const call = caller(emulator.namespace('n'));
  await call('POST', 'h/registrations', anApple());
  const location = new URL((await send(call, 'apple')).headers.get('location') ?? '');
  const { status, text } = await call('GET', location.pathname.slice(1));
  expect([status, textOf(text, 'State'), textOf(text, 'Count')]).toEqual([200, 'Completed', '1']);
  expect((await call('GET', 'h/messages/unknown')).status).toBe(404);
});

function send(call: Call, format: string, tags?: string) {
  const headers = {
    'servicebusnotification-format': format,
    ...(tags === undefined ? {} : { 'servicebusnotification-tags': tags }),
  };
  return call('POST', 'h/messages', '{}', headers);
}

function start(): Promise<Emulator> {
  return startEmulator({ namespaces: [{ name: 'n', hubs: ['h'] }] });
}
