import { expect, test } from 'vitest';
import { openChurn } from '../../src/app/backup/churn.ts';
import { readStatus } from '../../src/app/readiness/status.ts';
import { readRun } from '../../src/app/runs/store.ts';
import { listSnapshotViews, readSnapshotView } from '../../src/app/snapshots/view.ts';
import { FingerprintTable } from '../../src/core/fingerprint/table.ts';
import { aBackedUp, backUp, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { anAppleRow } from '../support/rows.ts';

/** One device gone, two more, one with another tag. */
function change({ primary }: Engine): void {
  primary.rows.delete('19-5-1');
  for (const id of ['91-1-1', '92-1-1']) primary.rows.set(id, anAppleRow({ id }));
  primary.rows.set('39-5-1', anAppleRow({ id: '39-5-1', tags: ['plain', 'more'], etag: 2 }));
}

test('a snapshot tells what was added, removed and changed since the good one before it', async () => {
  const engine = createEngine();
  seed(engine);
  const first = await backUp(engine);
  engine.advance(540_000);
  change(engine);
  const second = await backUp(engine);
  const third = await backUp(engine);
  const churn = { sinceSnapshotId: first, seconds: 600, added: 2, removed: 1, changed: 1 };
  expect(await readSnapshotView(engine.app, second)).toMatchObject({ churn });
  expect((await listSnapshotViews(engine.app)).map((view) => view.churn)).toEqual([
    { sinceSnapshotId: second, seconds: 60, added: 0, removed: 0, changed: 0 },
    churn,
    null,
  ]);
  expect(third > second).toBe(true);
});

test('devices at risk are what the last churn comes to since the newest snapshot was begun', async () => {
  const engine = await aBackedUp();
  expect((await readStatus(engine.app)).atRisk).toMatchObject({ devicesEstimate: null });
  engine.advance(540_000);
  change(engine);
  await backUp(engine);
  engine.advance(1_200_000);
  // Three in ten minutes, twenty minutes ago.
  expect((await readStatus(engine.app)).atRisk).toMatchObject({ minutes: 20, devicesEstimate: 6 });
});

test('an older snapshot whose prints cannot be read costs the churn and not the backup', async () => {
  const engine = createEngine();
  seed(engine);
  const first = await backUp(engine);
  await engine.blobs.put(`one/devices/snapshots/${first}/prints/0001`, new Uint8Array([1, 2, 3]), 'any');
  const second = await backUp(engine);
  expect(await readSnapshotView(engine.app, second)).toMatchObject({ health: 'good', churn: null });
});

test.each([2, 4, 8, 1024])('every record is compared once, whatever the number of shards (%i)', async (shardCount) => {
  const engine = createEngine();
  seed(engine, 60);
  const run = await readRun(engine.app, 'backup', await backUp(engine));
  if (run?.kind !== 'backup') throw new Error('no backup');
  const last = await openChurn(engine.app, { ...run, id: 'next', shardCount });
  let removed = 0;
  for (let shard = 0; shard < shardCount; shard += 1) {
    const facts = await last?.(shard, FingerprintTable.of([]));
    removed += Number(facts?.['removed']);
  }
  expect(removed).toBe(60);
});
