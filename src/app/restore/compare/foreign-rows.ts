import { hash53 } from '../../../core/bytes/hash.ts';
import { firstIndex } from '../../../core/bytes/search.ts';
import { foreignName, resultsFolder, shardOfName } from '../../../core/paths.ts';
import { handleHash } from '../../../core/registration/record.ts';
import type { Elsewhere } from '../../../core/restore/first-writes.ts';
import type { ForeignRow } from '../../../core/restore/survey.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App, ForeignRows } from '../../app.ts';
import { forEachConcurrent } from '../../stored/concurrent.ts';
import { numberBlobs } from '../../stored/documents.ts';

/** Blobs read at once. */
const READERS = 16;
/** Passes remembered by one process: each step of a pass asks the same, and a large hub has a thousand shards. */
const REMEMBERED = 2;
/** Numbers of a row. */
const WIDTH = 4;

/** Stores what lives under another key than the snapshot's shard has it under; no blob where there is none. */
export async function storeForeignRows(
  app: App,
  run: RestoreRun,
  shard: number,
  rows: readonly Omit<ForeignRow, 'keyHash'>[],
): Promise<void> {
  if (rows.length === 0) return;
  const numbers = Float64Array.from(
    rows.flatMap((row) => [row.handleHash, row.idHash, row.versionHash, row.isOurs ? 1 : 0]),
  );
  await numberBlobs.foreignRows.write(app, foreignName(run.id, run.phase.pass, shard), { title: {}, numbers }, 'any');
}

export interface ForeignLookup extends Elsewhere {
  /** No handle lives elsewhere by its device's own word. */
  readonly isEmpty: boolean;
  /** By a handle's hash. */
  hasHandle(hash: number): boolean;
  /** A row as it was agreed on has one of these handles or ids, by their hashes. */
  isOurs(handleHashes: readonly number[], idHashes: readonly number[]): boolean;
}

/** What lives elsewhere, of all shards. Throws `StoredDocumentInvalid`, naming the blob it is about. */
export async function readForeignRows(app: App, run: RestoreRun): Promise<ForeignLookup> {
  const all = await remember(app.memory.foreignRows, `${run.id} ${run.phase.pass}`, () => readAll(app, run));
  const hasHandle = (hash: number): boolean => includes(all.takenHandles, () => hash);
  return {
    isEmpty: all.takenHandles.length === 0,
    hasHandle,
    isOurs: (handleHashes, idHashes) =>
      handleHashes.some((hash) => includes(all.ourHandles, () => hash)) ||
      idHashes.some((hash) => includes(all.ourIds, () => hash)),
    isTaken: (row) => includes(all.takenHandles, () => handleHash(row)) || includes(all.takenIds, () => hash53(row.id)),
    oursUnder(id) {
      if (all.ourIds.length === 0) return [];
      const wanted = hash53(id);
      const first = placeOf(all.ourIds, wanted);
      const end = placeOf(all.ourIds, wanted + 1);
      return [...all.ourVersions.subarray(first, end)];
    },
  };
}

/** Nearly always there is none: then nothing is hashed. */
function includes(sorted: Float64Array, hashOf: () => number): boolean {
  if (sorted.length === 0) return false;
  const wanted = hashOf();
  return sorted[placeOf(sorted, wanted)] === wanted;
}

function placeOf(sorted: Float64Array, wanted: number): number {
  return firstIndex(sorted.length, (index) => (sorted[index] ?? 0) >= wanted);
}

type Remembered = App['memory']['foreignRows'];

function remember(known: Remembered, key: string, read: () => Promise<ForeignRows>): Promise<ForeignRows> {
  const rows = known.get(key) ?? read();
  // Set again, so that the first in the map is the one longest unused.
  known.delete(key);
  known.set(key, rows);
  for (const oldest of [...known.keys()].slice(0, -REMEMBERED)) known.delete(oldest);
  // What failed is not remembered; who waits for it sees the failure.
  rows.catch(() => known.delete(key));
  return rows;
}

async function readAll(app: App, run: RestoreRun): Promise<ForeignRows> {
  const results = await app.blobs.list(resultsFolder('restore', run.id, run.phase.pass, 'seal'));
  // Without the fact it is of an older version, which stored them elsewhere.
  const shards = results.flatMap(({ name, facts }) => (Number(facts['foreign'] ?? 0) > 0 ? [shardOfName(name)] : []));
  const takenHandles: number[] = [];
  const takenIds: number[] = [];
  const ourHandles: number[] = [];
  const ours: (readonly [id: number, version: number])[] = [];
  await forEachConcurrent(shards, READERS, async (shard) => {
    const { numbers } = await numberBlobs.foreignRows.read(app, foreignName(run.id, run.phase.pass, shard));
    for (let at = 0; at < numbers.length; at += WIDTH) {
      const [handle = 0, id = 0, version = 0, isOurs] = numbers.subarray(at, at + WIDTH);
      if (handle !== 0) (isOurs === 1 ? ourHandles : takenHandles).push(handle);
      if (isOurs === 1) ours.push([id, version]);
      else takenIds.push(id);
    }
  });
  ours.sort((a, b) => a[0] - b[0]);
  return {
    takenHandles: Float64Array.from(takenHandles).sort(),
    takenIds: Float64Array.from(takenIds).sort(),
    ourHandles: Float64Array.from(ourHandles).sort(),
    ourIds: Float64Array.from(ours, ([id]) => id),
    ourVersions: Float64Array.from(ours, ([, version]) => version),
  };
}
