import { type BaselineRecord, entryOf, hasExpired, isReworded } from '../../baseline/record.ts';
import type { Shown } from '../../fingerprint/shown.ts';
import type { RestoreRun } from '../../run/run.ts';
import { isWithinBounds, mostDeletes } from './circumstances.ts';
import type { Bounds } from './warnings.ts';

/**
 * Whether others than this app changed a record in the standby since the last look. `isSame`: it is as the snapshot has
 * it. One that only the standby holds, and that was never agreed on, does not show in its versions.
 */
export function isChangedThere({ agreed, note }: BaselineRecord, live: Shown, isSame: boolean): boolean {
  if (typeof agreed === 'string' && isSame) return false;
  if (note !== undefined && note.target.version === live.version) return false;
  if (typeof agreed === 'string') return agreed === 'none';
  if (agreed.kind === 'entry' && isReworded(agreed.target, live)) return true;
  return agreed.target.version !== live.version;
}

/**
 * Whether a record that the standby no longer shows was removed there by others. The hub itself removes what expires, and
 * a run of ours may not have come to write it.
 */
export function isRemovedThere({ agreed }: BaselineRecord, nowMs: number): boolean {
  const entry = entryOf({ agreed });
  return entry !== undefined && entry.owedTo !== 'target' && !hasExpired(entry, nowMs);
}

/** What the first look counted in the standby. */
export interface StandbyLook {
  readonly changed: number;
  readonly removed: number;
  /** Records that only the standby holds and that were never agreed on, now and at the look before, where that is known. */
  readonly only: number;
  readonly onlyBefore: number | undefined;
  /** Records that it holds, and those that both hubs held before and it does not. */
  readonly records: number;
  readonly absent: number;
}

/** Where more is missing than there is, the hub was emptied: a sync fills it. */
export function countChangedThere({ changed, removed, only, onlyBefore, records, absent }: StandbyLook): number {
  const added = onlyBefore === undefined ? 0 : Math.max(0, only - onlyBefore);
  return changed + added + (absent > records ? 0 : removed);
}

/** Why a sync changes nothing at all; `undefined` where it is within its bounds. */
export function whySyncStops(run: RestoreRun, { maxDeletePercent, standbyDriftPercent }: Bounds): string | undefined {
  const { doomed = 0, changedThere = 0, isAnotherForm = false } = run.found?.plan ?? {};
  if (changedThere > mostDeletes(run.recordCount, standbyDriftPercent)) {
    return `${changedThere} records were changed in the standby by others since the last look, more than STANDBY_DRIFT_PERCENT (${standbyDriftPercent}) allows. If devices use it, declare that it is in use: POST /api/role. If not, restore into it by hand, with onConflict where its rows are to be overwritten, and confirm the role.`;
  }
  if (!isWithinBounds(run, 'doomed', maxDeletePercent)) {
    return `${doomed} records of the standby are no longer in the snapshot, more than MAX_DELETE_PERCENT (${maxDeletePercent}) allows. If these devices have really gone, raise that until the next sync is done; if not, restore an older snapshot into the hub in use.`;
  }
  if (isAnotherForm) {
    return 'A hub writes most records in another form than when both hubs held the same, though their ETags are as they were. Look at some of them, then restore into the standby by hand and confirm the role.';
  }
  return undefined;
}
