import { DrError } from '../../../core/errors.ts';
import { recordsMade } from '../../../core/restore/import-job.ts';
import { intentOf, outcomeOf, type ShardOutcomes, withMissingAsWritten } from '../../../core/restore/plan/outcomes.ts';
import { isNearlyAllRefused } from '../../../core/run/amounts.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import { type App, type HeldStep, hubOf } from '../../app.ts';
import type { Moved } from '../../runs/dispatch.ts';
import { watchEnd } from '../../runs/end-watch.ts';
import { isSurelyOpen, withOthers } from '../../runs/shard-phase.ts';
import { Superseded } from '../../runs/store.ts';
import { isAgainstRole, isSync } from '../../runs/sync-rests.ts';
import { createWorkers } from '../../stored/concurrent.ts';
import type { Found } from '../../stored/document.ts';
import { type HandOver, openHandOver } from '../imports/hand-over.ts';
import { type ImportJob, moveImport, openImport } from '../imports/job.ts';
import { withMadeIds } from '../imports/made-ids.ts';
import { acknowledgeEnd } from '../outcomes/acknowledge-end.ts';
import { supersede, TARGET_IN_USE } from '../outcomes/end-sync.ts';
import { openIdMap } from '../outcomes/id-map.ts';
import { type Journal, readAsked } from '../outcomes/journal.ts';
import { countLostTime } from '../outcomes/lost-time.ts';
import { readFinishedOutcomes, readOutcomes } from '../outcomes/store.ts';
import { storeUndo } from '../outcomes/undo.ts';
import { readFailedBefore } from '../outcomes/written.ts';
import { closeBaselineShard } from './close-baseline.ts';
import { closeRollbackShard } from './close-rollback.ts';
import { decideBatch, isLookedAtAgain } from './decide-batch.ts';
import { LAST_PASS, moveToNextPass, refuseNearlyAll } from './next-pass.ts';
import { type OpenOutcomes, openOutcomes } from './open-outcomes.ts';
import type { Planned } from './planner.ts';
import { openRestorePlanner } from './restore-planner.ts';
import { openRollbackPlanner } from './rollback-planner.ts';
import { openShardReads, type ShardReads } from './shard-reads.ts';
import { groupsOf } from './waves.ts';
import { type DueWrite, mayWrite, setAside, type Writer, writeBatch } from './write-batch.ts';
import { type JournalWriter, keepAsked, keepsJournal, noteRest, writeJournal } from './write-journal.ts';

/**
 * Outcomes are saved, and a cancelled run noticed, each time that this many more records are about to be written: as
 * many as are written in about a second, within these bounds.
 */
const BATCH = { least: 500, most: 2000, quickMs: 500, slowMs: 2000 };

/**
 * Brings one shard of the target to what the run wants of it, within the step's time. The first pass writes what is
 * missing, or removes what a rollback is about; later passes look again and repair. Answers whether the shard is done;
 * if not, another step resumes where the stored outcomes end.
 */
export async function reconcile(app: App, run: RestoreRun, shard: number, held: HeldStep): Promise<Moved | 'continue'> {
  const { result: end, isLast } = await withOthers(app, run, shard, async (): Promise<ShardEnd> => {
    const stored = await readOutcomes(app, run, run.phase.pass, shard);
    if (stored?.value.isDone) return { failureCount: stored.value.failures.length };
    const job = run.imports && (await openImport(app, run, shard, run.phase.wave ?? 0));
    if (job !== undefined && run.phase.pass === 1) await moveImport(job, held.deadlineAt);
    const { writing } = app.memory;
    writing.add(held);
    try {
      return await settleOpen(await openWork(app, run, shard, stored, held, job));
    } finally {
      writing.delete(held);
    }
  });
  if (end === 'over') {
    if (isLast) {
      await endAgainstRole(app, run);
      await acknowledgeEnd(app, run);
    }
    return undefined;
  }
  if (end === 'continue') return 'continue';
  // Failures of all shards are summed up as they come, since too many of them end the run.
  const isOpen = !isLast || (end.failureCount === 0 && (await isSurelyOpen(app, run, 'reconcile')));
  return isOpen ? undefined : moveToNextPass(app, run);
}

/** The hub that a sync writes into came into use while it wrote. */
async function endAgainstRole(app: App, run: RestoreRun): Promise<void> {
  if (isSync(run) && (await isAgainstRole(app, run))) await supersede(app, run, TARGET_IN_USE);
}

/** What the pass before made of the shard. The last look is one more for what the one before did not show. */
async function readBefore(app: App, run: RestoreRun, shard: number, recordCount: number) {
  const { pass } = run.phase;
  if (pass === 1) return undefined;
  const before = await readFinishedOutcomes(app, run, pass - 1, shard, recordCount);
  return pass === LAST_PASS && run.request.purpose !== 'rollback' ? withMissingAsWritten(before) : before;
}

