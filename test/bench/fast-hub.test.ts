import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAppleInstallation, createAppleRegistrationDescription } from '@azure/notification-hubs';
import { expect, test } from 'vitest';
import { Hub } from '../../local/emulator/hub.ts';
import { renderDescription, renderFeed } from '../../local/emulator/xml-out.ts';
import { seed } from '../../local/hub-lab/seed.ts';
import { FastHub } from './fast-hub.ts';
import { startHubs } from './hubs.ts';
import { listAll, sdkClient } from './sdk-peer.ts';
import { firstWrites } from './workload.ts';

test('a page of the fast hub has the bytes of the emulator', () => {
  const source = new Hub('devices', 'fast');
  seed(source, { devices: 150, seed: 5 });
  const rows = [...source.listed()].slice(0, 100);
  const fast = new FastHub('primary');
  for (const row of rows) fast.seed(row.id, renderDescription(row, 2022));
  const url = new URL('http://127.0.0.1:1/primary/registrations?api-version=2020-06&$top=100');
  const { origin, pathname: path, search: query } = url;
  const route = { method: 'GET', resource: 'registrations', key: '', origin, path, query };
  const { body } = fast.answer(route, Buffer.alloc(0));
  const context = {
    generation: 2022,
    hubUrl: 'http://127.0.0.1:1/primary',
    query: url.search,
    at: new Date(),
  } as const;
  const expected = renderFeed({ rows, nextUrl: undefined }, { ...context, selfUrl: url.href }).join('');
  expect(withoutTimes(body?.toString() ?? '')).toBe(withoutTimes(expected));
});

test('rows of an installation are made in idle moments, or before the listing that asks for them', () => {
  const body = Buffer.from(JSON.stringify({ platform: 'apns', pushChannel: 'ab'.repeat(32), tags: ['x'] }));
  const put = (hub: FastHub, key: string) =>
    hub.answer({ method: 'PUT', resource: 'installations', key, origin: 'http://a', path: '/b', query: '' }, body);
  const list = (hub: FastHub) =>
    hub.answer({ method: 'GET', resource: 'registrations', key: '', origin: 'http://a', path: '/b', query: '' }, body);
  const [idle, busy] = [new FastHub('idle'), new FastHub('busy')];
  for (const hub of [idle, busy]) for (const key of ['one', 'two']) expect(put(hub, key).status).toBe(200);
  expect([idle.settle(), idle.settle(), idle.settle()]).toEqual([true, true, false]);
  for (const hub of [idle, busy]) expect(list(hub).body?.toString().split('<entry ')).toHaveLength(3);
  expect(idle.stats()).toEqual({ rowCount: 2, requestCount: 3, putCount: 2, lateCount: 0 });
  expect(busy.stats()).toEqual({ rowCount: 2, requestCount: 3, putCount: 2, lateCount: 2 });
});

test('the official SDK lists every device of the fast hub once, and finds what it writes', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'fast-hub-'));
  await using hubs = await startHubs(250, folder.path);
  const primary = sdkClient(hubs.plain.connectionString, 'primary');
  const ids = new Set((await listAll(primary)).map(({ registrationId }) => registrationId));
  expect(ids.size).toBe(hubs.rowCount);
  expect([...firstWrites(250, Infinity)]).toHaveLength(hubs.writeCount);

  const secondary = sdkClient(hubs.plain.connectionString, 'secondary');
  const deviceToken = 'AB'.repeat(32);
  await secondary.createRegistration(createAppleRegistrationDescription({ deviceToken, tags: ['b', 'a'] }));
  for (const tags of [['x'], ['x', 'y']]) {
    await secondary.createOrUpdateInstallation(
      createAppleInstallation({ installationId: 'one', pushChannel: deviceToken, tags }),
    );
  }
  expect(await listAll(secondary)).toMatchObject([
    { kind: 'Apple', deviceToken, tags: ['b', 'a'], etag: '1' },
    { kind: 'Apple', deviceToken, tags: ['$InstallationId:{one}', 'x', 'y'], etag: '2' },
  ]);
  expect(await hubs.stats()).toMatchObject({ secondary: { rowCount: 2, putCount: 3 } });
  await hubs.clear();
  expect(await listAll(secondary)).toEqual([]);
});

function withoutTimes(text: string): string {
  return text.replaceAll(/<(published|updated)>[^<]*</g, '<$1><');
}
