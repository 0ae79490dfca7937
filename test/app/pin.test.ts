import { describe, expect, test } from 'vitest';
import { prune } from '../../src/app/prune.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { pinSnapshot, unpinSnapshot } from '../../src/app/snapshots/pin.ts';
import { listSnapshotViews, readSnapshotView } from '../../src/app/snapshots/view.ts';
import type { Blobs } from '../../src/core/ports.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { backUp, codeOf, restore, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';

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

describe('a snapshot that comes to be needed while retention works', () => {
  /** Acts just before retention removes the manifest of the older of two snapshots, and may be the end of its process. */
  async function pruneWith(act: (engine: Engine, id: string) => Promise<unknown>, dies = false) {
    const engine = createEngine({ policy: keepOne });
    seed(engine, 4);
    const id = await backUp(engine);
    engine.advance(7_200_000);
    await backUp(engine);
    const blobs: Blobs = {
      ...engine.app.blobs,
      remove: async (name, etag) => {
        if (name.endsWith(`${id}/manifest.json`)) await act(engine, id);
        await engine.app.blobs.remove(name, etag);
        if (dies && name.endsWith(`${id}/manifest.json`)) throw new Error('The process dies here.');
      },
    };
    const isDone = await prune({ ...engine.app, blobs }).then(
      () => true,
      () => false,
    );
    expect(isDone).toBe(!dies);
    return { engine, id };
  }

  test('by a pin stays', async () => {
    const { engine, id } = await pruneWith(({ app }, older) => pinSnapshot(app, older));
    expect(await readSnapshotView(engine.app, id)).toMatchObject({ pinned: true });
    expect((await restore(engine, { snapshot: id })).status).toBe('Succeeded');
  });

  test('by a restore stays, and is restored', async () => {
    const { engine, id } = await pruneWith(({ app }, snapshot) =>
      startRestore(app, parseRestoreRequest(JSON.stringify({ snapshot }))),
    );
    await engine.drain();
    expect(engine.secondary.rows.size).toBe(engine.primary.rows.size);
    expect(await readSnapshotView(engine.app, id)).toMatchObject({ id });
  });

  test.each<{ by: string; need: (engine: Engine, id: string) => Promise<unknown> }>([
    { by: 'a pin', need: ({ app }, id) => pinSnapshot(app, id) },
    {
      by: 'a restore',
      need: ({ app }, id) => startRestore(app, parseRestoreRequest(JSON.stringify({ snapshot: id }))),
    },
  ])('by $by is there again after the next retention, where the process that removes it dies', async ({ need }) => {
    const { engine, id } = await pruneWith(need, true);
    expect(await codeOf(readSnapshotView(engine.app, id))).toBe('SnapshotNotFound');
    await prune(engine.app);
    expect(await readSnapshotView(engine.app, id)).toMatchObject({ id });
    await engine.drain();
    expect((await restore(engine, { snapshot: id })).status).toBe('Succeeded');
  });

  test('by nothing goes, all of it, also where the process that removes it dies', async () => {
    const { engine, id } = await pruneWith(async () => {}, true);
    await prune(engine.app);
    const names = (await engine.blobs.list('one/')).map(({ name }) => name);
    expect(names.filter((name) => name.includes(id))).toEqual([]);
  });

  test('by nothing goes, all of it', async () => {
    const { engine, id } = await pruneWith(async () => {});
    const names = (await engine.blobs.list('one/')).map(({ name }) => name);
    expect(names.filter((name) => name.includes(id))).toEqual([]);
  });
});

test('a snapshot that a backup of more than a day publishes while retention works stays', async () => {
  const engine = createEngine({ policy: keepOne });
  seed(engine, 4);
  const id = await backUp(engine);
  const name = `one/devices/snapshots/${id}/manifest.json`;
  const manifest = await engine.blobs.get(name);
  await engine.blobs.remove(name);
  engine.advance(2 * 86_400_000);
  await backUp(engine);
  let listings = 0;
  const blobs: Blobs = {
    ...engine.app.blobs,
    listFolders: async (prefix) => {
      const folders = await engine.app.blobs.listFolders(prefix);
      if (prefix.startsWith('one/')) listings += 1;
      // Retention lists them for the manifests, and then for those without one.
      if (listings === 2) await engine.app.blobs.put(name, manifest?.bytes ?? new Uint8Array(), 'any');
      return folders;
    },
  };
  await prune({ ...engine.app, blobs });
  expect(listings).toBe(2);
  expect((await engine.blobs.list('one/')).some((entry) => entry.name.includes(`${id}/shards/`))).toBe(true);
});

test('a snapshot that does not exist cannot be pinned', async () => {
  const engine = createEngine();
  expect(await codeOf(pinSnapshot(engine.app, '2026-01-01T00-00-00Z-abcdef'))).toBe('SnapshotNotFound');
  expect(await codeOf(pinSnapshot(engine.app, 'latest'))).toBe('NoGoodSnapshot');
  expect(await engine.blobs.list('one/')).toEqual([]);
});
