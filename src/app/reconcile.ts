import { DrError } from '../core/errors.ts';
import {
  formatOutcomes,
  type Outcome,
  outcomeLetters,
  parseOutcomes,
  type RecordFailure,
  type ShardOutcomes,
  toFacts,
} from '../core/outcomes.ts';
import { foreignName, resultName } from '../core/paths.ts';
import { planRecord, type RecordPlan, type Write } from '../core/plan.ts';
import type { Hub } from '../core/ports.ts';
import { handleHash, type RecordOfRows } from '../core/record.ts';
import type { Registration } from '../core/registration.ts';
import { isOver, type RestoreRun } from '../core/run.ts';
import { type App, hubOf } from './app.ts';
import { toBytes, toText } from './codec.ts';
import { completeReconcile, LAST_PASS, tooManyFailures } from './complete-reconcile.ts';
import { forEachConcurrent } from './concurrent.ts';
import { openIdMap } from './id-map.ts';
import { beat, readRun, Superseded } from './run-store.ts';
import { readTargetShard } from './seal.ts';
import { readManifest, readSnapshotShard } from './snapshots.ts';

/** Outcomes are saved, and a cancelled run noticed, between batches of this many writes. */
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
  const work = await openShard(app, run, shard, deadlineAt);
  if (!work.isDone) {
    for (let open = work.open(); open.length > 0; open = work.open()) {
      if (app.clock.now() >= deadlineAt) return 'continue';
      try {
        await work.settle(open.slice(0, BATCH));
      } finally {
        // Also when a write failed for good: what was written before must not be written again.
        await work.save();
      }
    }
  }
  await completeReconcile(app, run);
  return 'done';
}

/** One shard's records, what became of each, and the means to settle those still open. */
async function openShard(app: App, run: RestoreRun, shard: number, deadlineAt: number) {
  const { pass } = run.phase;
  const name = resultName('restore', run.id, pass, 'reconcile', shard);
  const manifest = await readManifest(app, run.request.sourceHub, run.request.snapshotId);
  if (manifest === undefined) {
    throw new DrError('SnapshotNotFound', `Snapshot ${run.request.snapshotId} was deleted. Restore another one.`);
  }
  const stored = await app.blobs.get(name);
  let etag = stored?.etag;
  const resumed = stored === undefined ? undefined : parseOutcomes(toText(stored.bytes), name);
  if (resumed?.isDone) return { isDone: true as const };

  const records = await readSnapshotShard(app, manifest, shard);
  const live = await readTargetShard(app, run, shard);
  const before = pass === 1 ? undefined : await readOutcomes(app, run, pass - 1, shard);
  const livesElsewhere = await readForeignHandles(app, run);
  const hub = hubOf(app, run.hub);
  const idMap = await openIdMap(app, hub, run.id, shard);
  const letters = resumed === undefined ? records.map(() => outcomeLetters.pending as string) : [...resumed.letters];
  const failures: RecordFailure[] = [...(resumed?.failures ?? before?.failures ?? [])];
  const tally = {
    duplicatesCollapsed: resumed?.duplicatesCollapsed ?? 0,
    repaired: resumed?.repaired ?? 0,
    changedSince: resumed?.changedSince ?? before?.changedSince ?? 0,
    lostMilliseconds: resumed?.lostMilliseconds ?? 0,
  };
  const paceBefore = hub.pace().millisecondsLostToThrottling;

  const settleAs = (index: number, outcome: Outcome): void => {
    letters[index] = outcomeLetters[outcome];
  };
  const fail = (index: number, failure: Omit<RecordFailure, 'index'>): void => {
    settleAs(index, 'failed');
    failures.push({ index, ...failure });
  };
  const planOf = (record: RecordOfRows): RecordPlan =>
    planRecord(record, live.get(record.key), {
      expiryFloorAtMs: Date.parse(run.request.expiryFloorAt),
      livesElsewhere,
      isRepair: pass > 1,
    });

  /** What is to be written for a record, or nothing when its outcome is known without. */
  const decide = (index: number): { index: number; outcome: Outcome; writes: readonly Write[] } | undefined => {
    const record = records[index];
    if (record === undefined) return undefined;
    const earlier = before?.letters[index];
    if (earlier !== undefined && earlier !== outcomeLetters.created && earlier !== outcomeLetters.updated) {
      // Not written by this run: what happened to it in the target since is its device's own doing.
      letters[index] = earlier;
      return undefined;
    }
    const plan = planOf(record);
    if (earlier === undefined) tally.duplicatesCollapsed += plan.collapsed;
    switch (plan.kind) {
      case 'unchanged':
      case 'keptLive':
        letters[index] = earlier ?? outcomeLetters[plan.kind];
        if (earlier !== undefined && plan.kind === 'keptLive') tally.changedSince += 1;
        return undefined;
      case 'impossible':
        fail(index, { code: plan.fault });
        return undefined;
      case 'create':
      case 'complete': {
        const outcome = earlier === outcomeLetters.updated || plan.kind === 'complete' ? 'updated' : 'created';
        if (earlier === undefined && run.request.dryRun) settleAs(index, outcome);
        else if (earlier !== undefined && pass === LAST_PASS) fail(index, { code: 'NotApplied' });
        else return { index, outcome: earlier === outcomeLetters.created ? 'created' : outcome, writes: plan.writes };
        return undefined;
      }
      default:
        return plan satisfies never;
    }
  };

  const settle = async (indexes: readonly number[]): Promise<void> => {
    const due = indexes.flatMap((index) => decide(index) ?? []);
    const refused: typeof due = [];
    const write = async (one: (typeof due)[number], isLastTry: boolean): Promise<void> => {
      if (app.clock.now() >= deadlineAt) return;
      const answer = await writeRecord(hub, one.writes, idMap.idFor, deadlineAt);
      if (answer.kind === 'idRefused' && !isLastTry) refused.push(one);
      else if (answer.kind === 'written') {
        settleAs(one.index, one.outcome);
        if (before !== undefined) tally.repaired += 1;
      } else {
        const code = answer.kind === 'rejected' ? answer.reason : 'Rejected';
        fail(one.index, { code, status: answer.status });
      }
    };
    const known = due.filter((one) => !idMap.mustMap(one.writes));
    await forEachConcurrent(known, app.policy.maxConcurrency, (one) => write(one, false));
    refused.push(...due.filter((one) => idMap.mustMap(one.writes) && !refused.includes(one) && !known.includes(one)));
    if (refused.length === 0 || app.clock.now() >= deadlineAt) return;
    await idMap.map(
      refused.flatMap((one) => one.writes),
      deadlineAt,
    );
    await forEachConcurrent(refused, app.policy.maxConcurrency, (one) => write(one, true));
  };

  const open = (): number[] => letters.flatMap((letter, index) => (letter === outcomeLetters.pending ? [index] : []));

  const save = async (): Promise<void> => {
    const current = await readRun(app, 'restore', run.id);
    if (current === undefined || isOver(current.run)) throw new Superseded('the run is over');
    const outcomes: ShardOutcomes = {
      formatVersion: 1,
      isDone: open().length === 0,
      letters: letters.join(''),
      ...tally,
      lostMilliseconds: tally.lostMilliseconds + hub.pace().millisecondsLostToThrottling - paceBefore,
      failures,
    };
    const condition = etag === undefined ? 'new' : { etag };
    const next = await app.blobs.put(name, toBytes(formatOutcomes(outcomes)), condition, toFacts(outcomes));
    if (next === 'conflict') throw new Superseded('another step went on with this shard');
    etag = next;
    await beat(app, 'restore', run.id);
    const newlyFailed = failures.length - (before?.failures.length ?? 0);
    if (newlyFailed > app.policy.maxFailures) throw tooManyFailures(failures.length, app.policy.maxFailures);
  };

  // A shard without records is done as soon as that is written down.
  if (records.length === 0) await save();
  return { isDone: false as const, open, settle, save };
}

