import { hash53 } from '../../../core/bytes/hash.ts';
import { firstIndex } from '../../../core/bytes/search.ts';
import { manifestName } from '../../../core/paths.ts';
import { handleHash, membersOf } from '../../../core/registration/record.ts';
import type { Registration } from '../../../core/registration/registration.ts';
import type { SurveyOptions } from '../../../core/restore/plan/survey.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { readManifest, readSnapshotShard } from '../../snapshots/store.ts';
import { invalidDocument } from '../../stored/invalid.ts';
import { remembered } from '../../stored/remembered.ts';
import { readUndo } from '../outcomes/undo.ts';
import { readRunOf } from '../outcomes/written.ts';
import type { LiveShard } from './live-rows.ts';

/** Runs remembered by one process. */
const REMEMBERED = 2;

/**
 * Tells which rows of the target may be in the way of one that the run writes: those with its handle or its id. Where
 * the target holds far more than the snapshot, only these are kept note of, in all shards; else all are, which costs
 * less than reading what the run writes.
 */
export async function openInTheWay(
  app: App,
  run: RestoreRun,
  { isWhole }: LiveShard,
): Promise<SurveyOptions['isInTheWay']> {
  if (isWhole) return () => true;
  const hashes = await remembered(app.memory.inTheWay, run.id, REMEMBERED, () => readHashes(app, run));
  const isAmong = (hash: number): boolean =>
    hashes[firstIndex(hashes.length, (at) => (hashes[at] ?? 0) >= hash)] === hash;
  return ({ handleHash, idHash }) => isAmong(handleHash) || isAmong(idHash);
}

/** In ascending order, of handles and ids alike: a hash that is both costs a row in a list. */
async function readHashes(app: App, run: RestoreRun): Promise<Float64Array> {
  const hashes: number[] = [];
  for await (const rows of run.request.purpose === 'rollback' ? rowsPutBack(app, run) : rowsRestored(app, run)) {
    for (const row of rows) hashes.push(handleHash(row), hash53(row.id));
    await app.world.nextTurn();
  }
  return Float64Array.from(hashes).sort();
}

async function* rowsRestored(app: App, { request, shardCount }: RestoreRun): AsyncGenerator<readonly Registration[]> {
  const { sourceHub, snapshotId } = request;
  const manifest = await readManifest(app, sourceHub, snapshotId);
  if (manifest === undefined) {
    const name = manifestName(sourceHub, snapshotId);
    throw invalidDocument({ what: 'document', name, why: 'of this run is missing' });
  }
  for (const shard of membersOf({ first: 0, count: shardCount })) {
    for (const { rows } of await readSnapshotShard(app, manifest, shard)) yield rows;
  }
}

async function* rowsPutBack(app: App, run: RestoreRun): AsyncGenerator<readonly Registration[]> {
  const restore = await readRunOf(app, run);
  for (const shard of membersOf({ first: 0, count: restore.shardCount })) {
    for (const { before } of (await readUndo(app, restore, shard)).values()) yield before.rows;
  }
}
