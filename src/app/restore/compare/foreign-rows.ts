import { hash53 } from '../../../core/bytes/hash.ts';
import { firstIndex } from '../../../core/bytes/search.ts';
import { foreignName, resultsFolder, shardOfName } from '../../../core/paths.ts';
import { handleHash } from '../../../core/registration/record.ts';
import type { Registration } from '../../../core/registration/registration.ts';
import type { Elsewhere } from '../../../core/restore/plan/first-writes.ts';
import {
  type ForeignKind,
  type ForeignTable,
  foreignKinds,
  STORED_WIDTH,
} from '../../../core/restore/plan/foreign-table.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App, ForeignRows } from '../../app.ts';
import { forEachConcurrent } from '../../stored/concurrent.ts';
import { numberBlobs } from '../../stored/documents.ts';
import { remembered } from '../../stored/remembered.ts';

/** Blobs read at once. */
const READERS = 16;
/** Passes remembered by one process: each step of a pass asks the same, and a large hub has a thousand shards. */
const REMEMBERED = 2;

/** Stores what lives under another key than the snapshot's shard has it under; no blob where there is none. */
export async function storeForeignRows(app: App, run: RestoreRun, shard: number, rows: ForeignTable): Promise<void> {
  if (rows.length === 0) return;
  const numbers = rows.toNumbers();
  await numberBlobs.foreignRows.write(app, foreignName(run.id, run.phase.pass, shard), { title: {}, numbers }, 'any');
}

export interface ForeignLookup extends Elsewhere {
  /** No handle lives elsewhere by its device's own word. */
  readonly isEmpty: boolean;
  /** By a handle's hash. */
  hasHandle(hash: number): boolean;
  /**
   * Records to be withdrawn that have a row with one of these handles or ids, by their hashes: each as one number below
   * `doomedCount`, those with a handle first.
   */
  doomedWith(handleHashes: readonly number[], idHashes: readonly number[]): number[];
  readonly doomedCount: number;
  /** Under that id lives a row of another record of the snapshot, which this run writes under another id. */
  isFreed(id: string): boolean;
  readonly freesNone: boolean;
  /** Its device is in the target under a key that keeps it: written here, too, it would be there twice. */
  isHeld(row: Registration, mayWithdraw: boolean): boolean;
}

/** What lives elsewhere, of all shards. Throws `StoredDocumentInvalid`, naming the blob it is about. */
export async function readForeignRows(app: App, run: RestoreRun): Promise<ForeignLookup> {
  const passName = `${run.id} ${run.phase.pass}`;
  const all = await remembered(app.memory.foreignRows, passName, REMEMBERED, () => readAll(app, run));
  const hasHandle = (hash: number): boolean => includes(all.takenHandles, () => hash);
  const doomedHandleOf = (idHash: number): number[] => {
    const place = placeOf(all.doomedIds, idHash);
    return all.doomedIds[place] === idHash ? [all.handlesOfDoomedIds[place] ?? 0] : [];
  };
  return {
    isEmpty: all.takenHandles.length === 0,
    hasHandle,
    doomedWith: (handleHashes, idHashes) =>
      [...handleHashes, ...idHashes.flatMap(doomedHandleOf)]
        .filter((hash) => includes(all.doomedHandles, () => hash))
        .map((hash) => placeOf(all.doomedHandles, hash)),
    doomedCount: all.doomedHandles.length,
    freesNone: all.freedIds.length === 0,
    isFreed: (id) => includes(all.freedIds, () => hash53(id)),
    isHeld: (row, mayWithdraw) =>
      includes(all.heldHandles, () => handleHash(row)) ||
      (!mayWithdraw && includes(all.doomedHandles, () => handleHash(row))),
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

async function readAll(app: App, run: RestoreRun): Promise<ForeignRows> {
  const results = await app.blobs.list(resultsFolder('restore', run.id, run.phase.pass, 'seal'));
  // Without the fact it is of an older version, which stored them elsewhere.
  const shards = results.flatMap(({ name, facts }) => (Number(facts['foreign'] ?? 0) > 0 ? [shardOfName(name)] : []));
  const handles: Record<ForeignKind, number[]> = { taken: [], ours: [], doomed: [], staying: [], apart: [] };
  const takenIds: number[] = [];
  const doomed: (readonly [id: number, handle: number])[] = [];
  const freedIds: number[] = [];
  const ours: (readonly [id: number, version: number])[] = [];
  await forEachConcurrent(shards, READERS, async (shard) => {
    const { numbers } = await numberBlobs.foreignRows.read(app, foreignName(run.id, run.phase.pass, shard));
    for (let at = 0; at < numbers.length; at += STORED_WIDTH) {
      const [handle = 0, id = 0, version = 0, number = 0] = numbers.subarray(at, at + STORED_WIDTH);
      const kind = foreignKinds[number] ?? 'taken';
      if (handle !== 0) handles[kind].push(handle);
      if (kind === 'taken') takenIds.push(id);
      else if (kind !== 'apart') ours.push([id, version]);
      if (kind === 'doomed') doomed.push([id, handle]);
      if (kind === 'ours') freedIds.push(id);
    }
  });
  for (const rows of [ours, doomed]) rows.sort((a, b) => a[0] - b[0]);
  return {
    takenHandles: Float64Array.from(handles.taken).sort(),
    takenIds: Float64Array.from(takenIds).sort(),
    doomedHandles: Float64Array.from(handles.doomed).sort(),
    doomedIds: Float64Array.from(doomed, ([id]) => id),
    handlesOfDoomedIds: Float64Array.from(doomed, ([, handle]) => handle),
    freedIds: Float64Array.from(freedIds).sort(),
    heldHandles: Float64Array.from([...handles.staying, ...handles.apart]).sort(),
    ourIds: Float64Array.from(ours, ([id]) => id),
    ourVersions: Float64Array.from(ours, ([, version]) => version),
  };
}
