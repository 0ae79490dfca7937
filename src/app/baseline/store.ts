import type { BaselineRecord } from '../../core/baseline/record.ts';
import { BaselineTable, createBaselineWriter } from '../../core/baseline/table.ts';
import { DrError } from '../../core/errors.ts';
import { adoptedName, baselineFolder, baselineName, baselineShardName, baselinesFolder } from '../../core/paths.ts';
import { membersOf, sectionsOf } from '../../core/registration/record.ts';
import { isRepairInPlace } from '../../core/restore/plan/circumstances.ts';
import { showsAll } from '../../core/restore/plan/too-early.ts';
import { MAX_UNFINISHED, type RestoreRun } from '../../core/run/run.ts';
import { type App, toInstant } from '../app.ts';
import { documents, numberBlobs } from '../stored/documents.ts';
import { dropTaken, withDead } from './dead.ts';
import { removeOldBaselines } from './remove-old.ts';
import { type BaselineShard, orientationOf, type Pair, pairOf, readTable, toShard, withAdopted } from './shard.ts';

type Ref = NonNullable<RestoreRun['baseline']>['current'];

/** What a new run decides by. A baseline that is damaged counts as none, and is logged. */
export async function findBaseline(
  app: App,
  run: Pick<RestoreRun, 'hub' | 'request'>,
): Promise<Pick<RestoreRun, 'baseline'> & { readonly unfinished: readonly string[] }> {
  const { value } = await documents.baseline.tryFind(app, baselineName(...pairOf(app, run)), 'mayBeMissing');
  if (value === undefined) return { unfinished: [] };
  const { current, previous, unfinished } = value;
  const baseline = current && { current, ...(previous === undefined ? {} : { previous }) };
  return { baseline, unfinished };
}

/** Runs between the configured hubs, likewise, whose writes the baseline does not know yet. */
export async function findUnfinished(app: App): Promise<readonly string[]> {
  const name = baselineName(app.primary.ref, app.secondary.ref);
  return (await documents.baseline.tryFind(app, name, 'mayBeMissing')).value?.unfinished ?? [];
}

/** Before the run writes: until the baseline knows what it has written, a later run has to look. */
export async function noteUnfinished(app: App, run: RestoreRun): Promise<void> {
  if (isRepairInPlace(run)) return;
  await changeBaseline(app, pairOf(app, run), ({ unfinished, ...stored }) =>
    unfinished.includes(run.id) ? undefined : { ...stored, unfinished: [...unfinished, run.id].slice(-MAX_UNFINISHED) },
  );
}

type StoredBaseline = Awaited<ReturnType<typeof documents.baseline.read>>;

/** By compare-and-swap until it holds. `change` gives `undefined` to leave it as it is; then the answer is false. */
async function changeBaseline(
  app: App,
  pair: Pair,
  change: (stored: StoredBaseline) => StoredBaseline | undefined,
): Promise<boolean> {
  const name = baselineName(...pair);
  for (;;) {
    const { value, etag } = await documents.baseline.tryFind(app, name, 'mayBeMissing');
    const next = change(value ?? { unfinished: [] });
    if (next === undefined) return false;
    if ((await documents.baseline.write(app, name, next, { etag })) !== 'conflict') return true;
  }
}

/**
 * Opens what the run decides by. A damaged shard is read as the run before left it. Where the pair has no baseline, a
 * target that the first look has shown empty starts one without entries; any other holds rows of unknown origin.
 */
export async function openBaseline(app: App, run: RestoreRun, shard: number): Promise<BaselineShard> {
  const agreed = await openAgreed(app, run, shard);
  if (run.unfinished === undefined || run.unfinished.length === 0) return agreed;
  return withAdopted(agreed, toShard(app, run, shard, [await readTable(app, adoptedName(run.id, shard))], 'none'));
}

/** The same without what this run has seen of the writes of unfinished ones. */
export async function openAgreed(app: App, run: RestoreRun, shard: number): Promise<BaselineShard> {
  return withDead(app, run, shard, await openStored(app, run, shard));
}

async function openStored(app: App, run: RestoreRun, shard: number): Promise<BaselineShard> {
  const { baseline, found } = run;
  if (baseline === undefined) return toShard(app, run, shard, [], found?.rows === 0 ? 'none' : 'unknown');
  const { current, previous } = baseline;
  const tables = (await tryRead(app, run, current, shard)) ?? (previous && (await tryRead(app, run, previous, shard)));
  return tables === undefined
    ? { ...toShard(app, run, shard, [], 'unknown'), isLost: true }
    : toShard(app, run, shard, tables, 'none');
}

/**
 * What the run left of the pair's agreements, by shards of another count. `undefined` where that is no longer stored:
 * an older version of the app did not keep it.
 */
export async function openBaselineLeftBy(app: App, run: RestoreRun, shardCount: number) {
  const left = { runId: run.id, shardCount: run.shardCount };
  const stored = await app.blobs.list(baselineFolder(...pairOf(app, run), run.id));
  if (stored.length < run.shardCount) return undefined;
  const as = { ...run, shardCount };
  return async (shard: number): Promise<BaselineShard | undefined> => {
    const tables = await tryRead(app, as, left, shard);
    return tables && toShard(app, as, shard, tables, 'none');
  };
}

