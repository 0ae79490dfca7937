import { expect, test } from 'vitest';
import { startBackup } from '../../src/app/backup/start.ts';
import { prune } from '../../src/app/prune.ts';
import { readStatus } from '../../src/app/readiness/status.ts';
import { findRun } from '../../src/app/runs/store.ts';
import { pinSnapshot, unpinSnapshot } from '../../src/app/snapshots/pin.ts';
import { startVerification } from '../../src/app/snapshots/start-verification.ts';
import { watch } from '../../src/app/watchdog.ts';
import { ARCHIVED_ADVICE, DrError } from '../../src/core/errors.ts';
import { latestName } from '../../src/core/paths.ts';
import type { Blobs } from '../../src/core/ports.ts';
import { aBackedUp, backUp, codeOf, contentOf, restore } from '../support/drive.ts';
import type { Engine, EngineOptions } from '../support/engine.ts';

/** What the storage refuses, by the name of a blob; both may be changed while the engine runs. */
interface Refusing {
  put(name: string, isThere: boolean): boolean;
  remove(name: string): boolean;
  isArchived(name: string): boolean;
}

function refusing(refuses: Partial<Refusing>): NonNullable<EngineOptions['wrap']> {
  const refused = (name: string, seen: string) =>
    new DrError('StorageUnavailable', `Could not change blob '${name}': ${seen}.`, { seen, target: name });
  return ({ blobs }) => {
    const wrapped: Blobs = {
      ...blobs,
      get: async (name, how) => {
        if (refuses.isArchived?.(name)) throw new DrError('StorageArchived', `Blob '${name}'. ${ARCHIVED_ADVICE}`);
        return blobs.get(name, how);
      },
      list: async (prefix) =>
        (await blobs.list(prefix)).map((entry) =>
          refuses.isArchived?.(entry.name) ? { ...entry, isArchived: true } : entry,
        ),
      put: async (name, ...args) => {
        const isThere = (await blobs.get(name)) !== undefined;
        if (refuses.put?.(name, isThere)) throw refused(name, isThere ? 'BlobImmutableDueToPolicy' : 'LeaseIdMissing');
        return blobs.put(name, ...args);
      },
      remove: async (name, etag) => {
        if (refuses.remove?.(name)) throw refused(name, 'AuthorizationPermissionMismatch');
        return blobs.remove(name, etag);
      },
    };
    return { blobs: wrapped };
  };
}

async function minutes(engine: Engine, amount: number): Promise<void> {
  for (let minute = 0; minute < amount; minute += 1) {
    engine.advance(60_000);
    await watch(engine.app).catch((error: unknown) => {
      if (!(error instanceof DrError)) throw error;
    });
  }
}

const sent = ({ notifier }: Engine): string[] => notifier.alerts.map(({ code, state }) => `${code} ${state}`);
const findingOf = async ({ app }: Engine, code: string) =>
  (await readStatus(app)).findings.find((one) => one.code === code);

test('a snapshot with a shard in the archive tier is not latest, and says what to do', async () => {
  const archived = new Set<string>();
  const engine = await aBackedUp(24, { wrap: refusing({ isArchived: (name) => archived.has(name) }) });
  const [before] = await ids(engine);
  const id = await backUp(engine);
  for (const { name } of await engine.blobs.list(`one/devices/snapshots/${id}/shards/`)) archived.add(name);
  await minutes(engine, 1);
  expect(await findingOf(engine, 'SnapshotPassedOver')).toMatchObject({
    message: expect.stringContaining('set the tier to Hot'),
  });
  expect((await readStatus(engine.app)).latestGoodSnapshot?.id).toBe(before);
  await expect(restore(engine, { snapshot: id })).rejects.toMatchObject({
    code: 'StorageArchived',
    message: expect.stringContaining('set the tier to Hot'),
  });
  const verification = await startVerification(engine.app, id, 'http');
  await engine.drain();
  expect(await findRun(engine.app, 'verification', verification.id)).toMatchObject({
    status: 'Failed',
    error: { code: 'StorageArchived' },
    result: { damagedArtefacts: [] },
  });
  // It was never damaged: once it can be read it is used.
  archived.clear();
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', snapshot: { id } });
});

test('a latest.json in the archive tier keeps no snapshot from being restored', async () => {
  const name = latestName({ namespace: 'one', hub: 'devices' });
  const archived = new Set<string>();
  const engine = await aBackedUp(24, { wrap: refusing({ isArchived: (one) => archived.has(one) }) });
  archived.add(name);
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded' });
});

