import { expect, test } from 'vitest';
import { prune } from '../../src/app/prune.ts';
import { readStatus } from '../../src/app/readiness/status.ts';
import { startVerification } from '../../src/app/snapshots/start-verification.ts';
import { readSnapshotView, readVerificationView } from '../../src/app/snapshots/view.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import { listRunViews } from '../../src/app/views.ts';
import { watchRuns } from '../../src/app/watchdog.ts';
import { parseStep } from '../../src/core/run/step.ts';
import { aBackedUp, backUp, codeOf, restore, runToEnd, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';

async function verify(engine: Engine, snapshotId = 'latest') {
  const { id } = await startVerification(engine.app, snapshotId, 'http');
  await engine.drain();
  return readVerificationView(engine.app, id);
}

/** Changes one byte of a blob, in the middle. */
async function damage({ blobs }: Engine, name: string): Promise<void> {
  const blob = await blobs.get(name);
  if (blob === undefined) throw new Error(`no blob ${name}`);
  const bytes = blob.bytes.slice();
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await blobs.put(name, bytes, 'any');
}

test('a sound snapshot is verified record by record, and is proven from then on', async () => {
  const engine = createEngine();
  seed(engine);
  const snapshotId = await backUp(engine);
  const view = await verify(engine);
  expect(view).toMatchObject({
    kind: 'verification',
    status: 'Succeeded',
    phase: 'Done',
    snapshot: { id: snapshotId },
    counts: { total: 24, verified: 24, damaged: 0, pending: 0 },
    damagedArtefacts: [],
    requestedBy: 'http',
  });
  expect(await readSnapshotView(engine.app, snapshotId)).toMatchObject({ proof: { how: 'verified', runId: view.id } });
  expect(await readStatus(engine.app)).toMatchObject({ verdict: 'Ready', provenSnapshot: { id: snapshotId } });
  expect(await listRunViews(engine.app, 'verification')).toMatchObject({ value: [{ id: view.id }], next: undefined });
});

test('what is taken for the latest says which newer one is suspect, and why', async () => {
  const engine = createEngine();
  seed(engine);
  const good = await backUp(engine);
  engine.primary.rows.clear();
  const suspect = await backUp(engine);
  const said = [`Snapshot ${suspect} is newer, but suspect: the hub was empty. It is used only where it is named.`];
  expect(await verify(engine)).toMatchObject({ status: 'Succeeded', snapshot: { id: good }, warnings: said });
  expect(await restore(engine, { dryRun: true })).toMatchObject({ snapshot: { id: good }, warnings: said });
  expect(await verify(engine, suspect)).toMatchObject({ snapshot: { id: suspect }, warnings: [] });
});

test('a damaged and a missing shard are named, counted, and undo the proof', async () => {
  const engine = createEngine();
  seed(engine);
  const snapshotId = await backUp(engine);
  await verify(engine);
  const folder = `one/devices/snapshots/${snapshotId}/shards/`;
  await damage(engine, `${folder}0000.jsonl.gz`);
  await engine.blobs.remove(`${folder}0002.jsonl.gz`);
  const view = await verify(engine, snapshotId);
  expect(view).toMatchObject({
    status: 'Failed',
    error: { code: 'SnapshotCorrupt' },
    damagedArtefacts: [
      { name: `${folder}0000.jsonl.gz`, code: 'SnapshotCorrupt', message: expect.stringContaining('was changed') },
      { name: `${folder}0002.jsonl.gz`, code: 'SnapshotCorrupt', message: expect.stringContaining('is missing') },
    ],
  });
  const { total, verified, damaged, pending } = view.counts;
  expect(verified + damaged).toBe(total);
  expect(damaged).toBeGreaterThan(0);
  expect(pending).toBe(0);
  expect(await readSnapshotView(engine.app, snapshotId)).toMatchObject({ proof: null });
});

test('counts add up while it runs', async () => {
  const engine = await aBackedUp();
  const { id } = await startVerification(engine.app, 'latest', 'http');
  for (const text of engine.queue.take().slice(0, 2)) await runStep(engine.app, parseStep(JSON.parse(text)));
  const { counts, status } = await readVerificationView(engine.app, id);
  expect(status).toBe('Running');
  expect(counts.verified).toBeGreaterThan(0);
  expect(counts.verified + counts.damaged + counts.pending).toBe(counts.total);
});

test('messages that are lost are enqueued again, and one that comes twice changes nothing', async () => {
  const engine = await aBackedUp();
  const { id } = await startVerification(engine.app, 'latest', 'http');
  const [first = ''] = engine.queue.take();
  await runStep(engine.app, parseStep(JSON.parse(first)));
  await runStep(engine.app, parseStep(JSON.parse(first)));
  engine.advance(100_000);
  await watchRuns(engine.app);
  await engine.drain();
  expect(await readVerificationView(engine.app, id)).toMatchObject({ status: 'Succeeded', counts: { verified: 24 } });
});

test('a verification whose steps always die ends as stuck, with its counts', async () => {
  const engine = await aBackedUp();
  const { id } = await startVerification(engine.app, 'latest', 'http');
  await runToEnd(engine, 'verification', id, async () => {
    throw new Error('out of memory');
  });
  expect(await readVerificationView(engine.app, id)).toMatchObject({
    status: 'Failed',
    error: { code: 'RunStuck' },
    counts: { total: 24, verified: 0, pending: 24 },
  });
});

test('one verification at a time, and its snapshot outlives retention meanwhile', async () => {
  const engine = createEngine({ policy: { retention: { hourly: 1, daily: 0, weekly: 0, monthly: 0 } } });
  seed(engine);
  const old = await backUp(engine);
  engine.advance(7_200_000);
  await backUp(engine);
  const { id } = await startVerification(engine.app, old, 'http');
  expect(await codeOf(startVerification(engine.app, 'latest', 'http'))).toBe('RunInProgress');
  await prune(engine.app);
  await engine.drain();
  expect(await readVerificationView(engine.app, id)).toMatchObject({ status: 'Succeeded' });
  expect(await codeOf(startVerification(engine.app, '2020-01-01T00-00-00Z-abcdef', 'http'))).toBe('SnapshotNotFound');
});

test('retention keeps the newest proven snapshot', async () => {
  const engine = createEngine({ policy: { retention: { hourly: 1, daily: 0, weekly: 0, monthly: 0 } } });
  seed(engine);
  const proven = await backUp(engine);
  await verify(engine);
  engine.advance(7_200_000);
  await backUp(engine);
  engine.advance(7_200_000);
  await backUp(engine);
  await prune(engine.app);
  expect((await readStatus(engine.app)).provenSnapshot).toMatchObject({ id: proven, ageSeconds: 4 * 3600 + 120 });
});
