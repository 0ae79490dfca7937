import type { RestoreRun } from '../../run/run.ts';
import { counted } from '../../words.ts';
import { circumstancesOf, isRepairInPlace, isWithinBounds, isWithinDrift } from './circumstances.ts';

export interface Bounds {
  readonly maxDeletePercent: number;
  readonly standbyDriftPercent: number;
}

/** What could not be read of what a run decides by. */
export interface Unread {
  readonly isBaselineLost: boolean;
  /** Of runs that were stopped, what they wrote. */
  readonly areWritesUntold: boolean;
}

/** What an operator must know of a run before it writes, from its first look at the whole target. */
export function warningsOf(
  run: RestoreRun,
  { isBaselineLost, areWritesUntold }: Unread,
  { maxDeletePercent, standbyDriftPercent }: Bounds,
): string[] {
  const { found, baseline, request } = run;
  const { doomed = 0, goneSince = 0, absent = 0, drifted = 0 } = found?.plan ?? {};
  const warnings: string[] = [];
  if (isRepairInPlace(run) || request.purpose === 'rollback') return warnings;
  if (isBaselineLost || (baseline === undefined && found?.rows !== 0)) {
    const why = isBaselineLost
      ? 'The baseline of this pair of hubs cannot be read'
      : 'This pair of hubs has no baseline yet';
    warnings.push(`${why}: rows of the target that differ are of unknown origin and stay, and nothing is removed.`);
  }
  if (areWritesUntold) {
    warnings.push(
      'What a restore wrote that was stopped is not known, for its snapshot or its documents cannot be read, and counts as its devices’ own: what of it differs from this snapshot stays, as a conflict or of unknown origin. With --on-conflict overwrite conflicts are replaced.',
    );
  }
  if (found?.plan?.isAnotherForm === true) {
    warnings.push(
      'A hub writes most records in another form than when both hubs held the same, though their versions are as they were: that is not taken for changes by their devices.',
    );
  }
  if (!isWithinBounds(run, 'doomed', maxDeletePercent)) {
    warnings.push(
      `${counted(doomed, 'record')} of the target are no longer in the snapshot, more than MAX_DELETE_PERCENT (${maxDeletePercent}) allows: none is removed.`,
    );
  }
  if (!isWithinDrift(run, standbyDriftPercent)) {
    warnings.push(
      `${counted(drifted, 'record')} were changed in the target though the other hub was in use since both agreed, more than STANDBY_DRIFT_PERCENT (${standbyDriftPercent}) allows: both hubs were alive. They stay, nothing is removed, and the target does not become the hub in use. Decide with --on-conflict whether they are kept or overwritten.`,
    );
  }
  if (!isWithinBounds(run, 'goneSince', maxDeletePercent)) {
    warnings.push(
      `${counted(goneSince, 'record')} of this snapshot are missing in the newest one, more than MAX_DELETE_PERCENT (${maxDeletePercent}) allows: they are created.`,
    );
  }
  if (absent > 0) warnings.push(aboutAbsent(run, absent, maxDeletePercent));
  return warnings;
}

const NOTHING_TO_DECIDE = 'Nothing to decide.';

/** It says so itself: warnings are stored as texts. */
export function asksNothing(warning: string): boolean {
  return warning.endsWith(NOTHING_TO_DECIDE);
}

function aboutAbsent(run: RestoreRun, absent: number, maxDeletePercent: number): string {
  const missing = `Missing in the target: ${counted(absent, 'record')} that both hubs held`;
  if (!circumstancesOf(run).wasTargetInUse(0)) {
    return `${missing}. It was not in use, so no device deleted them: they are created again, unless it has another record of the same device. ${NOTHING_TO_DECIDE}`;
  }
  if (!isWithinBounds(run, 'absent', maxDeletePercent)) {
    const isEmptied = absent > (run.found?.plan?.records ?? 0);
    const most = isEmptied ? 'it still holds' : `MAX_DELETE_PERCENT (${maxDeletePercent}) allows`;
    const decision = isEmptied
      ? NOTHING_TO_DECIDE
      : 'Only if these devices are really gone: raise that setting before you restore.';
    return `${missing}. That is more than ${most}, so the hub lost them: they are created again, unless it has another record of the same device. ${decision}`;
  }
  return `${missing}. It has been in use: what devices deleted there since stays out. With --resurrect it is created again.`;
}
