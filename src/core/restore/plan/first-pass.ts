import { isShownAs } from '../../baseline/agree.ts';
import { type BaselineRecord, type Entry, entryOf, hasExpired, isReworded, type Side } from '../../baseline/record.ts';
import { type Shown, shownIn } from '../../fingerprint/shown.ts';
import { isInPlace, isPartial } from '../../registration/expected.ts';
import type { RecordOfRows } from '../../registration/record.ts';
import { hasRepairTag, type Registration } from '../../registration/registration.ts';
import { type Circumstances, decideByTable, type RecordView } from './decision-table.ts';
import {
  endsSoon,
  isShorterThan,
  type Planning,
  planCreation,
  planMissing,
  planMove,
  planRenewal,
  planUpdate,
} from './first-writes.ts';
import type { Outcome, WrittenOutcome } from './outcomes.ts';
import type { Write } from './write.ts';

/** What the first pass makes of one record of the snapshot. */
export type FirstPlan =
  | { readonly kind: 'settled'; readonly outcome: Outcome }
  /** It was agreed on, and its absence in the target is not taken for its device's own word. */
  | {
      readonly kind: 'write';
      readonly outcome: WrittenOutcome;
      readonly writes: readonly Write[];
      readonly isAbsenceVoid?: true;
    }
  | Extract<ReturnType<typeof planCreation>, string>;

export interface FirstPass extends Planning {
  readonly around: Circumstances;
  /** When the snapshot was read. */
  readonly readAt: number;
  /** It holds what was taken back since. */
  readonly isUndone: boolean;
  readonly nowMs: number;
  readonly overwrites: boolean;
  /** A hub writes most records in another form than when they were agreed on. */
  readonly isAnotherForm: boolean;
  /** Its device is there under another key, which is ours and stays: that is for another run to move. */
  isHeld(row: Registration): boolean;
}

/** A record of the snapshot, and what it shows by its fingerprint. */
export interface WantedRecord {
  readonly record: RecordOfRows;
  readonly shown: Shown;
  /** An older snapshot was chosen, and the newest one no longer holds it. */
  readonly isGoneSince: boolean;
  /** What lives in the target was there before the source came into use. */
  readonly isFromBefore: boolean;
  /** The target has confirmed a write of the device's backend since the snapshot was read. */
  readonly isSpokenSince: boolean;
}

/** Decides by the table about one record that the snapshot holds, and plans what is to be written for it. */
export function planFirst(
  wanted: WantedRecord,
  live: RecordOfRows | undefined,
  before: BaselineRecord,
  pass: FirstPass,
): FirstPlan {
  const { record, isGoneSince, isFromBefore } = wanted;
  const view = viewOf(wanted, live, before, pass);
  const { row, outcome } = decideByTable(view, { ...pass.around, isGoneSince, isFromBefore });
  if (live === undefined) return planAbsent(record, outcome === 'created', row === '10', pass);
  const update = (): FirstPlan => toPlan('updated', planUpdate(record, live, pass));
  // Earlier versions left a tag of their own: what it is on is as they wrote it.
  if (live.rows.some(({ tags }) => hasRepairTag(tags))) return update();
  switch (outcome) {
    case 'unchanged':
      return planInPlace(record, live, view, pass);
    case 'updated':
    case 'sourceWins':
      return update();
    case 'conflict':
      return pass.overwrites ? update() : { kind: 'settled', outcome: 'conflict' };
    case 'keptLive':
    case 'unknownOrigin': {
      const missing = planMissing(record, live, pass);
      return missing === undefined ? { kind: 'settled', outcome } : toPlan('updated', missing);
    }
    default:
      throw new TypeError(`A record that both hold cannot be ${outcome}.`);
  }
}

function planAbsent(record: RecordOfRows, isWanted: boolean, isAbsenceVoid: boolean, pass: FirstPass): FirstPlan {
  if (!isWanted) return { kind: 'settled', outcome: 'goneInTarget' };
  // Its device registered again under another key, or another device has its registration id.
  if (record.rows.some(pass.elsewhere.isTaken)) return { kind: 'settled', outcome: 'keptLive' };
  if (record.rows.some(pass.isHeld)) return { kind: 'settled', outcome: 'conflict' };
  const plan = toPlan('created', planCreation(record, pass));
  return isAbsenceVoid && typeof plan === 'object' && plan.kind === 'write' ? { ...plan, isAbsenceVoid } : plan;
}

/** The same in both: it may have to live longer, or under the snapshot's registration ids where its row is ours. */
function planInPlace(record: RecordOfRows, live: RecordOfRows, view: RecordView, pass: FirstPass): FirstPlan {
  const { agreed, liveVersion } = view;
  const entry = entryOf({ agreed });
  const isOurs = entry?.target.version === liveVersion;
  const move = isOurs ? planMove(record, live, pass, entry?.target.isOwn) : undefined;
  if (move !== undefined) return { kind: 'write', outcome: 'moved', writes: move };
  if (mayWait(entry, view, pass) && !endsSoon(live, pass)) return { kind: 'settled', outcome: 'unchanged' };
  if (isShorterThan(live, record, pass)) return toPlan('renewed', planRenewal(record, live, pass));
  return { kind: 'settled', outcome: 'unchanged' };
}

/**
 * A standby that gives its rows a shorter life than the hub in use does shows them as short again after each renewal: a
 * sync that finds both hubs as they were agreed on waits until the row ends soon.
 */
function mayWait(entry: Entry | undefined, { wantedVersion, liveVersion }: RecordView, { around }: FirstPass): boolean {
  return around.purpose === 'sync' && entry?.source.version === wantedVersion && entry?.target.version === liveVersion;
}

function toPlan(outcome: WrittenOutcome, writes: ReturnType<typeof planCreation>): FirstPlan {
  return typeof writes === 'string' ? writes : { kind: 'write', outcome, writes };
}

function viewOf(
  given: WantedRecord,
  live: RecordOfRows | undefined,
  { agreed, note }: BaselineRecord,
  pass: FirstPass,
): RecordView {
  const { record } = given;
  const { readAt, nowMs } = pass;
  const entry = entryOf({ agreed });
  const wanted = asMoved(given.shown, entry?.source, pass);
  const shown = live === undefined ? undefined : asMoved(shownIn(live.rows), entry?.target, pass);
  const isLive = entry !== undefined && isShownAs(entry.target, shown);
  const isWanted = entry !== undefined && isShownAs(entry.source, wanted);
  return {
    readAt,
    wantedVersion: wanted.version,
    liveVersion: shown?.version,
    isSame: live !== undefined && (isUntouched(entry, wanted, shown) || isInPlace(record, live)),
    agreed,
    agreedContent: isLive ? 'live' : isWanted ? 'wanted' : 'other',
    isExpired: hasExpired(entry, nowMs),
    note,
    isUnsure: pass.isUndone || isPartial(record),
    isSpokenSince: given.isSpokenSince,
  };
}

/** A version that equals none, where what shows is another row than the one of that version. */
function asMoved(shown: Shown, side: Side | undefined, { isAnotherForm }: FirstPass): Shown {
  const isOther = side !== undefined && !isAnotherForm && isReworded(side, shown);
  return isOther ? { ...shown, version: Number.NaN } : shown;
}

/** Neither hub has changed it since they agreed: then their texts say the same, in whatever form they are listed. */
function isUntouched(entry: Entry | undefined, wanted: Shown, live: Shown | undefined): boolean {
  return entry !== undefined && entry.source.version === wanted.version && entry.target.version === live?.version;
}
