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

/** Fewer refusals than these say nothing of the rest. */
const LEAST_TRIES = 1000;

/** More than that share of what was tried was refused: so would be the rest. 100 %: never. */
export function isNearlyAllRefused(failed: number, tried: number, maxFailurePercent: number): boolean {
  return tried >= LEAST_TRIES && failed * 100 > tried * maxFailurePercent;
}
