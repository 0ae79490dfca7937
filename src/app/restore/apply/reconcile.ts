import { DrError } from '../../../core/errors.ts';
import { manifestName } from '../../../core/paths.ts';
import { groupOf } from '../../../core/request/selection.ts';
import {
  intentOf,
  type Outcome,
  outcomeOf,
  type ShardOutcomes,
  type WrittenOutcome,
} from '../../../core/restore/outcomes.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import { recordsIn, type ShardRecords } from '../../../core/snapshot/shard.ts';
import { type App, hubOf } from '../../app.ts';
import type { Moved } from '../../runs/dispatch.ts';
import { watchEnd } from '../../runs/end-watch.ts';
import { isSurelyOpen, withOthers } from '../../runs/shard-phase.ts';
import { readSnapshotFingerprints } from '../../snapshots/fingerprints.ts';
import { openSnapshotShard, readManifest } from '../../snapshots/store.ts';
import { createWorkers } from '../../stored/concurrent.ts';
import type { Found } from '../../stored/document.ts';
import { storeJournal } from '../outcomes/journal.ts';
import { readFinishedOutcomes, readOutcomes } from '../outcomes/store.ts';
import { acknowledgeEnd } from './acknowledge-end.ts';
import { openIdMap } from './id-map.ts';
import { countLostTime } from './lost-time.ts';
import { moveToNextPass, tooManyFailures } from './next-pass.ts';
import { openOutcomes } from './open-outcomes.ts';
import type { Planned, RecordPlanner } from './planner.ts';
import { openRemover } from './remover.ts';
import { openRestorer } from './restorer.ts';
import { type DueWrite, mayWrite, type Writer, writeBatch } from './write-batch.ts';

/**
 * Outcomes are saved, and a cancelled run noticed, each time that this many more records are about to be written: as
 * many as are written in about a second, within these bounds.
 */
const BATCH = { least: 500, most: 2000, quickMs: 500, slowMs: 2000 };
/** Decided about without a pause: some milliseconds in which this process answers no call. */
const DECIDED_AT_ONCE = 250;

/**
 * Brings one shard of the target to what the run wants of it, within the step's time. The first pass writes what is
 * missing, or removes what a rollback is about; later passes look again and repair. Answers whether the shard is done;
 * if not, another step resumes where the stored outcomes end.
 */
export async function reconcile(
  app: App,
  run: RestoreRun,
  shard: number,
  deadlineAt: number,
): Promise<Moved | 'continue'> {
  const { result: end, isLast } = await withOthers(app, run, shard, async (): Promise<ShardEnd> => {
    const stored = await readOutcomes(app, run, run.phase.pass, shard);
    if (stored?.value.isDone) return { failureCount: stored.value.failures.length };
    return settleOpen(await openWork(app, run, shard, stored, deadlineAt));
  });
  if (end === 'over') {
    if (isLast) await acknowledgeEnd(app, run);
    return undefined;
  }
  if (end === 'continue') return 'continue';
  // Failures of all shards are summed up as they come, since too many of them end the run.
  const isOpen = !isLast || (end.failureCount === 0 && (await isSurelyOpen(app, run, 'reconcile')));
  return isOpen ? undefined : moveToNextPass(app, run);
}

/** `continue` when time ran out; `over` when the run is, and this step has stored that it stopped. */
type ShardEnd = 'continue' | 'over' | { readonly failureCount: number };

/** All that one step knows about its shard. */
interface Work extends Writer {
  readonly run: RestoreRun;
  readonly shard: number;
  /** What the pass before made of the shard. */
  readonly before: ShardOutcomes | undefined;
  readonly plan: RecordPlanner;
  /** What this step noted of the records it decided about; absent where it is not needed. */
  readonly noted: Map<number, Planned['noted']> | undefined;
}

