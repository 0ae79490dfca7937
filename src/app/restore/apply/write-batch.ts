import { DrError, RecordFault } from '../../../core/errors.ts';
import type { RecordOfRows } from '../../../core/registration/record.ts';
import { isLong } from '../../../core/restore/partly.ts';
import { isWrittenOutcome, type Outcome, outcomeOf, type WrittenOutcome } from '../../../core/restore/plan/outcomes.ts';
import type { Write } from '../../../core/restore/plan/write.ts';
import type { Workers } from '../../stored/concurrent.ts';
import { LOOKING_FROM } from './next-pass.ts';
import type { OpenOutcomes } from './open-outcomes.ts';
import type { RecordTallies } from './planner.ts';
import { shows } from './shows.ts';
import { type Caller, type OneAnswer, writeOne } from './write-one.ts';

/** A hub that refuses even ids it has just given out is not asked for ever. */
const MAX_NEW_IDS = 3;
/** So often a record that the hub fails at is tried again, among others and ever later. */
const MAX_ROUNDS = 4;
const FIRST_ROUND_MS = 1000;
/** One that it does not answer about, which takes seconds each time. */
const SILENT_ROUNDS = 2;
/** A hub that has carried out no such call of late is waited for so long before a record is set aside. */
const DOUBTED_MS = 5 * 60_000;

