import { type BaselineRecord, entryOf, hasExpired, isReworded } from '../../baseline/record.ts';
import type { Shown } from '../../fingerprint/shown.ts';
import { fullNameOf } from '../../paths.ts';
import { mostDeletes } from '../../run/amounts.ts';
import type { RestoreRun } from '../../run/run.ts';
import { counted } from '../../words.ts';
import { isWithinBounds } from './circumstances.ts';
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
 * Whether a record that the standby no longer shows was removed there by others. A run of ours may not have come to write
 * it. The hub itself removes what expires, and may give its rows a shorter life than the hub in use does: each look leaves
 * them at least the floor's, `sureForMs`.
 */
export function isRemovedThere({ agreed }: BaselineRecord, nowMs: number, sureForMs: number): boolean {
  const entry = entryOf({ agreed });
  if (entry === undefined || entry.owedTo === 'target' || hasExpired(entry, nowMs)) return false;
  return nowMs - entry.target.at < sureForMs;
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
    return `${counted(changedThere, 'record')} were changed in the standby by others since the last look, more than STANDBY_DRIFT_PERCENT (${standbyDriftPercent}) allows. If devices use it, declare that it is in use: notification-hubs-dr role ${fullNameOf(run.hub)}; if not, restore into it by hand and confirm the role: syncs then resume. With --on-conflict overwrite that restore overwrites what both hubs changed. What only the standby changed is kept live until its device changes in the hub in use.`;
  }
  if (!isWithinBounds(run, 'doomed', maxDeletePercent)) {
    return `${counted(doomed, 'record')} of the standby are no longer in the snapshot, more than MAX_DELETE_PERCENT (${maxDeletePercent}) allows. If these devices have really gone, raise that until the next sync is done; if not, restore an older snapshot into the hub in use.`;
  }
  if (isAnotherForm) {
    return 'A hub writes most records in another form than when both hubs held the same, though their versions are as they were. Look at some of them, then restore into the standby by hand and confirm the role.';
  }
  return undefined;
}
