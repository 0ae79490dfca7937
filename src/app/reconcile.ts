import { DrError } from '../core/errors.ts';
import { intentOf, outcomeOf, type ShardOutcomes, type WrittenOutcome } from '../core/outcomes.ts';
import { manifestName } from '../core/paths.ts';
import type { Write } from '../core/plan.ts';
import type { Hub, WriteOutcome } from '../core/ports.ts';
import { platformOf } from '../core/record.ts';
import type { RestoreRun } from '../core/run.ts';
import { groupOf } from '../core/selection.ts';
import { type App, hubOf } from './app.ts';
import { completeReconcile } from './complete-reconcile.ts';
import { forEachConcurrent } from './concurrent.ts';
import { type IdMap, openIdMap } from './id-map.ts';
import { storeJournal } from './journal.ts';
import { openPlanner, type RecordPlanner } from './record-planner.ts';
import {
  openShardProgress,
  readFinishedOutcomes,
  readOutcomes,
  type ShardProgress,
  type StoredOutcomes,
} from './shard-progress.ts';
import { readManifest, readSnapshotShard } from './snapshots.ts';

/** A hub that refuses even ids it has just given out is not asked for ever. */
const MAX_NEW_IDS = 3;

/** Outcomes are saved, and a cancelled run noticed, between batches of this many records. */
const BATCH = 500;

/**
 * Brings one shard of the target to what the run wants of it, within the step's time. The first pass writes what lacks,
 * or removes what a rollback is about; later passes look again and repair. Answers whether the shard is done; if not,
 * another step goes on where the stored outcomes end.
 */
export async function reconcile(
  app: App,
  run: RestoreRun,
  shard: number,
  deadlineAt: number,
): Promise<'done' | 'continue'> {
  const stored = await readOutcomes(app, run, run.phase.pass, shard);
  if (!stored?.outcomes.isDone) {
    const work = await openWork(app, run, shard, stored, deadlineAt);
    if ((await settleOpen(work)) === 'continue') return 'continue';
  }
  await completeReconcile(app, run);
  return 'done';
}

/** All that one step knows about its shard. */
interface Work {
  readonly app: App;
  readonly run: RestoreRun;
  readonly shard: number;
  readonly hub: Hub;
  readonly deadlineAt: number;
  /** What the pass before made of the shard. */
  readonly before: ShardOutcomes | undefined;
  readonly plan: RecordPlanner;
  readonly idMap: IdMap;
  readonly progress: ShardProgress;
  /** What this step noted of the records it decided about. */
  readonly noted: Map<number, readonly number[] | undefined>;
}

interface DueWrite {
  readonly index: number;
  readonly outcome: WrittenOutcome;
  readonly writes: readonly Write[];
  /** Rows that became one with another. */
  readonly collapsed: number;
}

async function openWork(
  app: App,
  run: RestoreRun,
  shard: number,
  stored: StoredOutcomes | undefined,
  deadlineAt: number,
): Promise<Work> {
  const { pass } = run.phase;
  const manifest = await readManifest(app, run.request.sourceHub, run.request.snapshotId);
  if (manifest === undefined) {
    throw new DrError('SnapshotNotFound', `Snapshot ${run.request.snapshotId} was deleted. Restore another one.`, {
      target: manifestName(run.request.sourceHub, run.request.snapshotId),
    });
  }
  const hub = hubOf(app, run.hub);
  const records = await readSnapshotShard(app, manifest, shard);
  const before = pass === 1 ? undefined : await readFinishedOutcomes(app, run, pass - 1, shard, records.length);
  const progress = openShardProgress(app, run, shard, {
    platforms: records.map(platformOf),
    groups: pass === 1 ? records.map(groupOf(run.request.order)) : [],
    stored,
    before,
    pace: () => hub.pace(),
  });
  const idMap = await openIdMap(app, hub, run.id, shard);
  const plan = await openPlanner(app, run, { shard, records, idMap });
  return { app, run, shard, hub, deadlineAt, before, plan, idMap, progress, noted: new Map() };
}

/**
 * Batch by batch: what is about to be written is stored together with what became of the batch before. Answers
 * `continue` when time ran out.
 */
async function settleOpen(work: Work): Promise<'done' | 'continue'> {
  const { app, progress, deadlineAt } = work;
  const openAtStart = progress.open().length;
  let due = decideBatch(work);
  for (;;) {
    if (progress.isDone()) await storeNotes(work);
    await progress.save();
    if (progress.open().length === 0) return 'done';
    if (app.clock.now() >= deadlineAt) return 'continue';
    try {
      await writeBatch(work, due);
    } catch (error) {
      // Also when a write failed for good: what was written before must not be written again.
      await progress.save();
      // A hub that throttles lets the time run out in the middle of a call. That is no absence while records settle.
      const hasProgress = progress.open().length < openAtStart;
      if (!(error instanceof DrError && error.retryable && hasProgress)) throw error;
      return 'continue';
    }
    due = decideBatch(work);
  }
}

/** Decides about the next records until there is a batch to write. */
function decideBatch(work: Work): DueWrite[] {
  const due: DueWrite[] = [];
  for (const index of work.progress.open()) {
    const write = decideRecord(work, index);
    if (write !== undefined) due.push(write);
    if (due.length === BATCH) break;
  }
  return due;
}

