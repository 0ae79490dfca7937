import { isReworded } from '../../../core/baseline/record.ts';
import { recordVersionOf, versionOfRows } from '../../../core/fingerprint/row.ts';
import { type Shown, shownIn } from '../../../core/fingerprint/shown.ts';
import type { CallOptions } from '../../../core/ports.ts';
import type { RecordOfRows } from '../../../core/registration/record.ts';
import { isShorterThan, planWithdrawal } from '../../../core/restore/plan/first-writes.ts';
import type { PassDecision } from '../../../core/restore/plan/later-pass.ts';
import type { WrittenOutcome } from '../../../core/restore/plan/outcomes.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { once } from '../../stored/once.ts';
import { readUndo } from '../outcomes/undo.ts';
import { openFirstPlanner } from './first-planner.ts';
import { LOOKING_FROM } from './next-pass.ts';
import type { OpenComparison, Planned } from './planner.ts';

/**
 * What the first pass saw, and what of it shows again: what was to be changed or withdrawn, and is as it was before, the
 * hub has not carried out yet, and it is due again.
 */
export interface LookBack {
  /** Of a record of the snapshot; `versions` are those that the hub shows of `found`. Nothing where it is not so. */
  unapplied(
    index: number,
    earlier: WrittenOutcome,
    versions: readonly number[] | undefined,
    found: RecordOfRows | undefined,
  ): PassDecision | undefined;
  /** The same of what the first listing had passed over, or a row of it: the hub had shown it when it was asked. */
  stillAsBefore(
    earlier: WrittenOutcome,
    index: number,
    found: RecordOfRows | undefined,
    call: CallOptions,
  ): Promise<PassDecision | undefined>;
  /** Of a record of the snapshot, by the versions of the rows that it had. */
  versionsAt(index: number): readonly number[];
  /** Whether the snapshot does not hold the record, which was to go. */
  isExtra(index: number): boolean;
  /** What the listing that this pass goes by shows of such a one, and all that it had before. */
  extraAt(index: number): RecordOfRows | undefined;
  extraBefore(index: number): Promise<RecordOfRows | undefined>;
  /** What is to be made of it: it is gone, or came again. */
  withdrawn(index: number, found: RecordOfRows | undefined): PassDecision;
}

export async function openLookBack(app: App, run: RestoreRun, opened: OpenComparison): Promise<LookBack> {
  const { fingerprints, records, live } = opened;
  const lifetime = { expiryFloorAtMs: Date.parse(run.request.expiryFloorAt) };
  // A hub may keep the version of what is sent to it unchanged.
  const isRenewed = (index: number, found: RecordOfRows | undefined): boolean =>
    found !== undefined && !isShorterThan(found, records.at(index), lifetime);
  const mayBeDue = (index: number, earlier: WrittenOutcome, found: RecordOfRows | undefined): boolean =>
    earlier !== 'created' && !(earlier === 'renewed' && isRenewed(index, found));
  const isLastPass = run.phase.pass >= LOOKING_FROM;
  const first = await opened.openFirstComparison();
  // The hub may have shown more of a record when it was asked than its listing does.
  const shown = new Map<string, RecordOfRows>();
  const liveNow = { ...live, get: (key: string) => shown.get(key) ?? live.get(key) };
  const planFirst = await openFirstPlanner(app, run, { ...opened, comparison: first, live: liveNow });
  const unapplied: LookBack['unapplied'] = (index, earlier, versions, found) => {
    const isAsListed =
      versions !== undefined && recordVersionOf(versions) === recordVersionOf(first.versionHashesAt(index));
    if (!isAsListed || !mayBeDue(index, earlier, found)) return undefined;
    if (found !== undefined) shown.set(found.key, found);
    return isLastPass ? NOT_APPLIED : dueAgain(earlier, planFirst(index, undefined, undefined));
  };
  const openUndo = once(() => readUndo(app, run, opened.shard));
  const stillAsBefore: LookBack['stillAsBefore'] = async (earlier, index, found, call) => {
    if (found === undefined || !mayBeDue(index, earlier, found)) return undefined;
    const before = (await openUndo()).get(found.key)?.before;
    if (before === undefined || versionOfRows(before.rows) !== versionOfRows(found.rows)) return undefined;
    if (isLastPass) return NOT_APPLIED;
    const planned = planFirst(index, undefined, undefined);
    return dueAgain(earlier, await (planned.ask?.(call) ?? planned));
  };
  const extraOf = (index: number) => first.extras[index - fingerprints.count];
  const extraAt: LookBack['extraAt'] = (index) => live.find(extraOf(index)?.keyHash ?? Number.NaN);
  return {
    unapplied,
    stillAsBefore,
    versionsAt: (index) => first.versionHashesAt(index),
    isExtra: (index) => index >= fingerprints.count,
    extraAt,
    async extraBefore(index) {
      const key = extraAt(index)?.key;
      return key === undefined ? undefined : (await openUndo()).get(key)?.before;
    },
    withdrawn(index, found) {
      if (found === undefined) return { kind: 'settled', outcome: 'withdrawn', hasChangedSince: false };
      if (!isSame(extraOf(index), shownIn(found.rows)))
        return { kind: 'settled', outcome: 'leftover', hasChangedSince: true };
      return isLastPass ? NOT_APPLIED : { kind: 'write', outcome: 'withdrawn', writes: planWithdrawal(found) };
    },
  };
}

const NOT_APPLIED: PassDecision = { kind: 'failed', code: 'NotApplied' };

function dueAgain(earlier: WrittenOutcome, { decision }: Planned): PassDecision {
  return decision.kind === 'write' ? { ...decision, outcome: earlier } : decision;
}

/** What its device has registered again under its id may have the version of the row before. */
function isSame(before: Shown | undefined, now: Shown): boolean {
  return before !== undefined && before.version === now.version && !isReworded(before, now);
}
