import type { FingerprintTable } from '../../../core/fingerprint/table.ts';
import type { Registration } from '../../../core/registration/registration.ts';
import { groupOf } from '../../../core/request/selection.ts';
import { asListed } from '../../../core/restore/plan/circumstances.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import { recordsIn, type ShardRecords } from '../../../core/snapshot/shard.ts';
import type { App } from '../../app.ts';
import { readForeignRows } from '../compare/foreign-rows.ts';
import type { RollbackScope } from '../compare/rollback-scope.ts';
import type { IdMap } from '../outcomes/id-map.ts';

/** More groups than an order may have. */
export const MAX_WAVES = 100;
/**
 * When all else is written in all shards. Withdrawals come last; so does what takes an id from a record that gets another
 * one, which would else be missing in between; and what a rollback puts back, since the ids and handles it needs may be
 * those of records that it removes.
 */
export const LAST_WAVE = MAX_WAVES - 1;

/** What the records of a shard's snapshot are, beside what lives in the target. */
export interface ToGroup {
  readonly fingerprints: Pick<FingerprintTable, 'count'>;
  readonly openRecords: () => Promise<ShardRecords>;
  /** Of a rollback. */
  readonly scope: RollbackScope | undefined;
  readonly idMap: Pick<IdMap, 'mintedFor'>;
}

/** With which group each record of a shard's snapshot is written; none where they are all of the first. */
export async function groupsOf(app: App, run: RestoreRun, toGroup: ToGroup): Promise<number[]> {
  const { fingerprints, openRecords, scope } = toGroup;
  if (scope !== undefined) {
    return Array.from({ length: fingerprints.count }, (_, index) => (scope.hasUndoAt(index) ? LAST_WAVE : 0));
  }
  if (run.phase.pass > 1) return [];
  const { order } = run.request;
  const takesFreed = await openFreed(app, run, toGroup);
  if (order === undefined && takesFreed === undefined) return [];
  const inOrder = order === undefined ? () => 0 : groupOf(order);
  return recordsIn(await openRecords()).map((record) =>
    takesFreed !== undefined && record.rows.some(takesFreed) ? LAST_WAVE : inOrder(record),
  );
}

async function openFreed(app: App, run: RestoreRun, { idMap }: ToGroup) {
  if (run.request.dryRun || run.found?.rows === 0) return undefined;
  const { freesNone, isFreed } = await readForeignRows(app, asListed(run));
  return freesNone ? undefined : ({ id }: Registration) => [id, ...idMap.mintedFor(id)].some(isFreed);
}
