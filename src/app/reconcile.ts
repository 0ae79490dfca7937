import { decide } from '../core/decide.ts';
import { DrError } from '../core/errors.ts';
import { type Outcome, outcomeOf, type ShardOutcomes } from '../core/outcomes.ts';
import { manifestName } from '../core/paths.ts';
import { planRecord, type Write } from '../core/plan.ts';
import type { Hub, WriteOutcome } from '../core/ports.ts';
import type { RecordOfRows } from '../core/record.ts';
import type { Registration } from '../core/registration.ts';
import type { RestoreRun } from '../core/run.ts';
import { type App, hubOf } from './app.ts';
import { completeReconcile, LAST_PASS } from './complete-reconcile.ts';
import { forEachConcurrent } from './concurrent.ts';
import { readForeignHandles } from './foreign-handles.ts';
import { type IdMap, openIdMap } from './id-map.ts';
import { readTargetShard } from './seal.ts';
import { openShardProgress, readFinishedOutcomes, readOutcomes, type ShardProgress } from './shard-progress.ts';
import { readManifest, readSnapshotShard } from './snapshots.ts';

/** A hub that refuses even ids it has just given out is not asked for ever. */
const MAX_NEW_IDS = 3;

/** Outcomes are saved, and a cancelled run noticed, between batches of this many records. */
const BATCH = 500;

/**
 * Brings one shard of the target to what the snapshot says, within the step's time. The first pass writes what lacks;
 * later passes look again and repair. Answers whether the shard is done; if not, another step goes on where the stored
 * outcomes end.
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
    if (work.progress.open().length === 0) await work.progress.save();
    const openAtStart = work.progress.open().length;
    for (let open = work.progress.open(); open.length > 0; open = work.progress.open()) {
      if (app.clock.now() >= deadlineAt) return 'continue';
      try {
        await settleBatch(work, open.slice(0, BATCH));
      } catch (error) {
        // A hub that throttles lets the time run out in the middle of a call. That is no absence while records settle.
        const hasProgress = work.progress.open().length < openAtStart;
        if (!(error instanceof DrError && error.retryable && hasProgress)) throw error;
        return 'continue';
      } finally {
        // Also when a write failed for good: what was written before must not be written again.
        await work.progress.save();
      }
    }
  }
  await completeReconcile(app, run);
  return 'done';
}

/** All that one step knows about its shard. */
interface Work {
  readonly app: App;
  readonly run: RestoreRun;
  readonly hub: Hub;
  readonly deadlineAt: number;
  readonly records: readonly RecordOfRows[];
  readonly live: ReadonlyMap<string, RecordOfRows>;
  readonly livesElsewhere: (row: Registration) => boolean;
  /** What the pass before made of the shard. */
  readonly before: ShardOutcomes | undefined;
  readonly idMap: IdMap;
  readonly progress: ShardProgress;
}

interface DueWrite {
  readonly index: number;
  readonly outcome: Outcome;
  readonly writes: readonly Write[];
  /** Rows that became one with another. */
  readonly collapsed: number;
}

async function openWork(
  app: App,
  run: RestoreRun,
  shard: number,
  stored: Awaited<ReturnType<typeof readOutcomes>>,
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
    recordCount: records.length,
    stored,
    before,
    pace: () => hub.pace(),
  });
  return {
    app,
    run,
    hub,
    deadlineAt,
    records,
    live: await readTargetShard(app, run, shard),
    livesElsewhere: await readForeignHandles(app, run),
    before,
    idMap: await openIdMap(app, hub, run.id, shard),
    progress,
  };
}

/** Decides about each record, writes what is due, and again under new ids what the hub refused the ids of. */
async function settleBatch(work: Work, indexes: readonly number[]): Promise<void> {
  const { app, idMap, deadlineAt } = work;
  const due = indexes.flatMap((index) => decideRecord(work, index) ?? []);
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
function decideRecord(work: Work, index: number): DueWrite | undefined {
  const { run, progress, before } = work;
  const record = work.records[index];
  if (record === undefined) return undefined;
  const earlier = before === undefined ? undefined : outcomeOf(before.letters[index]);
  if (earlier !== undefined && earlier !== 'created' && earlier !== 'updated') {
    // Not written by this run: what happened to it in the target since is its device's own doing.
    progress.settleAs(index, earlier);
    return undefined;
  }
  const plan = planRecord(record, work.live.get(record.key), {
    expiryFloorAtMs: Date.parse(run.request.expiryFloorAt),
    livesElsewhere: work.livesElsewhere,
    mintedFor: work.idMap.mintedFor,
    isRepair: before !== undefined,
  });
  const collapsed = before === undefined ? plan.collapsed : 0;
  const decision = decide(plan, earlier, {
    isDryRun: run.request.dryRun,
    isLastPass: run.phase.pass === LAST_PASS,
  });
  if (decision.kind === 'write') return { index, outcome: decision.outcome, writes: decision.writes, collapsed };
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
  if (app.clock.now() >= deadlineAt) return 'settled';
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
    case 'idRefused':
      return answer;
    default:
      return answer satisfies never;
  }
}

/** Writes one record's rows in turn; the first answer that is not `written` is the record's. */
async function writeRecord({ hub, idMap, deadlineAt }: Work, writes: readonly Write[]): Promise<WriteOutcome> {
  for (const write of writes) {
    const answer = await writeOne(hub, write, idMap, deadlineAt);
    if (answer.kind !== 'written') return answer;
  }
  return { kind: 'written' };
}

async function writeOne(hub: Hub, write: Write, idMap: IdMap, deadlineAt: number): Promise<WriteOutcome> {
  switch (write.kind) {
    case 'registration': {
      const answer = await hub.putRegistration(idMap.idFor(write.id), write.xml, { deadlineAt });
      idMap.noteAnswer(write.id, answer);
      return answer;
    }
    case 'installation':
      return hub.putInstallation(write.id, write.json, { deadlineAt });
    case 'withdrawal':
      // A row that changed meanwhile is its device's own; the next pass sees what it is now.
      await hub.deleteRegistration(write.id, write.etag, { deadlineAt });
      return { kind: 'written' };
    default:
      return write satisfies never;
  }
}