/** `continue` when time ran out; `over` when the run is, and this step has stored that it stopped. */
type ShardEnd = 'continue' | 'over' | { readonly failureCount: number };

/** All that one step knows about its shard. */
interface Work extends Writer, JournalWriter, ShardReads {
  readonly app: App;
  readonly outcomes: OpenOutcomes;
  readonly held: HeldStep;
  /** Answers that steps before this one have noted. */
  readonly askedBefore: number;
  /** Of a shard whose creations an import job may make. */
  readonly handOver: HandOver<DueWrite> | undefined;
}

async function openWork(
  app: App,
  run: RestoreRun,
  shard: number,
  stored: Found<ShardOutcomes> | undefined,
  held: HeldStep,
  job: ImportJob | undefined,
): Promise<Work> {
  const { deadlineAt } = held;
  const hub = hubOf(app, run.hub);
  const newlyLostMs = countLostTime(app, hub);
  const reads = await openShardReads(app, run, shard);
  const { fingerprints, openRecords, scope } = reads;
  const recordCount = fingerprints.count;
  const before = await readBefore(app, run, shard, recordCount);
  const ids = await openIdMap(app, hub, run, shard, fingerprints);
  const isFirst = run.phase.pass === 1 && scope === undefined;
  const importer = scope?.restore ?? run;
  const hasMade = !isFirst && importer.imports !== undefined;
  const idMap = hasMade ? await withMadeIds(app, importer, shard, { ...reads, idMap: ids }) : ids;
  const outcomes = openOutcomes(app, run, shard, {
    last: await readFailedBefore(app, run, shard),
    platforms: fingerprints.platformOfEach(),
    groups: await groupsOf(app, run, { fingerprints, openRecords, scope, idMap }),
    stored,
    before,
    deadlineAt,
    newlyLostMs,
  });
  if (job !== undefined && isFirst) creditMade(outcomes, job);
  const letters = outcomes.letters();
  const wanted = [...letters.keys()].filter((index) => isWanted(run, letters[index], before?.letters[index]));
  const toPlan = { ...reads, shard, idMap, wanted, shown: new Set(before?.shown) };
  const plan = await (scope === undefined
    ? openRestorePlanner(app, run, toPlan)
    : openRollbackPlanner(app, run, toPlan, scope));
  const isRepair = before !== undefined;
  const workers = createWorkers(() => callsOf(app, held));
  const again = createWorkers(() => Math.ceil(app.policy.maxConcurrency / TRIED_AGAIN_SHARE));
  const asked = stored === undefined || before === undefined ? NONE_ASKED : await readAsked(app, run, shard);
  const noted = keepsJournal(run, before) ? new Map<number, Planned['noted']>(asked) : undefined;
  const endWatch = watchEnd(app, run, held);
  const shared = { ...reads, app, run, shard, held, before, plan, outcomes };
  const notes = { noted, asked: new Set(asked.keys()), askedBefore: asked.size };
  const waitedMs = held.wait?.waitedMs ?? 0;
  const openedAt = app.world.now();
  const handOver = job === undefined ? openHandOver<DueWrite>(app, run, toPlan) : undefined;
  return {
    ...shared,
    ...notes,
    hub,
    deadlineAt,
    isRepair,
    idMap,
    workers,
    again,
    endWatch,
    waitedMs,
    openedAt,
    handOver,
  };
}

/** What the job says it has made is created, as what the hub has taken from a writer is: the next pass looks. */
function creditMade(outcomes: OpenOutcomes, { state }: ImportJob): void {
  const letters = outcomes.letters();
  for (const index of recordsMade(state)) {
    if (intentOf(letters[index]) === 'created') outcomes.settleAs(index, 'created');
  }
}

/**
 * How many calls of a step may be under way: of the one that has begun first all that the hub is to get, of each later
 * one half as many. So they do not end at the same time, and while one waits for its last answers others write.
 */
function callsOf({ memory, policy }: App, held: HeldStep): number {
  const before = Math.max(0, [...memory.writing].indexOf(held));
  return Math.max(1, Math.floor(policy.maxConcurrency / 2 ** before));
}

/** Of the calls that may be under way to one hub those for records that it has failed at, in each step. */
const TRIED_AGAIN_SHARE = 4;

const NONE_ASKED: Journal = new Map();

