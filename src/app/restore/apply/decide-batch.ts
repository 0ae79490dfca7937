import { RecordFault } from '../../../core/errors.ts';
import { intentOf, isWrittenOutcome, type Outcome, outcomeOf } from '../../../core/restore/plan/outcomes.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { OpenOutcomes } from './open-outcomes.ts';
import type { Planned } from './planner.ts';
import { type DueWrite, mayWrite, setAside, type Writer } from './write-batch.ts';
import type { JournalWriter } from './write-journal.ts';

/** Decided about without a pause: some milliseconds in which this process answers no call. */
const DECIDED_AT_ONCE = 250;
/**
 * Of a step's time left, for questions about one batch: an answer holds for this step only, and to act on it takes two
 * more calls, another question right before the write and the write.
 */
const ASKING_SHARE = 1 / 3;

/** Decides about the next records until there are enough to write, or to ask for. */
export async function decideBatch(
  work: Writer & JournalWriter,
  positions: Iterator<number>,
  size: number,
): Promise<{ readonly due: readonly DueWrite[]; readonly isLast: boolean }> {
  const due: DueWrite[] = [];
  const unseen: { readonly index: number; readonly planned: Planned; readonly ask: NonNullable<Planned['ask']> }[] = [];
  const carryOut = (index: number, planned: Planned): void => {
    const write = toDueWrite(work, index, planned);
    if (write !== undefined) due.push(write);
  };
  let isLast = false;
  for (let count = 1; due.length + unseen.length < size; count++) {
    const { value: index, done } = positions.next();
    isLast = done === true;
    if (done) break;
    const planned = planOpen(work, index);
    if (planned?.ask !== undefined) unseen.push({ index, planned, ask: planned.ask });
    else if (planned !== undefined) carryOut(index, planned);
    if (count % DECIDED_AT_ONCE === 0 && due.length < size) await work.app.world.nextTurn();
  }
  const { world } = work.app;
  const askUntil = world.now() + ASKING_SHARE * (work.deadlineAt - world.now());
  await work.workers.forEach(unseen, async ({ index, planned, ask }) => {
    if (!mayWrite(work) || world.now() >= askUntil) return;
    const asked = await askPatiently(work, index, ask);
    if (asked === undefined) return;
    carryOut(index, isBegun(work, index) && !isAsIntended(work, index, asked) ? planned : asked);
    work.asked.add(index);
  });
  return { due, isLast };
}

/** Nothing where the hub fails at this record alone, which then is set aside. */
async function askPatiently(
  work: Writer & JournalWriter,
  index: number,
  ask: NonNullable<Planned['ask']>,
): Promise<Planned | undefined> {
  try {
    return await ask({ deadlineAt: work.deadlineAt });
  } catch (error) {
    if (!(error instanceof RecordFault)) throw error;
    setAside(work, { index, isFirstTry: isFirstTry(work, index) }, error);
    return undefined;
  }
}

function isFirstTry({ before, outcomes }: Writer & JournalWriter, index: number): boolean {
  return before === undefined && intentOf(outcomes.letters()[index]) === undefined;
}

/** A restore looks after what it wrote, a rollback after all that it is about. */
export function isLookedAtAgain({ request }: RestoreRun, outcome: Outcome | undefined): boolean {
  return (
    isWrittenOutcome(outcome) || (request.purpose === 'rollback' && (outcome === 'unchanged' || outcome === 'keptLive'))
  );
}

/** A step before this one may have written some of the record: what the hub shows of that is no device's, and settles nothing. */
function isBegun({ run, outcomes, before }: JournalWriter, index: number): boolean {
  return (
    before === undefined && run.request.purpose !== 'rollback' && intentOf(outcomes.letters()[index]) !== undefined
  );
}

/** The hub shows the record as it was when that step began. */
function isAsIntended({ outcomes }: Writer, index: number, { decision }: Planned): boolean {
  return decision.kind === 'write' && decision.outcome === intentOf(outcomes.letters()[index]);
}

/** What the pass makes of a record; nothing when its outcome is known without a plan. */
function planOpen({ run, plan, outcomes, before }: Writer & JournalWriter, index: number): Planned | undefined {
  const letter = before?.letters[index];
  const outcomeBefore = outcomeOf(letter);
  if (outcomeBefore !== undefined && !isLookedAtAgain(run, outcomeBefore)) {
    // Not written by this run: what happened to it in the target since is its device's own doing.
    outcomes.settleAs(index, outcomeBefore);
    return undefined;
  }
  if (intentOf(outcomes.letters()[index]) === 'removed') {
    // Whether a step that died had removed it, the next pass sees; its device may have registered again since the look.
    outcomes.settleRemoval(index, 'begun');
    outcomes.count('unconfirmed', 1);
    return undefined;
  }
  return plan(index, isWrittenOutcome(outcomeBefore) ? outcomeBefore : undefined, letter);
}

/** What is to be written for a record; nothing when it is settled. */
function toDueWrite(work: Writer & JournalWriter, index: number, planned: Planned): DueWrite | undefined {
  const { outcomes, noted } = work;
  const { decision, collapsed, counted, addedRows, undo } = planned;
  noted?.set(index, planned.noted);
  if (decision.kind !== 'write' && decision.kind !== 'takeBack') {
    settle(outcomes, index, planned);
    return undefined;
  }
  const takesBack = decision.kind === 'takeBack';
  const outcome = decision.kind === 'takeBack' ? 'created' : decision.outcome;
  const isFirst = isFirstTry(work, index);
  outcomes.begin(index, outcome, addedRows);
  return { index, outcome, writes: decision.writes, collapsed, counted, isFirstTry: isFirst, takesBack, undo };
}

/** Settles a record of which nothing is to be written. */
function settle(outcomes: OpenOutcomes, index: number, planned: Planned): void {
  const { decision, collapsed, counted, removal, unconfirmed, isAltered, isLost } = planned;
  outcomes.count('duplicatesCollapsed', collapsed);
  if (decision.kind === 'failed') outcomes.fail(index, { code: decision.code });
  if (decision.kind !== 'settled') return;
  outcomes.countAll(counted);
  if (isLost) outcomes.settleLost(index);
  else if (removal === undefined) outcomes.settleAs(index, decision.outcome);
  else outcomes.settleRemoval(index, removal);
  outcomes.count('changedSince', decision.hasChangedSince ? 1 : 0);
  outcomes.count('altered', isAltered ? 1 : 0);
  outcomes.count('unconfirmed', unconfirmed === undefined ? 0 : 1);
  outcomes.count('tooEarly', unconfirmed === 'tooEarly' ? 1 : 0);
}