async function openWork(
  app: App,
  run: RestoreRun,
  shard: number,
  stored: Found<ShardOutcomes> | undefined,
  deadlineAt: number,
): Promise<Work> {
  const { pass } = run.phase;
  const hub = hubOf(app, run.hub);
  const newlyLostMs = countLostTime(app, hub);
  const fingerprints = await readSnapshotFingerprints(app, run, shard);
  const recordCount = fingerprints.count;
  const before = pass === 1 ? undefined : await readFinishedOutcomes(app, run, pass - 1, shard, recordCount);
  const openRecords = (): Promise<ShardRecords> => openSnapshotRecords(app, run, shard);
  const { order } = run.request;
  const outcomes = openOutcomes(app, run, shard, {
    platforms: fingerprints.platformOfEach(),
    groups: pass === 1 && order !== undefined ? recordsIn(await openRecords()).map(groupOf(order)) : [],
    stored,
    before,
    deadlineAt,
    newlyLostMs,
  });
  const idMap = await openIdMap(app, hub, run, shard);
  const wanted = outcomes
    .letters()
    .flatMap((letter, index) => (isWanted(letter, before?.letters[index]) ? [index] : []));
  const openPlanner = run.request.purpose === 'rollback' ? openRemover : openRestorer;
  const plan = await openPlanner(app, run, { shard, fingerprints, idMap, wanted, openRecords });
  const isRepair = before !== undefined;
  const workers = createWorkers(app.policy.maxConcurrency);
  const noted = takesNotes(run, before) ? new Map() : undefined;
  const endWatch = watchEnd(app, run);
  return { app, run, shard, hub, deadlineAt, before, isRepair, plan, idMap, outcomes, workers, endWatch, noted };
}

async function settleOpen(work: Work): Promise<ShardEnd> {
  const { app, outcomes, endWatch } = work;
  const open = outcomes.open();
  const failure = await writeOpen(work, open);
  outcomes.dropUnsent();
  if (outcomes.openCount() === 0) await storeNotes(work);
  // Also when a write failed for good: what was written before must not be written again.
  await outcomes.save('still');
  if (await endWatch.look()) return 'over';
  const { maxFailures } = app.policy;
  if (outcomes.failureCount() > maxFailures) throw tooManyFailures(outcomes.failureCount(), maxFailures);
  const openCount = outcomes.open().length;
  if (failure === undefined) return openCount === 0 ? { failureCount: outcomes.failureCount() } : 'continue';
  // A hub that throttles lets the time run out in the middle of a call. That is no absence while records settle.
  if (!(failure instanceof DrError && failure.retryable && openCount < open.length)) throw failure;
  return 'continue';
}

/**
 * Whether a record may have to be decided about: it is open, or this run's doing, of which a pass takes note at its
 * end.
 */
function isWanted(letter: string, before: string | undefined): boolean {
  if (before === undefined) return outcomeOf(letter) === 'pending';
  return isOurs(outcomeOf(before));
}

function isOurs(outcome: Outcome | undefined): outcome is WrittenOutcome {
  return outcome === 'created' || outcome === 'updated' || outcome === 'removed';
}

async function openSnapshotRecords(app: App, { request }: RestoreRun, shard: number): Promise<ShardRecords> {
  const manifest = await readManifest(app, request.sourceHub, request.snapshotId);
  if (manifest !== undefined) return (await openSnapshotShard(app, manifest, shard)).openRecords();
  const message = `Snapshot ${request.snapshotId} was deleted. Restore another one.`;
  throw new DrError('SnapshotNotFound', message, { target: manifestName(request.sourceHub, request.snapshotId) });
}

/**
 * Batch by batch, without a pause between them: while one is written, what is about to be written next is stored
 * together with what became of those before. Gives what the first write that failed has thrown; what a save throws is
 * thrown once nothing is under way any more.
 */
