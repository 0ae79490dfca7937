import { type BaselineRecord, entryOf } from './record.ts';

/** Of the devices that the hub before held: how many the hub in use holds now, and why. */
export interface CoverageCounts {
  /** They registered in it by themselves. */
  readonly registered: number;
  /** They are there as the switch left them: whether their apps use it is not known. */
  readonly restored: number;
}

/**
 * By what a switch left of each record, as seen from the hub before to the one in use, and by what that holds now. A
 * record that the switch itself found there in its device's own words has registered by itself. `held`: the records
 * that it left something of, also those that have gone since.
 */
export function countCoverage(
  left: Iterable<BaselineRecord>,
  versionNow: (keyHash: number) => number | undefined,
  readAt: number,
): CoverageCounts & { readonly held: number } {
  let [registered, restored, held] = [0, 0, 0];
  for (const record of left) {
    if (!wasHeldBefore(record, readAt)) continue;
    held += 1;
    const now = versionNow(record.keyHash);
    if (now === undefined) continue;
    if (entryOf(record)?.target.version === now) restored += 1;
    else registered += 1;
  }
  return { registered, restored, held };
}

/** The snapshot that was restored held it; other agreements are of records that had gone by then. */
function wasHeldBefore(record: BaselineRecord, readAt: number): boolean {
  const entry = entryOf(record);
  if (entry !== undefined) return entry.source.at >= readAt;
  return record.note?.source.version !== undefined;
}

/** The sum over a snapshot. */
export interface Coverage extends CoverageCounts {
  /** The restore that switched the hubs. */
  readonly of: string;
  /** Records of the snapshot that it restored. */
  readonly total: number;
  /**
   * Of `restored`, those written since, by retries, repairs and rollbacks of ours or by their devices: it is not known
   * whether these have registered, too.
   */
  readonly rewritten?: number | undefined;
}

export interface CoverageView extends Coverage {
  readonly missing: number;
  /** Of all, those that have registered by themselves, rounded down. */
  readonly percent: number;
}

/** `under 1 %` where rounding down would say that there are none. */
export function percentInWords(percent: number, count: number): string {
  return percent === 0 && count > 0 ? 'under 1 %' : `${percent} %`;
}

/** `missing` are not in the hub: they were not restored, have left, or expired. */
export function viewCoverage({ of, total, registered, restored, rewritten }: Coverage): CoverageView {
  const percent = total === 0 ? 100 : Math.floor((100 * registered) / total);
  const missing = Math.max(0, total - registered - restored);
  return { of, total, registered, restored, ...(rewritten ? { rewritten } : {}), missing, percent };
}
