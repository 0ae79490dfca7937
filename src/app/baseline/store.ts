import { type BaselineRecord, turned } from '../../core/baseline/record.ts';
import { BaselineTable } from '../../core/baseline/table.ts';
import { DrError } from '../../core/errors.ts';
import {
  baselineFolder,
  baselineName,
  baselineShardName,
  baselinesFolder,
  isFirstOfPair,
  isSameHub,
} from '../../core/paths.ts';
import type { HubRef } from '../../core/ports.ts';
import { membersOf, sectionsOf, shardOf } from '../../core/registration/record.ts';
import type { RestoreRun } from '../../core/run/run.ts';
import { type App, toInstant } from '../app.ts';
import { documents, numberBlobs } from '../stored/documents.ts';
import { removeAll } from '../stored/remove-all.ts';

/** What a pair of hubs agreed on, of one shard of a run, as seen from the run's source to its target. */
export interface BaselineShard {
  /** Also for a record without an agreement. */
  get(keyHash: number): BaselineRecord;
  /** Of every record that has an agreement or a note. */
  keyHashes(): Iterable<number>;
  /** What was stored cannot be read: its records are of unknown origin. */
  readonly isLost: boolean;
}

type Ref = NonNullable<RestoreRun['baseline']>['current'];

type Pair = readonly [source: HubRef, target: HubRef];

/** The hubs whose baseline a run is about; of a repair in place, the hub and the one it is restored into otherwise. */
function pairOf(app: App, { hub, request: { sourceHub } }: Pick<RestoreRun, 'hub' | 'request'>): Pair {
  const isRepair = isSameHub(hub, sourceHub);
  return [sourceHub, isRepair && !isSameHub(hub, app.secondary.ref) ? app.secondary.ref : hub];
}

/** The baseline a new run decides by. One that is damaged counts as none, and is logged. */
export async function findBaseline(
  app: App,
  run: Pick<RestoreRun, 'hub' | 'request'>,
): Promise<RestoreRun['baseline']> {
  return (await documents.baseline.tryFind(app, baselineName(...pairOf(app, run)), 'mayBeMissing')).value;
}

/**
 * Opens what the run decides by. A damaged shard is read as the run before left it. Where the pair has no baseline, a
 * target that the first look has shown empty starts one without entries; any other holds rows of unknown origin.
 */
export async function openBaseline(app: App, run: RestoreRun, shard: number): Promise<BaselineShard> {
  const { baseline, found } = run;
  if (baseline === undefined) return toShard(app, run, shard, [], found?.rows === 0 ? 'none' : 'unknown');
  const { current, previous } = baseline;
  const tables = (await tryRead(app, run, current, shard)) ?? (previous && (await tryRead(app, run, previous, shard)));
  return tables === undefined
    ? { ...toShard(app, run, shard, [], 'unknown'), isLost: true }
    : toShard(app, run, shard, tables, 'none');
}

async function tryRead(app: App, run: RestoreRun, ref: Ref, shard: number): Promise<BaselineTable[] | undefined> {
  const shards = membersOf(sectionsOf(shard, run.shardCount, ref.shardCount));
  try {
    return await Promise.all(
      shards.map(async (one) => {
        const name = baselineShardName(...pairOf(app, run), ref.runId, one);
        return toTable(name, (await numberBlobs.baselineShard.read(app, name)).numbers);
      }),
    );
  } catch (error) {
    if (!(error instanceof DrError) || error.retryable) throw error;
    app.log.warn('baseline unreadable', { runId: run.id, shard, code: error.code, reason: error.message });
    return undefined;
  }
}

function toTable(name: string, numbers: Float64Array): BaselineTable {
  try {
    return new BaselineTable(numbers);
  } catch (error) {
    if (error instanceof RangeError) throw numberBlobs.baselineShard.invalid(name, 'ends within a record');
    throw error;
  }
}

function toShard(
  app: App,
  run: RestoreRun,
  shard: number,
  tables: readonly BaselineTable[],
  without: 'none' | 'unknown',
): BaselineShard {
  const isTurned = !isFirstOfPair(...pairOf(app, run));
  return {
    get(keyHash) {
      for (const table of tables) {
        const record = table.get(keyHash);
        if (record !== undefined) return isTurned ? turned(record) : record;
      }
      return { keyHash, agreed: without, note: undefined };
    },
    *keyHashes() {
      for (const table of tables) {
        for (const keyHash of table.keyHashes()) if (shardOf(keyHash, run.shardCount) === shard) yield keyHash;
      }
    },
    isLost: false,
  };
}

/** Stores what the run makes of a shard. The same run stores the same again. */
export async function storeBaselineShard(
  app: App,
  run: RestoreRun,
  shard: number,
  records: readonly BaselineRecord[],
): Promise<void> {
  const isTurned = !isFirstOfPair(...pairOf(app, run));
  const { numbers } = BaselineTable.of(isTurned ? records.map(turned) : records);
  const name = baselineShardName(...pairOf(app, run), run.id, shard);
  await numberBlobs.baselineShard.write(app, name, { title: {}, numbers }, 'any');
}

/**
 * Makes what the run left of every shard the pair's baseline, and keeps the one it decided by beside it. Another run of
 * the pair that moved it meanwhile counts: what this one agreed on is met by the next as it is.
 */
export async function moveBaseline(app: App, run: RestoreRun): Promise<void> {
  const pair = pairOf(app, run);
  const stored = await app.blobs.list(baselineFolder(...pair, run.id));
  if (stored.length < run.shardCount) return;
  const name = baselineName(...pair);
  const { value, etag } = await documents.baseline.tryFind(app, name, 'mayBeMissing');
  if (value?.current.runId === run.id) return;
  const isMoved = value !== undefined && value.current.runId !== run.baseline?.current.runId;
  const current = { runId: run.id, shardCount: run.shardCount, at: toInstant(app.world.now()) };
  const previous = run.baseline?.current;
  const next = { current, ...(previous === undefined ? {} : { previous }) };
  if (isMoved || (await documents.baseline.write(app, name, next, { etag })) === 'conflict') {
    app.log.warn('baseline was moved by another run', { runId: run.id });
    return;
  }
  await removeOthers(app, pair, [run.id, ...(previous === undefined ? [] : [previous.runId])]);
}

/** After a rollback the pair has the baseline again that the restore had decided by, if no run has moved it since. */
export async function revertBaseline(app: App, rollback: RestoreRun): Promise<void> {
  const pair = pairOf(app, rollback);
  const name = baselineName(...pair);
  const { value, etag } = await documents.baseline.tryFind(app, name, 'mayBeMissing');
  if (value === undefined || value.current.runId !== rollback.request.of) return;
  const { previous } = value;
  if (previous === undefined) await app.blobs.remove(name, etag);
  else await documents.baseline.write(app, name, { current: previous }, { etag });
}

async function removeOthers(app: App, pair: Pair, kept: readonly string[]): Promise<void> {
  const folder = baselinesFolder(...pair);
  for (const name of await app.blobs.listFolders(folder)) {
    if (!kept.includes(name.slice(folder.length, -1))) await removeAll(app, name);
  }
}