async function writeOpen(work: Work, open: readonly number[]): Promise<unknown> {
  const { app, outcomes, workers, endWatch } = work;
  const positions = open.values();
  const batches: Promise<void>[] = [];
  const failures: unknown[] = [];
  let size = BATCH.least;
  let roomAt: number | undefined;
  try {
    while (mayWrite(work)) {
      const due = await decideBatch(work, positions, size);
      if (due.length === 0 || outcomes.failureCount() > app.policy.maxFailures) break;
      await outcomes.save('writing');
      if (await endWatch.look()) break;
      const batch = writeBatch(work, due);
      batches.push(batch.catch((error: unknown) => void failures.push(error)));
      await workers.untilFewerWait(due.length);
      const now = app.world.now();
      // For the first one there is room at once.
      if (roomAt !== undefined) size = nextSize(size, now - roomAt);
      roomAt = now;
    }
  } catch (error) {
    workers.stop();
    throw error;
  } finally {
    await Promise.all(batches);
  }
  return failures[0];
}

function nextSize(size: number, tookMs: number): number {
  if (tookMs < BATCH.quickMs) return Math.min(BATCH.most, 2 * size);
  return tookMs > BATCH.slowMs ? BATCH.least : size;
}

/** Decides about the next records until there are enough to write. */
async function decideBatch(work: Work, positions: Iterator<number>, size: number): Promise<DueWrite[]> {
  const due: DueWrite[] = [];
  for (let count = 1; due.length < size; count++) {
    const { value: index, done } = positions.next();
    if (done) break;
    const write = decideRecord(work, index);
    if (write !== undefined) due.push(write);
    if (count % DECIDED_AT_ONCE === 0 && due.length < size) await work.app.world.nextTurn();
  }
  return due;
}

/** A restore notes what it sees of what it wrote, a rollback what it is about to remove. */
function takesNotes({ request }: RestoreRun, before: ShardOutcomes | undefined): boolean {
  return (request.purpose === 'rollback') === (before === undefined);
}

/** What later passes, or a rollback, must know of the rows of this shard. */
async function storeNotes({ app, run, shard, before, plan, outcomes, noted }: Work): Promise<void> {
  if (noted === undefined) return;
  const journal = new Map<number, readonly number[] | 'rewritten'>();
  for (const [index, letter] of outcomes.letters().entries()) {
    const outcome = outcomeOf(letter);
    if (!isOurs(outcome)) continue;
    // What a step before this one decided is decided once more: the same look gives the same.
    const earlier = before === undefined ? undefined : outcome;
    const note = noted.has(index) ? noted.get(index) : plan(index, earlier).noted;
    if (note !== undefined) journal.set(index, note);
  }
  await storeJournal(app, run, shard, journal);
}

/** What is to be written for a record; nothing when its outcome is known without. */
function decideRecord({ plan, outcomes, before, noted }: Work, index: number): DueWrite | undefined {
  const earlier = before === undefined ? undefined : outcomeOf(before.letters[index]);
  if (earlier !== undefined && !isOurs(earlier)) {
    // Not written by this run: what happened to it in the target since is its device's own doing.
    outcomes.settleAs(index, earlier);
    return undefined;
  }
  if (intentOf(outcomes.letters()[index]) === 'removed') {
    // Whether a step that died had removed it, the next pass sees; its device may have registered again since the look.
    outcomes.settleAs(index, 'removed');
    return undefined;
  }
  const isFirstTry = earlier === undefined && intentOf(outcomes.letters()[index]) === undefined;
  const { decision, collapsed, addedRows, noted: note } = plan(index, earlier);
  noted?.set(index, note);
  if (decision.kind === 'write') {
    outcomes.begin(index, decision.outcome, addedRows);
    return { index, outcome: decision.outcome, writes: decision.writes, collapsed, isFirstTry };
  }
  outcomes.count('duplicatesCollapsed', collapsed);
  if (decision.kind === 'failed') outcomes.fail(index, { code: decision.code });
  else {
    outcomes.settleAs(index, decision.outcome);
    outcomes.count('changedSince', decision.hasChangedSince ? 1 : 0);
  }
  return undefined;
}
