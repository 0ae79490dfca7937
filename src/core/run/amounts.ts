import type { RestoreCounts, RestoreResult } from './run.ts';

/** Records that a rollback is about. */
export function wrote({ created, updated, renewed, moved, withdrawn }: RestoreCounts): number {
  return created + updated + renewed + moved + withdrawn;
}

/** Whether there may be anything to roll back: what was attempted may have taken effect. */
export function mayHaveWritten({ counts, attempted }: Pick<RestoreResult, 'counts' | 'attempted'>): boolean {
  return wrote(counts) + attempted > 0;
}

/** Fewer withdrawals, or records that a failback wins, than this are always within bounds. */
export const LEAST_DELETES = 20;

export function mostDeletes(records: number, maxDeletePercent: number): number {
  return Math.max(LEAST_DELETES, Math.floor((records * maxDeletePercent) / 100));
}
