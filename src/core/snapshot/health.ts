import type { Manifest } from './manifest.ts';

/** The listing may begin again this often (its token was lost) before its result is doubted. */
const MAX_TRUSTED_RESTARTS = 2;

/** A share of rows that may be unreadable: a few odd ones must not keep all others from being `latest`. */
const MAX_TRUSTED_UNREADABLE = 0.001;

/**
 * Judges a finished backup. `earlierCounts` are the record counts of the last good snapshots, in any order; a fall
 * of more than `dropPercent` below their median is what a broken listing or an emptied hub looks like. The reasons are
 * why a suspect one is kept but never chosen by itself.
 */
export function judgeSnapshot(
  recordCount: number,
  earlierCounts: readonly number[],
  { restartCount, unreadableCount }: { readonly restartCount: number; readonly unreadableCount: number },
  dropPercent: number,
) {
  const reasons: string[] = [];
  const usual = median(earlierCounts);
  if (recordCount === 0) reasons.push('the hub was empty');
  else if (usual !== undefined && recordCount < usual * (1 - dropPercent / 100)) {
    reasons.push(`${recordCount} records, more than ${dropPercent} % below the usual ${usual}`);
  }
  if (restartCount > MAX_TRUSTED_RESTARTS) reasons.push(`the listing had to begin again ${restartCount} times`);
  if (unreadableCount > MAX_TRUSTED_UNREADABLE * recordCount) reasons.push(`${unreadableCount} rows could not be read`);
  const health: Manifest['health'] = reasons.length === 0 ? 'good' : 'suspect';
  return { health, healthReasons: reasons };
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) return undefined;
  const lower = sorted[middle - 1] ?? upper;
  return sorted.length % 2 === 1 ? upper : (lower + upper) / 2;
}
