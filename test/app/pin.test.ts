import { expect, test } from 'vitest';
import { prune } from '../../src/app/prune.ts';
import { pinSnapshot, unpinSnapshot } from '../../src/app/snapshots/pin.ts';
import { listSnapshotViews, readSnapshotView } from '../../src/app/snapshots/view.ts';
import { backUp, codeOf, seed } from '../support/drive.ts';
import { createEngine } from '../support/engine.ts';

const keepOne = { retention: { hourly: 1, daily: 0, weekly: 0, monthly: 0 } };

test('a pinned snapshot outlives retention, and goes once it is unpinned', async () => {
  const engine = createEngine({ policy: keepOne });
  seed(engine, 4);
  const first = await backUp(engine);
  await pinSnapshot(engine.app, first);
  await pinSnapshot(engine.app, first);
  engine.advance(7_200_000);
  const second = await backUp(engine);
  await prune(engine.app);
  expect((await listSnapshotViews(engine.app)).map(({ id, pinned }) => ({ id, pinned }))).toEqual([
    { id: second, pinned: false },
    { id: first, pinned: true },
  ]);
  expect(await readSnapshotView(engine.app, first)).toMatchObject({ pinned: true });
  await unpinSnapshot(engine.app, first);
  await unpinSnapshot(engine.app, first);
  await prune(engine.app);
  expect((await listSnapshotViews(engine.app)).map(({ id }) => id)).toEqual([second]);
});

test('nothing of a deleted snapshot stays, its marks neither', async () => {
  const engine = createEngine({ policy: keepOne });
  seed(engine, 4);
  const first = await backUp(engine);
  await pinSnapshot(engine.app, first);
  await engine.blobs.remove(`one/devices/snapshots/${first}/manifest.json`);
  engine.advance(2 * 86_400_000);
  await backUp(engine);
  await prune(engine.app);
  const names = (await engine.blobs.list('one/')).map(({ name }) => name);
  expect(names.filter((name) => name.includes(first))).toEqual([]);
});

test('nothing is deleted while the settings do not say what to keep', async () => {
  const engine = createEngine({ policy: { retention: undefined } });
  seed(engine, 4);
  const first = await backUp(engine);
  engine.advance(400 * 86_400_000);
  const second = await backUp(engine);
  await prune(engine.app);
  expect((await listSnapshotViews(engine.app)).map(({ id }) => id)).toEqual([second, first]);
});

test('a snapshot that does not exist cannot be pinned', async () => {
  const engine = createEngine();
  expect(await codeOf(pinSnapshot(engine.app, '2026-01-01T00-00-00Z-abcdef'))).toBe('SnapshotNotFound');
  expect(await codeOf(pinSnapshot(engine.app, 'latest'))).toBe('NoGoodSnapshot');
  expect(await engine.blobs.list('one/')).toEqual([]);
});
