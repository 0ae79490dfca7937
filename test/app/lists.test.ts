import { expect, test } from 'vitest';
import { createDrill, listDrills } from '../../src/app/drill/store.ts';
import { createRun, listRunsBefore } from '../../src/app/runs/store.ts';
import { readManifest } from '../../src/app/snapshots/store.ts';
import { listSnapshotViews } from '../../src/app/snapshots/view.ts';
import { sha256Hex } from '../../src/app/stored/codec.ts';
import { documents } from '../../src/app/stored/documents.ts';
import { manifestName, runName } from '../../src/core/paths.ts';
import { newRunId } from '../../src/core/run/run.ts';
import { addDigest } from '../../src/core/snapshot/manifest.ts';
import { backUp } from '../support/drive.ts';
import { createEngine } from '../support/engine.ts';
import { anAppleRow, tokenOf } from '../support/rows.ts';
import { aBackupRun } from '../support/runs.ts';

const START_MS = Date.parse('2026-11-23T09:00:00Z');
/** The fourth and the fifth began within one second. */
const starts = [0, 1, 2, 3, 3.4, 5, 6, 7, 8, 9, 10].map((seconds) => START_MS + seconds * 1000);

async function readAll<T extends { readonly id: string }>(
  read: (from?: string) => Promise<{ readonly value: readonly T[]; readonly next: string | undefined }>,
): Promise<readonly (readonly string[])[]> {
  const pages: string[][] = [];
  let from: string | undefined;
  do {
    const { value, next } = await read(from);
    pages.push(value.map(({ id }) => id));
    from = next;
  } while (from !== undefined);
  return pages;
}

test('runs are read page by page, each once and newest first, also under ids that callers chose', async () => {
  const { app } = createEngine();
  const ids = starts.map((startMs, index) => (index % 4 === 2 ? `my-${index}` : newRunId(startMs, `${index}`)));
  for (const [index, id] of ids.entries()) {
    await createRun(app, { ...aBackupRun, id, createdAt: new Date(starts[index] ?? 0).toISOString() });
  }
  const pages = await readAll((from) => listRunsBefore(app, 'backup', 4, from));
  expect(pages.map(({ length }) => length)).toEqual([4, 4, 3]);
  expect(pages.flat()).toEqual(ids.toReversed());
});

test('so are drills', async () => {
  const { app } = createEngine();
  const ids = starts.map((startMs, index) => newRunId(startMs, index.toString(16)));
  for (const [index, id] of ids.entries()) {
    const createdAt = new Date(starts[index] ?? 0).toISOString();
    const drill = {
      formatVersion: 1,
      id,
      requestedBy: 'http',
      createdAt,
      snapshotId: 's',
      stage: 'over',
      stageSince: createdAt,
    } as const;
    await createDrill(app, drill, { etag: (await app.blobs.get('_drills/newest.json'))?.etag });
  }
  expect((await readAll((from) => listDrills(app, 4, from))).flat()).toEqual(ids.toReversed());
});

test('documents that are damaged, however many, do not hide what is older', async () => {
  const { app } = createEngine();
  const minutes = [...Array(30).keys()];
  const runs = minutes.map((minute) => {
    const startMs = START_MS + minute * 60_000;
    return { ...aBackupRun, id: newRunId(startMs, `${minute}`), createdAt: new Date(startMs).toISOString() };
  });
  for (const run of runs) await createRun(app, run);
  const damaged = runs.slice(5, 25);
  for (const { id } of damaged) await app.blobs.put(runName('backup', id), Buffer.from('damaged'), 'any');
  const pages = await readAll((from) => listRunsBefore(app, 'backup', 4, from));
  expect(pages.map(({ length }) => length)).toEqual([4, 4, 2]);
});

test('ids that are ahead of the clock of the storage, or behind it, are listed once', async () => {
  const { app } = createEngine();
  const startsMs = [...Array(30).keys()].map((minute) => START_MS + minute * 60_000);
  const skewsMs = [600_000, 0, -600_000];
  const ids = startsMs.map((startMs, index) => newRunId(startMs + (skewsMs[index % 3] ?? 0), `${index}`));
  for (const [index, id] of ids.entries()) {
    await createRun(app, { ...aBackupRun, id, createdAt: new Date(startsMs[index] ?? 0).toISOString() });
  }
  const listed = (await readAll((from) => listRunsBefore(app, 'backup', 4, from))).flat();
  expect(listed).toEqual(ids.toSorted().toReversed());
});

test('snapshots are listed by when they were read, not by when their backups began', async () => {
  const engine = createEngine();
  const { app, primary } = engine;
  primary.rows.set('1-1-1', anAppleRow({ id: '1-1-1', token: tokenOf('one') }));
  const waited = await backUp(engine);
  const next = await backUp(engine);
  expect((await listSnapshotViews(app)).map(({ id }) => id)).toEqual([next, waited]);
  const manifest = await readManifest(app, app.primary.ref, waited);
  if (manifest === undefined) throw new Error('no manifest');
  const { digest: _, ...rest } = manifest;
  engine.advance(1000);
  const now = new Date(app.world.storageNow()).toISOString();
  const late = addDigest({ ...rest, readStartedAt: now, publishedAt: now }, sha256Hex);
  await documents.manifest.write(app, manifestName(app.primary.ref, waited), late, 'any');
  expect((await listSnapshotViews(app)).map(({ id }) => id)).toEqual([waited, next]);
});
