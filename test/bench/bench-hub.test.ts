import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createAppleInstallation,
  createAppleRegistrationDescription,
  NotificationHubsClient,
  type RegistrationDescription,
} from '@azure/notification-hubs';
import { expect, test } from 'vitest';
import { Hub } from '../../local/emulator/hub.ts';
import { renderDescription, renderFeed } from '../../local/emulator/xml-out.ts';
import { seed } from '../../local/hub-lab/seed.ts';
import { BenchHub } from './bench-hub.ts';
import { startHubs } from './hub-process.ts';

test('a page of the bench hub has the bytes of the emulator', () => {
  const source = new Hub('devices', 'bench', () => true);
  seed(source, { devices: 150, seed: 5 });
  const rows = [...source.listed()].slice(0, 100);
  const bench = new BenchHub('primary');
  for (const row of rows) bench.seed(row.id, renderDescription(row, 2022));
  const url = new URL('http://127.0.0.1:1/primary/registrations?api-version=2020-06&$top=100');
  const { origin, pathname: path, search: query } = url;
  const route = { method: 'GET', resource: 'registrations', key: '', origin, path, query };
  const { body } = bench.answer(route, Buffer.alloc(0));
  const context = { generation: 2022, hubUrl: 'http://127.0.0.1:1/primary', query: url.search } as const;
  const expected = renderFeed({ rows, nextUrl: undefined }, { ...context, selfUrl: url.href }).join('');
  expect(withoutTimes(body?.toString() ?? '')).toBe(withoutTimes(expected));
});

test('rows of an installation are made in idle moments, or before the listing that asks for them', () => {
  const body = Buffer.from(JSON.stringify({ platform: 'apns', pushChannel: 'ab'.repeat(32), tags: ['x'] }));
  const put = (hub: BenchHub, key: string) =>
    hub.answer({ method: 'PUT', resource: 'installations', key, origin: 'http://a', path: '/b', query: '' }, body);
  const list = (hub: BenchHub) =>
    hub.answer({ method: 'GET', resource: 'registrations', key: '', origin: 'http://a', path: '/b', query: '' }, body);
  const [idle, busy] = [new BenchHub('idle'), new BenchHub('busy')];
  for (const hub of [idle, busy]) for (const key of ['one', 'two']) expect(put(hub, key).status).toBe(200);
  expect([idle.settle(), idle.settle(), idle.settle()]).toEqual([true, true, false]);
  for (const hub of [idle, busy]) expect(list(hub).body?.toString().split('<entry ')).toHaveLength(3);
  expect(idle.stats()).toEqual({ rowCount: 2, listCount: 1, putCount: 2, lateCount: 0 });
  expect(busy.stats()).toEqual({ rowCount: 2, listCount: 1, putCount: 2, lateCount: 2 });
});

test('the official SDK lists every device of the bench hub once, and finds what it writes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bench-hub-'));
  try {
    await using hubs = await startHubs(250, join(folder, 'writes.jsonl'));
    const primary = clientOf(hubs.url, 'primary');
    const ids = new Set((await listAll(primary)).map(({ registrationId }) => registrationId));
    expect(ids.size).toBe(hubs.rowCount);
    const lines = (await readFile(join(folder, 'writes.jsonl'), 'utf8')).trimEnd().split('\n');
    expect(lines).toHaveLength(hubs.writeCount);

    const secondary = clientOf(hubs.url, 'secondary');
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
  } finally {
    await rm(folder, { recursive: true });
  }
});

function clientOf(url: string, hub: string): NotificationHubsClient {
  const key = createHash('sha256').update('test').digest('base64');
  return new NotificationHubsClient(`Endpoint=${url}/;SharedAccessKeyName=Root;SharedAccessKey=${key}`, hub, {
    additionalPolicies: [
      {
        position: 'perCall',
        policy: {
          name: 'plainHttp',
          sendRequest: (request, next) => {
            request.allowInsecureConnection = true;
            return next(request);
          },
        },
      },
    ],
  });
}

async function listAll(client: NotificationHubsClient): Promise<RegistrationDescription[]> {
  const found: RegistrationDescription[] = [];
  for await (const registration of client.listRegistrations()) found.push(registration);
  return found;
}

function withoutTimes(text: string): string {
  return text.replaceAll(/<(published|updated)>[^<]*</g, '<$1><');
}
