import {
  createAppleInstallation,
  createFcmV1RegistrationDescription,
  type NotificationHubsClient,
  type RegistrationDescription,
} from '@azure/notification-hubs';
import { expect, it } from 'vitest';
import type { World } from '../../local/emulator/world.ts';
import { type Emulator, type HubSwitches, startEmulator } from '../../local/hub-lab/index.ts';
import { anApple, caller } from './hub-caller.ts';
import { all, sdk } from './sdk-client.ts';
import { virtualWorld } from './virtual-world.ts';

const minute = 60_000;
const startAt = Date.now();
const iso = (minutes: number) => new Date(startAt + minutes * minute).toISOString();

it('gives what is written without an expiry the time to live of the hub, and deletes it after', async () => {
  const world = virtualWorld({ startAt });
  await using emulator = await start({ timeToLiveMs: 10 * minute, expiredStayMs: minute }, world);
  const client = sdk(emulator.namespace('n'));
  await put(client, '1-1-1', ['a']);
  await client.createOrUpdateInstallation(anInstallation('short'));
  await client.createOrUpdateInstallation(anInstallation('long', iso(20)));
  const expiries = async () => (await all(client.listRegistrations())).map((row) => row.expirationTime?.toISOString());
  expect(await expiries()).toEqual(expect.arrayContaining([iso(10), iso(10), iso(20)]));
  world.advance(9 * minute);
  await put(client, '1-1-1', ['a']);
  await client.createOrUpdateInstallation(anInstallation('short'));
  // Renewed, renewed not, its own.
  expect((await expiries()).sort()).toEqual([iso(10), iso(19), iso(20)].sort());
  world.advance(2 * minute - 1);
  expect(await all(client.listRegistrations())).toHaveLength(3);
  world.advance(1);
  expect(await all(client.listRegistrations())).toHaveLength(2);
  await expect(client.getInstallation('short')).rejects.toMatchObject({ statusCode: 404 });
  world.advance(10 * minute);
  expect(emulator.hub('n', 'h').stats()).toMatchObject({ registrations: 0, installations: 0, devices: 0 });
});

it('writes an expiry without zeros at its end, and keeps what expired until it is purged', async () => {
  const world = virtualWorld({ startAt: Date.parse('2026-01-01T00:00:50.130Z') });
  await using emulator = await start({ timeToLiveMs: 1000 }, world);
  const hub = emulator.hub('n', 'h');
  const { text } = await caller(emulator.namespace('n'))('PUT', 'h/registrations/1-1-1', anApple());
  expect(text).toContain('<ExpirationTime>2026-01-01T00:00:51.13Z<');
  expect([...hub.registrations()].map(({ expiresAt }) => expiresAt)).toEqual(['2026-01-01T00:00:51.13Z']);
  const described = async () => (await caller(emulator.namespace('n'))('GET', 'h')).text;
  expect(await described()).toContain('<RegistrationTtl>P0DT1S<');
  hub.switches({ timeToLiveMs: 90 * 24 * 60 * minute });
  expect(await described()).toContain('<RegistrationTtl>P90D<');
  world.advance(1000);
  expect([hub.stats().registrations, hub.purgeExpired(), hub.stats().registrations]).toEqual([1, 1, 0]);
});

it.each([
  ['no-tags', [], undefined],
  ['fewer-tags', ['a'], iso(10)],
  ['no-expiry', ['a', 'b'], undefined],
  ['earlier-expiry', ['a', 'b'], iso(10 - 24 * 60)],
] as const)('stores otherwise than it was sent: %s', async (alteration, tags, expiresAt) => {
  await using emulator = await start({ storesOtherwise: [alteration] });
  const client = sdk(emulator.namespace('n'));
  const written = await put(client, '1-1-1', ['a', 'b']);
  expect(written.tags ?? []).toEqual(tags);
  await client.createOrUpdateInstallation(anInstallation('i', iso(10), ['a', 'b']));
  const rows = [...emulator.hub('n', 'h').registrations()];
  const row = rows.find(({ installationId }) => installationId === 'i');
  expect(row?.tags).toEqual(['$InstallationId:{i}', ...tags]);
  expect(row?.expiresAt ?? undefined).toBe(alteration === 'no-tags' ? iso(10) : expiresAt);
  expect((await client.getInstallation('i')).tags ?? []).toEqual(tags);
});

it('stores a share of what it is sent otherwise', async () => {
  await using emulator = await start({ storesOtherwise: ['no-tags'], storesOtherwiseShare: 0.3 });
  const client = sdk(emulator.namespace('n'));
  for (let n = 0; n < 100; n += 1) await put(client, `${n + 1}-1-1`, ['a']);
  const bare = [...emulator.hub('n', 'h').registrations()].filter(({ tags }) => tags.length === 0);
  expect(bare.length).toBeGreaterThan(15);
  expect(bare.length).toBeLessThan(45);
});