test('a backup whose latest.json cannot be written succeeds, with a finding and one alert until it can', async () => {
  const leased = new Set<string>();
  const engine = await aBackedUp(24, { wrap: refusing({ put: (name) => leased.has(name) }) });
  leased.add(latestName({ namespace: 'one', hub: 'devices' }));
  const id = await backUp(engine);
  await backUp(engine);
  await minutes(engine, 3);
  expect(await findingOf(engine, 'StorageRefuses')).toMatchObject({
    level: 'risk',
    message: expect.stringMatching(
      /^latest\.json, for readers outside of the app, could not be written since 09:02 UTC/,
    ),
  });
  expect(sent(engine)).toEqual(['StorageRefuses open']);
  expect(await restore(engine, { snapshot: id })).toMatchObject({ status: 'Succeeded' });
  leased.clear();
  await backUp(engine);
  await minutes(engine, 2);
  expect(await findingOf(engine, 'StorageRefuses')).toBeUndefined();
  expect(sent(engine).filter((one) => one.startsWith('Storage'))).toEqual([
    'StorageRefuses open',
    'StorageRefuses resolved',
  ]);
});

test('an app that may not delete backs up and restores all the same; retention says so once, until it may', async () => {
  let mayDelete = false;
  const policy = { retention: { hourly: 1, daily: 0, weekly: 0, monthly: 0 } };
  const engine = await aBackedUp(24, { policy, wrap: refusing({ remove: () => !mayDelete }) });
  for (let hour = 0; hour < 2; hour += 1) {
    engine.advance(3_600_000);
    await backUp(engine);
  }
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 24 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  for (let night = 0; night < 2; night += 1) await prune(engine.app);
  await minutes(engine, 3);
  expect(await findingOf(engine, 'StorageRefuses')).toMatchObject({
    message: expect.stringMatching(
      /What is no longer needed could not be removed since .*AuthorizationPermissionMismatch/,
    ),
  });
  expect(sent(engine).filter((one) => one.startsWith('Storage'))).toEqual(['StorageRefuses open']);
  expect(await ids(engine)).toHaveLength(3);
  // A removal that was asked for, and is refused, is an error.
  const [, , newest = ''] = await ids(engine);
  await pinSnapshot(engine.app, newest);
  expect(await codeOf(unpinSnapshot(engine.app, newest))).toBe('StorageUnavailable');
  mayDelete = true;
  await unpinSnapshot(engine.app, newest);
  await prune(engine.app);
  await minutes(engine, 1);
  expect(await ids(engine)).toEqual([newest]);
  expect(await findingOf(engine, 'StorageRefuses')).toBeUndefined();
});

test('one removal that is refused keeps retention from no other', async () => {
  let held = '';
  const policy = { retention: { hourly: 1, daily: 0, weekly: 0, monthly: 0 } };
  const engine = await aBackedUp(24, {
    policy,
    wrap: refusing({ remove: (name) => held !== '' && name.includes(held) }),
  });
  engine.advance(3_600_000);
  await backUp(engine);
  engine.advance(3_600_000);
  const newest = await backUp(engine);
  [held = ''] = await ids(engine);
  await prune(engine.app);
  expect(await ids(engine)).toEqual([held, newest]);
});

test('a container that keeps blobs as they are is NotReady, with one alert, and each call says why', async () => {
  let isWriteOnce = false;
  const engine = await aBackedUp(24, {
    wrap: refusing({ put: (_, isThere) => isWriteOnce && isThere, remove: () => isWriteOnce }),
  });
  isWriteOnce = true;
  await minutes(engine, 5);
  expect(await readStatus(engine.app)).toMatchObject({ verdict: 'NotReady' });
  expect(await findingOf(engine, 'StorageRefuses')).toMatchObject({ level: 'stop' });
  expect(sent(engine).filter((one) => one.startsWith('Storage'))).toEqual(['StorageRefuses open']);
  await expect(startBackup(engine.app, 'timer')).rejects.toMatchObject({ code: 'StorageUnavailable' });
});

async function ids({ blobs }: Engine): Promise<string[]> {
  const entries = await blobs.list('one/devices/snapshots/');
  return entries.flatMap(({ name }) => (name.endsWith('/manifest.json') ? [name.split('/')[3] ?? ''] : []));
}