/** Writes one record's rows in turn; the first answer that is not `written` is the record's. */
async function writeRecord(hub: Hub, writes: readonly Write[], idFor: (id: string) => string, deadlineAt: number) {
  for (const write of writes) {
    const answer =
      write.kind === 'registration'
        ? await hub.putRegistration(idFor(write.id), write.xml, { deadlineAt })
        : await hub.putInstallation(write.id, write.json, { deadlineAt });
    if (answer.kind !== 'written') return answer;
  }
  return { kind: 'written' as const };
}

async function readOutcomes(app: App, run: RestoreRun, pass: number, shard: number): Promise<ShardOutcomes> {
  const name = resultName('restore', run.id, pass, 'reconcile', shard);
  const blob = await app.blobs.get(name);
  if (blob === undefined)
    throw new DrError('StoredDocumentInvalid', `The document ${name} is missing. Start a new restore.`);
  return parseOutcomes(toText(blob.bytes), name);
}

/** The handles that live in the target under a key the snapshot does not have them under, over all shards. */
async function readForeignHandles(app: App, run: RestoreRun): Promise<(row: Registration) => boolean> {
  const { pass } = run.phase;
  const folder = foreignName(run.id, pass, 0).slice(0, -4);
  const entries = await app.blobs.list(folder);
  if (entries.length === 0) return () => false;
  const hashes = new Set<number>();
  for (const entry of entries) {
    const blob = await app.blobs.get(entry.name);
    const list: unknown = blob === undefined ? [] : JSON.parse(toText(blob.bytes));
    if (Array.isArray(list)) for (const hash of list) if (typeof hash === 'number') hashes.add(hash);
  }
  return (row) => hashes.has(handleHash(row));
}