/** What later passes, or a rollback, must know of the rows of this shard. */
async function storeNotes({ app, run, shard, before, plan, progress, noted }: Work): Promise<void> {
  const isRollback = run.request.purpose === 'rollback';
  if (isRollback ? before !== undefined : before === undefined) return;
  const journal = new Map<number, readonly number[]>();
  for (const [index, letter] of progress.letters().entries()) {
    const outcome = outcomeOf(letter);
    if (outcome !== 'created' && outcome !== 'updated' && outcome !== 'removed') continue;
    // What a step before this one decided is decided once more: the same look gives the same.
    const seen = noted.has(index) ? noted.get(index) : plan(index, before === undefined ? undefined : outcome).seen;
    if (seen !== undefined) journal.set(index, seen);
  }
  await storeJournal(app, run, shard, journal);
}

/** Writes what is due, and again under new ids what the hub refused the ids of. */
async function writeBatch(work: Work, due: readonly DueWrite[]): Promise<void> {
  const { app, idMap, deadlineAt } = work;
  let refused = due.filter((one) => idMap.mustMap(one.writes));
  const known = due.filter((one) => !refused.includes(one));
  await forEachConcurrent(known, app.policy.maxConcurrency, async (one) => {
    if ((await writeAndSettle(work, one)) !== 'settled') refused.push(one);
  });
  for (let tries = 1; refused.length > 0 && app.clock.now() < deadlineAt; tries++) {
    const mapped = refused;
    refused = [];
    await idMap.map(
      mapped.flatMap((one) => one.writes),
      deadlineAt,
    );
    await forEachConcurrent(mapped, app.policy.maxConcurrency, async (one) => {
      const answer = await writeAndSettle(work, one);
      if (answer === 'settled') return;
      // An id the hub has just given out is not what it dislikes about a 400.
      if (answer.status !== 400 && tries < MAX_NEW_IDS) refused.push(one);
      else work.progress.fail(one.index, { code: 'Rejected', status: answer.status });
    });
  }
}

/** What is to be written for a record; nothing when its outcome is known without. */
function decideRecord({ plan, progress, before, noted }: Work, index: number): DueWrite | undefined {
  const earlier = before === undefined ? undefined : outcomeOf(before.letters[index]);
  const isOurs = earlier === 'created' || earlier === 'updated' || earlier === 'removed';
  if (earlier !== undefined && !isOurs) {
    // Not written by this run: what happened to it in the target since is its device's own doing.
    progress.settleAs(index, earlier);
    return undefined;
  }
  if (intentOf(progress.letters()[index]) === 'removed') {
    // Whether a step that died had removed it, the next pass sees; its device may have registered again since the look.
    progress.settleAs(index, 'removed');
    return undefined;
  }
  const { decision, collapsed, addedRows, seen } = plan(index, earlier);
  noted.set(index, seen);
  if (decision.kind === 'write') {
    progress.begin(index, decision.outcome, addedRows);
    return { index, outcome: decision.outcome, writes: decision.writes, collapsed };
  }
  progress.count('duplicatesCollapsed', collapsed);
  if (decision.kind === 'failed') progress.fail(index, { code: decision.code });
  else {
    progress.settleAs(index, decision.outcome);
    progress.count('changedSince', decision.hasChangedSince ? 1 : 0);
  }
  return undefined;
}

/** Out of time, a record stays open: another step takes it up. */
async function writeAndSettle(
  work: Work,
  { index, outcome, writes, collapsed }: DueWrite,
): Promise<'settled' | Extract<WriteOutcome, { kind: 'idRefused' }>> {
  const { app, progress, deadlineAt } = work;
  if (app.clock.now() >= deadlineAt) {
    if (outcome === 'removed') progress.settleAs(index, 'pending'); // Nobody has tried.
    return 'settled';
  }
  const answer = await writeRecord(work, writes);
  switch (answer.kind) {
    case 'written':
      progress.settleAs(index, outcome);
      progress.count('duplicatesCollapsed', collapsed);
      progress.count('repaired', work.before === undefined ? 0 : 1);
      return 'settled';
    case 'rejected':
      progress.fail(index, { code: answer.reason, status: answer.status });
      return 'settled';
    case 'changed':
      // Its device was faster. Rows taken back from a record that stays are looked at again by the next pass.
      progress.settleAs(index, outcome === 'removed' ? 'keptLive' : outcome);
      progress.count('repaired', work.before === undefined ? 0 : 1);
      return 'settled';
    case 'idRefused':
      return answer;
    default:
      return answer satisfies never;
  }
}

/** Writes one record's rows in turn; the first answer that is not `written` is the record's. */
async function writeRecord({ hub, idMap, deadlineAt }: Work, writes: readonly Write[]): Promise<WriteAnswer> {
  for (const write of writes) {
    const answer = await writeOne(hub, write, idMap, deadlineAt);
    if (answer.kind !== 'written') return answer;
  }
  return { kind: 'written' };
}

/** `changed`: a row that was to be taken back is no longer as it was seen, and stays. */
type WriteAnswer = WriteOutcome | { readonly kind: 'changed' };

async function writeOne(hub: Hub, write: Write, idMap: IdMap, deadlineAt: number): Promise<WriteAnswer> {
  switch (write.kind) {
    case 'registration': {
      const answer = await hub.putRegistration(idMap.idFor(write.id), write.xml, { deadlineAt });
      idMap.noteAnswer(write.id, answer);
      return answer;
    }
    case 'installation':
      return hub.putInstallation(write.id, write.json, { deadlineAt });
    case 'withdrawal': {
      const answer = await hub.deleteRegistration(write.id, write.etag, { deadlineAt });
      return { kind: answer === 'gone' ? 'written' : 'changed' };
    }
    case 'removal':
      await hub.deleteInstallation(write.id, { deadlineAt });
      return { kind: 'written' };
    default:
      return write satisfies never;
  }
}