async function tryRead(
  app: App,
  run: RestoreRun,
  ref: Pick<Ref, 'runId' | 'shardCount'>,
  shard: number,
): Promise<BaselineTable[] | undefined> {
  const shards = membersOf(sectionsOf(shard, run.shardCount, ref.shardCount));
  try {
    return await Promise.all(
      shards.map((one) => readTable(app, baselineShardName(...pairOf(app, run), ref.runId, one))),
    );
  } catch (error) {
    if (!(error instanceof DrError) || error.retryable) throw error;
    app.log.warn('baseline unreadable', { runId: run.id, shard, code: error.code, reason: error.message });
    return undefined;
  }
}

/** Takes what the run makes of each record of a shard, and stores it. The same run stores the same again. */
export function writeBaselineShard(app: App, run: RestoreRun, shard: number, recordCount: number) {
  return writeTable(app, run, baselineShardName(...pairOf(app, run), run.id, shard), recordCount);
}

/** Stores what the run has seen of the writes of unfinished runs, and gives what it decides by then. */
export async function storeAdoptedShard(
  app: App,
  run: RestoreRun,
  shard: number,
  records: readonly BaselineRecord[],
  agreed: BaselineShard,
): Promise<BaselineShard> {
  const table = writeTable(app, run, adoptedName(run.id, shard), records.length);
  for (const record of records) table.add(record);
  const numbers = await table.store();
  return withAdopted(agreed, toShard(app, run, shard, [new BaselineTable(numbers)], 'none'));
}

function writeTable(app: App, run: RestoreRun, name: string, recordCount: number) {
  const writer = createBaselineWriter(recordCount);
  const orient = orientationOf(app, run);
  return {
    add: (record: BaselineRecord): void => writer.add(orient(record)),
    async store(): Promise<Float64Array> {
      const numbers = writer.finish();
      await numberBlobs.baselineShard.write(app, name, { title: {}, numbers }, 'any');
      return numbers;
    },
  };
}

/**
 * Makes what the run left of every shard the pair's baseline, and keeps the one it decided by beside it. Another run of
 * the pair that moved it meanwhile counts. Of the runs whose writes have to be looked at once more those are done that
 * this one has looked at, when all of them had to show; this one itself is left to the next.
 */
export async function moveBaseline(app: App, run: RestoreRun): Promise<void> {
  const pair = pairOf(app, run);
  const stored = await app.blobs.list(baselineFolder(...pair, run.id));
  if (stored.length < run.shardCount) return;
  const current = { runId: run.id, shardCount: run.shardCount, at: toInstant(app.world.storageNow()) };
  const previous = run.baseline?.current;
  const adopted = (run.unfinished ?? []).filter(({ endedAt }) => showsAll(endedAt, Date.parse(run.createdAt)));
  const done = new Set(adopted.map(({ id }) => id));
  const isMoved = await changeBaseline(app, pair, (before) =>
    before.current?.runId === previous?.runId
      ? { current, previous, unfinished: before.unfinished.filter((id) => !done.has(id)) }
      : undefined,
  );
  if (isMoved) {
    await removeOldBaselines(app, baselinesFolder(...pair), [run.id, previous?.runId]);
    await dropTaken(app, run);
  } else app.log.warn('baseline was moved by another run', { runId: run.id });
}

/**
 * Makes what a rollback left of every shard the pair's baseline, if no other run has moved that since: then the rollback
 * stays unfinished. What was so when the restore began is so again, and the restore itself until all of it is undone.
 */
export async function revertBaseline(
  app: App,
  rollback: RestoreRun,
  restore: RestoreRun,
  isComplete: boolean,
): Promise<void> {
  const pair = pairOf(app, rollback);
  const known = rollback.baseline?.current;
  // By the restore, or back to that by the rollbacks of newer ones.
  const undoing = (rollback.newer ?? []).flatMap(({ isUndone, rollbacks }) => (isUndone ? rollbacks : []));
  const wasMoved = known !== undefined && [restore.id, ...undoing].includes(known.runId);
  const stored = await app.blobs.list(baselineFolder(...pair, rollback.id));
  const own = { runId: rollback.id, shardCount: rollback.shardCount, at: toInstant(app.world.storageNow()) };
  const hasOwn = known !== undefined && stored.length === rollback.shardCount;
  const again = wasMoved ? (restore.unfinished ?? []).map(({ id }) => id) : [];
  await changeBaseline(app, pair, ({ current, previous, unfinished }) => {
    const left = unfinished.filter((one) => one !== restore.id || !isComplete);
    if (current?.runId !== known?.runId) return { current, previous, unfinished: left };
    const others = left.filter((one) => one !== rollback.id);
    const all = [...again.filter((id) => !others.includes(id)), ...others].slice(-MAX_UNFINISHED);
    return hasOwn ? { current: own, previous: known, unfinished: all } : { current, previous, unfinished: all };
  });
}
