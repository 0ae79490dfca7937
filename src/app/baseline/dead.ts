import type { BaselineRecord } from '../../core/baseline/record.ts';
import { BaselineTable, createBaselineWriter } from '../../core/baseline/table.ts';
import { deadName } from '../../core/paths.ts';
import { membersOf, sectionsOf, shardOf } from '../../core/registration/record.ts';
import type { RestoreRun } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { numberBlobs } from '../stored/documents.ts';
import { type BaselineShard, orientationOf, type Pair, pairOf } from './shard.ts';

/**
 * Tombstones of records that were removed as dead, beside the pair's baseline, which only runs move: the next run of the
 * pair takes them into it.
 */
const PARTS = 16;
/** An agreement that a run made while the records were removed may speak of those. */
const GRACE_MS = 3_600_000;

/** Puts records in place of those with their keys, and takes others out. As they are stored: by `isFirstOfPair`. */
export async function changeDead(
  app: App,
  pair: Pair,
  { put, drop }: { readonly put: readonly BaselineRecord[]; readonly drop: (record: BaselineRecord) => boolean },
): Promise<void> {
  const added = Map.groupBy(put, ({ keyHash }) => shardOf(keyHash, PARTS));
  for (const part of membersOf({ first: 0, count: PARTS })) {
    await changePart(app, deadName(...pair, part), added.get(part) ?? [], drop);
  }
}

async function changePart(
  app: App,
  name: string,
  added: readonly BaselineRecord[],
  drop: (record: BaselineRecord) => boolean,
): Promise<void> {
  for (;;) {
    const { value, etag } = await numberBlobs.baselineShard.tryFind(app, name, 'mayBeMissing');
    const before = value === undefined ? [] : recordsIn(new BaselineTable(value.numbers));
    const keys = new Set(added.map(({ keyHash }) => keyHash));
    const kept = before.filter((record) => !keys.has(record.keyHash) && !drop(record));
    const next = [...kept, ...added];
    if (added.length === 0 && kept.length === before.length) return;
    if (next.length === 0) return app.blobs.remove(name, etag);
    const writer = createBaselineWriter(next.length);
    for (const record of next) writer.add(record);
    const whole = { title: {}, numbers: writer.finish() };
    if ((await numberBlobs.baselineShard.write(app, name, whole, { etag })) !== 'conflict') return;
  }
}

function recordsIn(table: BaselineTable): BaselineRecord[] {
  return [...table.keyHashes()].flatMap((keyHash) => table.get(keyHash) ?? []);
}

/** What a run decides by, where records were removed as dead before it began. */
export async function withDead(
  app: App,
  run: RestoreRun,
  shard: number,
  agreed: BaselineShard,
): Promise<BaselineShard> {
  if (run.source?.hasDead === undefined) return agreed;
  const pair = pairOf(app, run);
  const orient = orientationOf(app, run);
  const startedAt = Date.parse(run.createdAt);
  const dead = new Map<number, BaselineRecord>();
  for (const part of membersOf(sectionsOf(shard, run.shardCount, PARTS))) {
    const { value } = await numberBlobs.baselineShard.tryFind(app, deadName(...pair, part), 'mayBeMissing');
    for (const record of value === undefined ? [] : recordsIn(new BaselineTable(value.numbers))) {
      const isOfShard = shardOf(record.keyHash, run.shardCount) === shard;
      if (isOfShard && lookOf(record) <= startedAt) dead.set(record.keyHash, orient(record));
    }
  }
  const get = (keyHash: number): BaselineRecord => {
    const before = agreed.get(keyHash);
    const tombstone = dead.get(keyHash);
    return tombstone === undefined || lookOf(before) > lookOf(tombstone) + GRACE_MS ? before : tombstone;
  };
  return { ...agreed, get, keyHashes: () => new Set([...dead.keys(), ...agreed.keyHashes()]) };
}

/** When either hub was last looked at for it. */
function lookOf({ agreed }: BaselineRecord): number {
  return typeof agreed === 'string' ? Number.NEGATIVE_INFINITY : Math.max(agreed.source.at, agreed.target.at);
}

/** A run that has moved the baseline has taken in what it decided by. */
export async function dropTaken(app: App, run: RestoreRun): Promise<void> {
  if (run.source?.hasDead === undefined) return;
  const startedAt = Date.parse(run.createdAt);
  await changeDead(app, pairOf(app, run), { put: [], drop: (record) => lookOf(record) <= startedAt });
}
