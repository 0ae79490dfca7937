import type { FingerprintTable } from '../../../core/fingerprint/table.ts';
import { groupOf } from '../../../core/request/selection.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import { recordsIn, type ShardRecords } from '../../../core/snapshot/shard.ts';
import type { Undone } from '../compare/undone.ts';

/** More groups than an order may have. */
export const MAX_WAVES = 100;
/**
 * When all else is written in all shards. Withdrawals come last; and so does what a rollback puts back, since the ids
 * and handles it needs may be those of records that it removes.
 */
export const LAST_WAVE = MAX_WAVES - 1;

/** With which group each record of a shard's snapshot is written; none where they are all of the first. */
export async function groupsOf(
  { request, phase }: RestoreRun,
  fingerprints: FingerprintTable,
  undone: Undone | undefined,
  openRecords: () => Promise<ShardRecords>,
): Promise<number[]> {
  if (undone !== undefined) {
    return Array.from({ length: fingerprints.count }, (_, index) => (undone.hasUndoAt(index) ? LAST_WAVE : 0));
  }
  const { order } = request;
  return phase.pass === 1 && order !== undefined ? recordsIn(await openRecords()).map(groupOf(order)) : [];
}
