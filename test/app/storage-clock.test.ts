import { afterEach, expect, test } from 'vitest';
import { deleteSnapshot } from '../../src/app/erasure/delete-snapshot.ts';
import { prune } from '../../src/app/prune.ts';
import { reviewReadiness } from '../../src/app/readiness/review.ts';
import { readStatus } from '../../src/app/readiness/status.ts';
import { readRoles } from '../../src/app/runs/roles.ts';
import { findRun } from '../../src/app/runs/store.ts';
import { chooseSnapshot, listSnapshots } from '../../src/app/snapshots/store.ts';
import { heartbeatSentName } from '../../src/core/paths.ts';
import { noteStorageTime, realWorld } from '../../src/world.ts';
import { aBackedUp, backUp, restore } from '../support/drive.ts';
import type { Engine } from '../support/engine.ts';

const DAY_MS = 86_400_000;

afterEach(() => noteStorageTime(new Date()));

test.each([3_600_000, -3_600_000, 5000])(
  'what is stored is dated by the storage, whose clock is %i ms ahead',
  (aheadMs) => {
    noteStorageTime(new Date(Date.now() + aheadMs));
    expect(Math.abs(realWorld.storageNow() - Date.now() - aheadMs)).toBeLessThan(1000);
    expect(Math.abs(realWorld.now() - Date.now())).toBeLessThan(1000);
  },
);

test('a storage that says whole seconds, and answers a little later, moves no clock', () => {
  noteStorageTime(new Date(Date.now() - 1500));
  expect(Math.abs(realWorld.storageNow() - Date.now())).toBeLessThan(500);
});

/** A backup by a host whose clock is 40 days ahead, before it hears from the storage. */
async function backUpAhead(engine: Engine): Promise<string> {
  const { world } = engine.app;
  const { storageNow } = world;
  Object.assign(world, { storageNow: () => storageNow() + 40 * DAY_MS });
  const id = await backUp(engine);
  Object.assign(world, { storageNow });
  return id;
}

test('a snapshot by a clock 40 days ahead is never latest, is named in a finding, and hides no dead timer', async () => {
  const engine = await aBackedUp();
  const { app, notifier } = engine;
  const aheadId = await backUpAhead(engine);
  // As an earlier version leaves it, which took it for the newest.
  await app.blobs.put(heartbeatSentName(app.primary.ref), Buffer.from(aheadId), 'any');
  const { heartbeatCount } = notifier;
  const id = await backUp(engine);
  expect(notifier.heartbeatCount).toBe(heartbeatCount + 1);
  const status = await readStatus(app);
  expect(status.latestGoodSnapshot?.id).toBe(id);
  expect(status.findings.map(({ message }) => message).join(' ')).toContain(
    `Snapshot ${aheadId} was stored at 2026-11-23T09:02:00.000Z, before the time in its id`,
  );
  engine.advance(2 * app.policy.backupIntervalMs);
  expect((await readStatus(app)).missedBackups.missed).toBe(true);
  // Nor when the time in its id has come.
  engine.advance(41 * DAY_MS);
  expect((await chooseSnapshot(app, await readRoles(app), 'latest')).manifest.id).toBe(id);
});

test('a snapshot by a clock that was ahead can be restored by name, dated by the storage, proven, and deleted', async () => {
  const engine = await aBackedUp();
  const aheadId = await backUpAhead(engine);
  const id = await backUp(engine);
  const view = await restore(engine, { snapshot: aheadId });
  expect(view).toMatchObject({ status: 'Succeeded', snapshot: { id: aheadId } });
  expect((await findRun(engine.app, 'restore', view.id)).source).toMatchObject({
    readAt: '2026-11-23T09:02:00.000Z',
    newestGood: [id, expect.any(String)],
  });
  expect((await readStatus(engine.app)).provenSnapshot).toBe(null);
  await expect(deleteSnapshot(engine.app, id)).rejects.toMatchObject({ code: 'SnapshotKept' });
  expect(await deleteSnapshot(engine.app, aheadId)).toMatchObject({ deleted: true });
  await reviewReadiness(engine.app);
  expect((await readStatus(engine.app)).findings.map(({ code }) => code)).not.toContain('SnapshotPassedOver');
});

test('retention goes by when a snapshot was stored', async () => {
  const engine = await aBackedUp(24, { policy: { retention: { hourly: 2, daily: 0, weekly: 0, monthly: 0 } } });
  const aheadId = await backUpAhead(engine);
  const kept: string[] = [];
  for (let hour = 0; hour < 2; hour += 1) {
    engine.advance(3_600_000);
    kept.push(await backUp(engine));
  }
  await prune(engine.app);
  expect((await listSnapshots(engine.app)).map((one) => one.id)).toEqual(kept.toReversed());
  expect(kept).not.toContain(aheadId);
});
