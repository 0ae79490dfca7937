import { DrError } from '../../../core/errors.ts';
import type { RecordOfRows } from '../../../core/registration/record.ts';
import type { Outcome, WrittenOutcome } from '../../../core/restore/plan/outcomes.ts';
import type { Write } from '../../../core/restore/plan/plan.ts';
import type { Workers } from '../../stored/concurrent.ts';
import type { OpenOutcomes } from './open-outcomes.ts';
import type { RecordTallies } from './planner.ts';
import { type Caller, type OneAnswer, writeOne } from './write-one.ts';

/** A hub that refuses even ids it has just given out is not asked for ever. */
const MAX_NEW_IDS = 3;

/** What writing to the target for one shard needs. */
export interface Writer extends Caller {
  readonly outcomes: OpenOutcomes;
  /** Shared by the batches, so that one begins while the last of the one before are under way. */
  readonly workers: Workers;
  /** The records were written by a pass before, and did not appear. */
  readonly isRepair: boolean;
}

export interface DueWrite {
  /** Of the record in its shard. */
  readonly index: number;
  readonly outcome: WrittenOutcome;
  readonly writes: readonly Write[];
  /** Rows that became one with another. */
  readonly collapsed: number;
  readonly counted?: RecordTallies | undefined;
  /** No step before this one, and no pass, has tried to write the record. */
  readonly isFirstTry: boolean;
  /** The run had created the record, which now is left to its device. */
  readonly takesBack: boolean;
  /** What lives there before. */
  readonly undo?: RecordOfRows | undefined;
}

/** Whether another call may begin. */
export function mayWrite({ app, workers, deadlineAt, endWatch }: Writer): boolean {
  return !workers.isStopped() && app.world.now() < deadlineAt && !endWatch.mustStop();
}

/**
 * Writes what is due, and again under new ids what the hub refused the ids of. What time does not suffice for stays
 * open: another step takes it up.
 */
export async function writeBatch(work: Writer, due: readonly DueWrite[]): Promise<void> {
  const { idMap, workers, deadlineAt } = work;
  let refused: DueWrite[] = [];
  await workers.forEach(due, async (one) => {
    const answer = idMap.mustMap(one.writes) ? undefined : await writeAndSettle(work, one);
    if (answer !== 'settled') refused.push(answer === undefined ? one : afterRefusal(one, answer));
    else await work.outcomes.saveIfDue();
  });
  for (let tries = 1; refused.length > 0 && mayWrite(work); tries++) {
    const mapped = refused;
    refused = [];
    await idMap.map(
      mapped.flatMap((one) => one.writes),
      deadlineAt,
    );
    await workers.forEach(mapped, async (one) => {
      const answer = await writeAndSettle(work, one, 'again');
      if (answer === 'settled') return;
      // An id the hub has just given out is not what it dislikes about a 400.
      if (answer.status !== 400 && tries < MAX_NEW_IDS) refused.push(afterRefusal(one, answer));
      else work.outcomes.fail(one.index, { code: 'Rejected', status: answer.status }, answer.isUntouched);
    });
  }
}

/** Its rows before the one whose id was refused are written: the same again is not its device's own. */
function afterRefusal(due: DueWrite, { isUntouched }: RecordAnswer): DueWrite {
  return { ...due, isFirstTry: due.isFirstTry && isUntouched };
}