it.each([true, false])('raises the ETag by an equal registration PUT when switched so: %s', async (isRaised) => {
  await using emulator = await start({ unchangedPutRaisesEtag: isRaised });
  const client = sdk(emulator.namespace('n'));
  const etags: unknown[] = [];
  for (const tags of [['a'], ['a'], ['b']]) etags.push((await put(client, '1-1-1', tags)).etag);
  expect(etags).toEqual(isRaised ? ['1', '2', '3'] : ['1', '1', '2']);
});

it.each([true, false])(
  'counts ETags from 1 again under an id that was deleted when switched so: %s',
  async (restarts) => {
    await using emulator = await start({ etagRestarts: restarts });
    const client = sdk(emulator.namespace('n'));
    for (let n = 0; n < 3; n += 1) await put(client, '1-1-1', ['a']);
    await client.deleteRegistration('1-1-1');
    expect((await put(client, '1-1-1', ['a'])).etag).toBe(restarts ? '1' : '4');
  },
);

it('changes a handle under its id, which stays, and raises the ETag', async () => {
  await using emulator = await start({});
  const client = sdk(emulator.namespace('n'));
  await put(client, '1-1-1', ['a'], 'old');
  expect(await put(client, '1-1-1', ['a'], 'new')).toMatchObject({ registrationId: '1-1-1', etag: '2' });
  const byHandle = async (fcmV1RegistrationId: string) =>
    (await all(client.listRegistrationsByChannel({ kind: 'fcmv1', fcmV1RegistrationId }))).length;
  expect([await byHandle('old'), await byHandle('new'), emulator.hub('n', 'h').devices()]).toEqual([0, 1, 1]);
});

it.each([
  [{}, [412, 412, 404, 404]],
  [{ absentMatchStatus: 412 }, [412, 412, 412, 412]],
  [{ honourIfMatch: false }, [200, 200, 200, 200]],
] as const)('updates and deletes what If-Match names, and refuses others: %j', async (switches, expected) => {
  await using emulator = await start(switches);
  const client = sdk(emulator.namespace('n'));
  const first = await put(client, '1-1-1', ['a']);
  await put(client, '1-1-1', ['b']);
  // The SDK takes id and ETag out of what it is given, so each call needs an object of its own.
  const update = () => statusOf(() => client.updateRegistration({ ...first, registrationId: '1-1-1', etag: '1' }));
  const remove = (etag: string) => statusOf(() => client.deleteRegistration('1-1-1', { etag }));
  const statuses = [await update(), await remove('1')];
  await remove('2');
  statuses.push(await update(), await remove('1'));
  expect(statuses).toEqual(expected);
});

it('refuses more tags than its limit, of an installation as well', async () => {
  await using emulator = await start({ tagLimit: 2 });
  const client = sdk(emulator.namespace('n'));
  expect((await put(client, '1-1-1', ['a', 'b'])).etag).toBe('1');
  await expect(put(client, '2-1-1', ['a', 'b', 'c'])).rejects.toMatchObject({ statusCode: 400 });
  await client.createOrUpdateInstallation(anInstallation('i', undefined, ['a', 'b']));
  const tooMany = anInstallation('i', undefined, ['a', 'b', 'c']);
  await expect(client.createOrUpdateInstallation(tooMany)).rejects.toMatchObject({ statusCode: 400 });
  await client.updateInstallation('i', [{ op: 'add', path: '/tags', value: 'c' }]);
  expect(emulator.hub('n', 'h').stats().droppedInstallationWrites).toBe(1);
});

async function statusOf(call: () => Promise<unknown>): Promise<unknown> {
  try {
    await call();
    return 200;
  } catch (error) {
    return error instanceof Error && 'statusCode' in error ? error.statusCode : error;
  }
}

function put(
  client: NotificationHubsClient,
  registrationId: string,
  tags: readonly string[],
  handle = registrationId,
): Promise<RegistrationDescription> {
  const description = createFcmV1RegistrationDescription({ fcmV1RegistrationId: handle, tags: [...tags] });
  return client.createOrUpdateRegistration({ ...description, registrationId });
}

function anInstallation(installationId: string, expirationTime?: string, tags: readonly string[] = []) {
  const installation = createAppleInstallation({ installationId, pushChannel: installationId, tags: [...tags] });
  return expirationTime === undefined ? installation : { ...installation, expirationTime };
}

function start(switches: Partial<HubSwitches>, world?: World): Promise<Emulator> {
  return startEmulator({
    ...(world === undefined ? {} : { world }),
    namespaces: [{ name: 'n', hubs: [{ name: 'h', switches }] }],
  });
}