/** What writing to the target for one shard needs. */
export interface Writer extends Caller {
  readonly outcomes: OpenOutcomes;
  /** Shared by the batches, so that one begins while the last of the one before are under way. */
  readonly workers: Workers;
  /** The same for records that the hub has failed at: what it never answers about must not keep others waiting. */
  readonly again: Workers;
  /** The records were written by a pass before, and did not appear. */
  readonly isRepair: boolean;
  /** When the step began (epoch ms). */
  readonly openedAt: number;
  /** How long it has waited without progress. */
  readonly waitedMs: number;
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
export function mayWrite(work: Writer): boolean {
  return work.app.world.now() < work.deadlineAt && !isStopped(work);
}

function isStopped({ workers, again, endWatch }: Writer): boolean {
  return workers.isStopped() || again.isStopped() || endWatch.mustStop();
}

/**
 * Writes what is due, then again under new ids what the hub refused the ids of, and a few times more what it failed at
 * while it served others. What time does not suffice for stays open: another step takes it up.
 */
export async function writeBatch(work: Writer, due: readonly DueWrite[]): Promise<void> {
  const { idMap, workers, deadlineAt, openedAt, app } = work;
  const { world } = app;
  const startedAt = world.now();
  let refused: DueWrite[] = [];
  let failing: Failing[] = [];
  const write = async (one: DueWrite, tries: Tries): Promise<void> => {
    const answer = tries === 'first' && idMap.mustMap(one.writes) ? UNMAPPED : await writeAndSettle(work, one, tries);
    if (answer === 'settled') await work.outcomes.saveIfDue();
    else if (answer instanceof RecordFault) {
      failing.push({ due: afterRefusal(one, answer.hasNoEffect), fault: answer });
    }
    // An id the hub has just given out is not what it dislikes about a 400.
    else if (tries === 'first' || (answer.status !== 400 && newIds < MAX_NEW_IDS))
      refused.push(afterRefusal(one, answer.isUntouched));
    else work.outcomes.fail(one.index, { code: 'Rejected', status: answer.status }, answer.isUntouched);
  };
  let newIds = 0;
  const writeUnderNewIds = async (): Promise<void> => {
    for (newIds = 1; refused.length > 0 && mayWrite(work); newIds++) {
      const mapped = refused;
      refused = [];
      await idMap.map(
        mapped.flatMap((one) => one.writes),
        deadlineAt,
      );
      await workers.forEach(mapped, (one) => write(one, 'again'));
    }
  };
  await workers.forEach(due, (one) => write(one, 'first'));
  await writeUnderNewIds();
  let roundAt = world.now();
  for (let round = 1; failing.length > 0 && round <= MAX_ROUNDS; round++) {
    // What the hub leaves without an answer has waited long enough meanwhile.
    const waitMs = roundAt + FIRST_ROUND_MS * 2 ** (round - 1) - world.now();
    await world.sleep(Math.max(0, Math.min(waitMs, (deadlineAt - world.now()) / 4)));
    if (!mayWrite(work)) {
      // Half a step's time was not enough for it: the next step's would not be either.
      if (!isStopped(work) && 2 * (world.now() - startedAt) >= deadlineAt - openedAt) break;
      return;
    }
    const again = failing.filter(({ fault }) => !(fault.isSilent && round > SILENT_ROUNDS));
    const over = failing.filter((one) => !again.includes(one));
    failing = [];
    newIds = 0;
    roundAt = world.now();
    await work.again.forEach(again, (one) => write(one.due, 'again'));
    await writeUnderNewIds();
    failing.push(...over);
  }
  await work.again.forEach(failing, async ({ due: one, fault }) => {
    if (mayBeCarriedOut(work, one, fault) && (await shows(work, one.writes))) settleWritten(work, one);
    else setAside(work, one, fault);
  });
  if (work.run.phase.pass === LOOKING_FROM - 1) await noteShown(work, due);
}

/** Answered with a failure, and yet done: that there is an installation says so only where there was none. */
function mayBeCarriedOut({ isRepair }: Writer, { outcome, writes }: DueWrite, { retryable, hasNoEffect }: RecordFault) {
  const isCertain = (outcome === 'created' && !isRepair) || writes.every(({ kind }) => kind !== 'installation');
  return retryable && !hasNoEffect && isCertain;
}

/** A written installation is there by then. */
const APPLIED_MS = 2000;

/**
 * After the last write of what did not show before: what shows now, and is gone when the next pass looks, was removed by
 * the service, as it does with devices that a push service calls gone.
 */
async function noteShown(work: Writer, due: readonly DueWrite[]): Promise<void> {
  const { outcomes, workers, app, deadlineAt } = work;
  const written = due.filter(
    ({ index, takesBack }) => !takesBack && isWrittenOutcome(outcomeOf(outcomes.letters()[index])),
  );
  if (written.length === 0) return;
  await app.world.sleep(Math.max(0, Math.min(APPLIED_MS, (deadlineAt - app.world.now()) / 4)));
  await workers.forEach(written, async ({ index, writes }) => {
    if (mayWrite(work) && (await shows(work, writes))) outcomes.noteShown(index);
  });
}

interface Failing {
  readonly due: DueWrite;
  readonly fault: RecordFault;
}

/** Throws the fault where it may be the hub's all the same. */
export function setAside(
  { outcomes, waitedMs }: Writer,
  { index, isFirstTry }: Pick<DueWrite, 'index' | 'isFirstTry'>,
  fault: RecordFault,
): void {
  if (!fault.isSure && waitedMs < DOUBTED_MS) throw fault;
  const { status, words, retryable, hasNoEffect } = fault;
  const code = retryable ? 'NotServed' : 'Rejected';
  outcomes.fail(
    index,
    { code, ...(status === undefined ? {} : { status }), ...(words === undefined ? {} : { words }) },
    isFirstTry && hasNoEffect,
  );
}

/** Its rows before the one whose id was refused are written: the same again is not its device's own. */
function afterRefusal(due: DueWrite, isUntouched: boolean): DueWrite {
  return { ...due, isFirstTry: due.isFirstTry && isUntouched };
}

/** Out of time, or when the run is over, a record stays open: another step takes it up, if there is one. */
async function writeAndSettle(
  work: Writer,
  due: DueWrite,
  tries: Tries,
): Promise<'settled' | RecordFault | Extract<RecordAnswer, { kind: 'idRefused' }>> {
  const { outcomes } = work;
  const { index, outcome } = due;
  // Writes may take long: a look from before the last one tells nothing of a run that was cancelled during it.
  if (!mayWrite(work) || (await work.endWatch.mustStopNow())) return 'settled';
  const answer = await writeRecord(work, due).catch((error: unknown) => {
    if (error instanceof RecordFault) return error;
    throw error;
  });
  if (answer instanceof RecordFault) {
    if (answer.retryable) return answer;
    setAside(work, due, answer);
    return 'settled';
  }
  switch (answer.kind) {
    case 'written':
      settleWritten(work, due, tries === 'first' && isRaced(due, answer));
      return 'settled';
    case 'rejected':
      outcomes.fail(index, failureOf(answer), answer.isUntouched);
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

function settleWritten({ outcomes, isRepair }: Writer, due: DueWrite, wasRaced = false): void {
  const { index, outcome, takesBack } = due;
  if (takesBack) settleTakenBack(outcomes, index);
  else if (outcome === 'removed') outcomes.settleRemoval(index, isAnswered(due) ? 'answered' : 'asked');
  else if (wasRaced) outcomes.settleRaced(index);
  else outcomes.settleAs(index, outcome);
  outcomes.count('duplicatesCollapsed', due.collapsed);
  outcomes.countAll(due.counted);
  outcomes.count('repaired', isRepair && !takesBack ? 1 : 0);
}

function failureOf({ reason, status, words }: Extract<RecordAnswer, { kind: 'rejected' }>) {
  return { code: reason, status, ...(words === undefined ? {} : { words }) };
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
  const isContinued = isLong(writes);
  let done = isContinued ? outcomes.answeredBefore(index, writes) : 0;
  let isFirst = done === 0;
  let isReplaced = false;
  for (const write of writes.slice(done)) {
    if (!isFirst && (await endWatch.mustStopNow())) return STOPPED;
    if (!isFirst && isContinued && !mayWrite(work)) return STOPPED;
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
    done += 1;
    if (!isContinued) continue;
    outcomes.noteAnswered(index, writes, done);
    await outcomes.saveIfDue();
  }
  return isReplaced ? REPLACED : WRITTEN;
}

const UNMAPPED = { kind: 'idRefused', status: 410, isUntouched: true } as const;
const WRITTEN: RecordAnswer = { kind: 'written', isUntouched: false };
const REPLACED: RecordAnswer = { kind: 'written', isUntouched: false, isReplaced: true };
const STOPPED: RecordAnswer = { kind: 'stopped', isUntouched: false };

type Tries = 'first' | 'again';
type RecordAnswer = OneAnswer & { readonly isUntouched: boolean };