/** Out of time, or when the run is over, a record stays open: another step takes it up, if there is one. */
async function writeAndSettle(
  work: Writer,
  due: DueWrite,
  tries: 'first' | 'again' = 'first',
): Promise<'settled' | Extract<RecordAnswer, { kind: 'idRefused' }>> {
  const { outcomes } = work;
  const { index, outcome, collapsed } = due;
  // Writes may take long: a look from before the last one tells nothing of a run that was cancelled during it.
  if (!mayWrite(work) || (await work.endWatch.mustStopNow())) return 'settled';
  const answer = await writeRecord(work, due);
  switch (answer.kind) {
    case 'written':
      if (due.takesBack) settleTakenBack(outcomes, index);
      else if (outcome === 'removed') outcomes.settleRemoval(index, isAnswered(due) ? 'answered' : 'asked');
      else if (tries === 'first' && isRaced(due, answer)) outcomes.settleRaced(index);
      else outcomes.settleAs(index, outcome);
      outcomes.count('duplicatesCollapsed', collapsed);
      outcomes.countAll(due.counted);
      outcomes.count('repaired', work.isRepair && !due.takesBack ? 1 : 0);
      return 'settled';
    case 'rejected':
      outcomes.fail(index, { code: answer.reason, status: answer.status }, answer.isUntouched);
      return 'settled';
    case 'changed':
      // Its device was faster. What was written in part is looked at again by the next pass.
      outcomes.settleAs(
        index,
        outcome === 'removed' || due.takesBack || answer.isUntouched ? outcomeWhenChanged(outcome) : outcome,
      );
      outcomes.count('repaired', work.isRepair ? 1 : 0);
      // A rollback looks again: what the look before had passed over may be the restore's own.
      outcomes.count('unconfirmed', outcome === 'removed' || outcome === 'putBack' ? 1 : 0);
      return 'settled';
    case 'stopped':
      return 'settled';
    case 'idRefused':
      return answer;
    default:
      return answer satisfies never;
  }
}

function settleTakenBack(outcomes: OpenOutcomes, index: number): void {
  outcomes.settleAs(index, 'keptLive');
  outcomes.count('takenBack', 1);
}

/** An answer about a row says what became of it; a written installation is queued. */
function isAnswered({ writes }: DueWrite): boolean {
  return writes.every(({ kind }) => kind === 'rowDeletion');
}

/** Only this call has written it, and something was there. */
function isRaced({ outcome, isFirstTry }: DueWrite, { isReplaced }: Extract<RecordAnswer, { kind: 'written' }>) {
  return outcome === 'created' && isFirstTry && isReplaced === true;
}

function outcomeWhenChanged(outcome: WrittenOutcome): Outcome {
  return outcome === 'withdrawn' ? 'leftover' : 'keptLive';
}

/**
 * Writes one record's rows in turn; the first answer that is not `written` is the record's. A hub that refuses the
 * first one for what it is has written nothing; about a refused id, or a row that changed before a repeated call, that
 * is not certain: the answer to an earlier call may be lost.
 */
async function writeRecord(work: Writer, { index, writes, isFirstTry }: DueWrite): Promise<RecordAnswer> {
  const { idMap, endWatch, outcomes } = work;
  const attempt = { isFirstTry, send: () => outcomes.send(index) };
  let isFirst = true;
  let isReplaced = false;
  for (const write of writes) {
    if (!isFirst && (await endWatch.mustStopNow())) return STOPPED;
    const answer = await writeOne(work, write, attempt).catch((error: unknown) => {
      if (isFirst && error instanceof DrError && error.hasNoEffect) outcomes.unsend(index);
      throw error;
    });
    if (answer.kind === 'stopped') return STOPPED;
    if (write.kind === 'registration' && write.over === undefined) idMap.noteAnswer(write.id, answer);
    if (answer.kind !== 'written') {
      const isCertain =
        answer.kind === 'changed' ? !answer.isRetried : answer.kind !== 'idRefused' || answer.status === 400;
      return { ...answer, isUntouched: isFirstTry && isFirst && isCertain };
    }
    isFirst = false;
    isReplaced ||= answer.isReplaced === true;
  }
  return isReplaced ? REPLACED : WRITTEN;
}

const WRITTEN: RecordAnswer = { kind: 'written', isUntouched: false };
const REPLACED: RecordAnswer = { kind: 'written', isUntouched: false, isReplaced: true };
const STOPPED: RecordAnswer = { kind: 'stopped', isUntouched: false };

type RecordAnswer = OneAnswer & { readonly isUntouched: boolean };
