import type { Entry } from '../../../../core/baseline/record.ts';
import { DrError, orFault } from '../../../../core/errors.ts';
import { recordVersionOf, versionHashOf } from '../../../../core/fingerprint/row.ts';
import { expectedForms } from '../../../../core/registration/expected.ts';
import {
  isInstallation,
  keyHashOf,
  membersOf,
  type RecordOfRows,
  sectionsOf,
  shardOf,
} from '../../../../core/registration/record.ts';
import { canonicalRow, type Registration } from '../../../../core/registration/registration.ts';
import type { Undo } from '../../../../core/restore/plan/put-back.ts';
import type { RestoreRun } from '../../../../core/run/run.ts';
import type { App } from '../../../app.ts';
import { readUndo } from '../../outcomes/undo.ts';

/** By key what an earlier run was about to overwrite or remove, of one of the run's shards. */
export async function readChanged(
  app: App,
  earlier: RestoreRun,
  shard: number,
  run: RestoreRun,
  onFault: (fault: DrError) => void,
): Promise<ReadonlyMap<string, Undo>> {
  const shards = membersOf(sectionsOf(shard, run.shardCount, earlier.shardCount));
  const found = await orFault(Promise.all(shards.map((one) => readUndo(app, earlier, one))));
  if (found instanceof DrError) {
    onFault(found);
    return new Map();
  }
  const isOfShard = (key: string): boolean => shardOf(keyHashOf(key), run.shardCount) === shard;
  return new Map(found.flatMap((undo) => [...undo].filter(([key]) => isOfShard(key))));
}

/**
 * Whether a record was as it was agreed on, and a run has changed only some of its rows: each is as it was before, or as
 * the run wrote it.
 */
export function isHalfChanged(
  { target }: Entry,
  changed: readonly Registration[],
  live: RecordOfRows,
  written: RecordOfRows | undefined,
): boolean {
  const ids = new Set(changed.map(({ id }) => id));
  const before = [...changed, ...live.rows.filter(({ id }) => !ids.has(id))].map(versionHashOf);
  const forms = written === undefined ? new Set<string>() : expectedForms(written);
  const isAsBefore = (row: Registration): boolean => before.includes(versionHashOf(row));
  const isKnown = (row: Registration): boolean => isAsBefore(row) || forms.has(canonicalRow(row.xml));
  // An installation is written as a whole: the row that does not show is one that the listing has passed over.
  if (isInstallation(live) && live.rows.every(isAsBefore)) return false;
  return target.version === recordVersionOf(before) && live.rows.every(isKnown);
}