async function settleOpen(work: Work): Promise<ShardEnd> {
  const { app, held, outcomes, endWatch, handOver } = work;
  const open = outcomes.open();
  const failures = await writeOpen(work, open);
  // The step that took it over goes by what is stored, and stops when that changes.
  if (held.isLost) throw new Superseded('another process took this step over');
  for (const index of handOver?.handedOver() ?? []) outcomes.send(index);
  outcomes.dropUnsent();
  const state = failures.some(leavesOpen) ? 'unanswered' : 'still';
  const isDecided = failures.length === 0 && outcomes.openCount() === 0;
  const isNoted = isDecided && (await noteRest(work).catch((error: unknown) => void failures.push(error)));
  if (isNoted) await closeShard(work);
  const askedCount = isNoted ? work.askedBefore : await keepAsked(work);
  // Also when a write failed for good: what was written before must not be written again.
  await outcomes.save(isNoted ? 'done' : state);
  if (await endWatch.look()) return 'over';
  if (handOver !== undefined) await handOver.store();
  refuseNearlyAll(app, outcomes.failureCount(), outcomes.triedCount());
  const openCount = outcomes.open().length;
  const [failure] = failures;
  if (failure === undefined && openCount === 0 && isDecided === isNoted)
    return { failureCount: outcomes.failureCount() };
  // A hub that throttles lets the time run out in the middle of a call. That is no absence while records settle.
  const hasMoved = openCount < open.length || askedCount > work.askedBefore || outcomes.hasMovedWithin();
  if (failure !== undefined && !(failure instanceof DrError && failure.retryable && hasMoved)) throw failure;
  return 'continue';
}

function isHopeless({ app, outcomes }: Work): boolean {
  return isNearlyAllRefused(outcomes.failureCount(), outcomes.triedCount(), app.policy.maxFailurePercent);
}

async function closeShard(work: Work): Promise<void> {
  const journal = await writeJournal(work);
  if (work.scope === undefined) await closeBaselineShard({ ...work, journal });
  else await closeRollbackShard({ ...work, journal }, work.scope);
}

/** Nothing is overwritten or withdrawn where nothing lived. */
function displaces({ request, found }: RestoreRun): boolean {
  return request.purpose !== 'rollback' && found?.rows !== 0;
}

/**
 * Whether a record may have to be decided about: it is open, or one that each pass looks at, of which it takes note at
 * its end.
 */
function isWanted(run: RestoreRun, letter: string | undefined, before: string | undefined): boolean {
  if (before === undefined) return outcomeOf(letter) === 'pending';
  return isLookedAtAgain(run, outcomeOf(before));
}

/** Whether the hub may yet carry out a call that failed so: not one that was never sent, or that has a final answer. */
function leavesOpen(failure: unknown): boolean {
  return !(failure instanceof DrError) || (failure.retryable && !failure.hasNoEffect);
}

/**
 * Batch by batch, without a pause between them: while one is written, what is about to be written next is stored
 * together with what became of those before. Gives what the batches that failed have thrown; what a save throws is
 * thrown once nothing is under way any more.
 */
async function writeOpen(work: Work, open: readonly number[]): Promise<unknown[]> {
  const { app, run, outcomes, workers, again, endWatch, handOver } = work;
  const positions = open.values();
  const batches: Promise<void>[] = [];
  const failures: unknown[] = [];
  let size = BATCH.least;
  let roomAt: number | undefined;
  try {
    for (let isLast = false; !isLast && mayWrite(work); ) {
      const decided = await decideBatch(work, positions, size).catch((error: unknown) => void failures.push(error));
      if (decided === undefined || isHopeless(work)) break;
      isLast = decided.isLast;
      if (isLast && decided.due.length === 0 && handOver === undefined) break;
      const left = handOver?.take(decided.due) ?? decided.due;
      // What a job may create is about to be stored with all the rest.
      if (handOver !== undefined && left.length === 0 && !isLast) continue;
      const direct = isLast && handOver !== undefined ? [...left, ...(await handOver.prepare('all'))] : left;
      const due = displaces(run) ? await undoable(work, direct) : direct;
      await outcomes.save('writing');
      const mustStop = await endWatch.look().catch((error: unknown) => {
        failures.push(error);
        return true;
      });
      if (mustStop) break;
      const batch = writeBatch(work, due);
      batches.push(batch.catch((error: unknown) => void failures.push(error)));
      await workers.untilFewerWait(due.length);
      const now = app.world.now();
      // For the first one there is room at once.
      if (roomAt !== undefined) size = nextSize(size, now - roomAt);
      roomAt = now;
    }
    // It only waits for answers now.
    app.memory.writing.delete(work.held);
    // Time was up before all was decided about.
    if (handOver !== undefined && !mayWrite(work)) await handOver.prepare('some');
  } catch (error) {
    workers.stop();
    again.stop();
    throw error;
  } finally {
    await Promise.all(batches);
  }
  return failures;
}

/** What may be written since a rollback could undo it, which is stored; the rest is set aside. */
async function undoable(work: Work, due: readonly DueWrite[]): Promise<readonly DueWrite[]> {
  const unread = await storeUndo(work.app, work.run, { ...work, idFor: work.idMap.idFor }, due);
  for (const [one, fault] of unread) setAside(work, one, fault);
  return unread.size === 0 ? due : due.filter((one) => !unread.has(one));
}

function nextSize(size: number, tookMs: number): number {
  if (tookMs < BATCH.quickMs) return Math.min(BATCH.most, 2 * size);
  return tookMs > BATCH.slowMs ? BATCH.least : size;
}
