import { DrError, orFault } from '../../core/errors.ts';
import type { HubRef } from '../../core/ports.ts';
import { keyHashOf, type RecordOfRows, shardOf } from '../../core/registration/record.ts';
import { isOfKind, lostLetter, type RecordKind, recordKinds } from '../../core/restore/plan/outcomes.ts';
import { countIn } from '../../core/restore/totals.ts';
import type { RestoreCounts, RestoreRun } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { findRun } from '../runs/store.ts';
import { listSnapshotIdsOfPair, readManifest, readSnapshotShard } from '../snapshots/store.ts';
import { readComparison } from './compare/comparison.ts';
import { nameOfKey, newestResults, PAGE, parsePosition } from './outcomes/listed.ts';
import { extrasOf, readUndo } from './outcomes/undo.ts';
import { readNewest, readRunOf } from './outcomes/written.ts';

/** Counted only: of a large hub they may be millions that the restore is not about. */
const NOT_STORED =
  'Records that only the target holds, and of which nothing is known, are counted and not stored one by one.';

/** Of each kind a dry run names this many. */
const EXAMPLES = 20;

/** The records of which a restore made this, 100 a page. `from` is the `next` of the page before. */
export async function readRecords(app: App, runId: string, outcome: RecordKind, from = '0:0') {
  const run = await findRun(app, 'restore', runId);
  const start = parsePosition(from);
  if (outcome === 'onlyInTarget') return { value: [], next: undefined, note: NOT_STORED };
  const results = await newestResults(app, run);
  return { ...(await readPage({ app, run, results, isThorough: true }, outcome, start, PAGE)), note: undefined };
}

/** Names a few records of each kind that there is. Of those that only the target holds, the key's hash: a step has no time to read more. */
export async function readExamples(app: App, run: RestoreRun, counts: RestoreCounts) {
  const examples: Record<string, string[]> = {};
  const results = await newestResults(app, run);
  for (const kind of recordKinds) {
    if (kind === 'onlyInTarget' || kind === 'raced' || counts[kind] === 0) continue;
    const { value } = await readPage({ app, run, results, isThorough: false }, kind, { shard: 0, index: 0 }, EXAMPLES);
    examples[kind] = value.map(({ record }) => record);
  }
  return examples;
}

interface Listed {
  readonly app: App;
  readonly run: RestoreRun;
  readonly results: Awaited<ReturnType<typeof newestResults>>;
  /** Whether to look for names in other snapshots, too. */
  readonly isThorough: boolean;
}

async function readPage(
  { app, run, results, isThorough }: Listed,
  outcome: Exclude<RecordKind, 'onlyInTarget'>,
  from: { readonly shard: number; readonly index: number },
  size: number,
) {
  const value: { readonly record: string; readonly outcome: RecordKind; readonly reason?: string }[] = [];
  for (const { shard } of results.filter((one) => one.shard >= from.shard && countIn(one.facts, outcome) > 0)) {
    const newest = await readNewest(app, run, shard);
    const { letters = '', extraCount = 0 } = newest ?? {};
    const first = shard === from.shard ? from.index : 0;
    const positions = [...letters].flatMap((letter, index) =>
      index >= first && isOfKind(letter, outcome) ? [index] : [],
    );
    const taken = positions.slice(0, size - value.length);
    const nameAt = await openNames({ app, run, isThorough }, shard, letters.length - extraCount, taken);
    value.push(...taken.map((index) => ({ record: nameAt(index), outcome, ...reasonOf(letters[index]) })));
    if (value.length === size) return { value, next: `${shard}:${(taken.at(-1) ?? 0) + 1}` };
  }
  return { value, next: undefined };
}

function reasonOf(letter: string | undefined): { readonly reason?: string } {
  return letter === lostLetter ? { reason: 'removed by the service' } : {};
}

/** Names the records at these positions; those beyond `count` only the target holds, or held. */
async function openNames(
  { app, run, isThorough }: Omit<Listed, 'results'>,
  shard: number,
  count: number,
  positions: readonly number[],
) {
  if (positions.length === 0) return () => '';
  const manifest = await readManifest(app, run.request.sourceHub, run.request.snapshotId);
  const records = manifest === undefined ? [] : await readSnapshotShard(app, manifest, shard);
  const extras = positions.some((index) => index >= count)
    ? await namesOfExtras({ app, run, isThorough }, { shard, count, positions }, records)
    : [];
  return (index: number): string =>
    index < count ? nameOfKey(records[index]?.key) : (extras[index - count] ?? 'unknown');
}

/** Of a record that is not in the snapshot the key is known where its text was kept, for a rollback or in another snapshot. */
async function namesOfExtras(
  { app, run, isThorough }: Omit<Listed, 'results'>,
  {
    shard,
    count,
    positions,
  }: { readonly shard: number; readonly count: number; readonly positions: readonly number[] },
  records: readonly RecordOfRows[],
) {
  if (run.request.purpose === 'rollback') {
    if (records.length !== count) return [];
    const undo = await readUndo(app, await readRunOf(app, run), shard);
    return extrasOf(undo, new Set(records.map(({ key }) => key))).map(nameOfKey);
  }
  const undo = await readUndo(app, run, shard);
  const keys = new Map([...undo.keys()].map((key) => [keyHashOf(key), key]));
  const { extras } = await readComparison(app, run, shard, count, 1);
  const wanted = positions.flatMap((index) => extras[index - count]?.keyHash ?? []);
  const unknown = new Set(wanted.filter((keyHash) => !keys.has(keyHash)));
  const former = isThorough ? await findKeys(app, unknown) : new Map<number, string>();
  return extras.map(({ keyHash }) => {
    const key = keys.get(keyHash) ?? former.get(keyHash);
    return key === undefined ? `key ${keyHash.toString(16)}` : nameOfKey(key);
  });
}

/** Each is read for the shards of a page that hold some. */
const SNAPSHOTS_SEARCHED = 6;

/** The keys of records that a restore knows by hash: of the newest snapshots of both hubs one may hold each. */
async function findKeys(app: App, keyHashes: Set<number>): Promise<ReadonlyMap<number, string>> {
  const found = new Map<number, string>();
  for (const { hub, id } of (await listSnapshotIdsOfPair(app)).slice(0, SNAPSHOTS_SEARCHED)) {
    if (keyHashes.size === 0) return found;
    const keys = await orFault(keysIn(app, hub, id, keyHashes));
    // A damaged one may be searched in vain.
    if (keys instanceof DrError) continue;
    for (const key of keys) {
      found.set(keyHashOf(key), key);
      keyHashes.delete(keyHashOf(key));
    }
  }
  return found;
}

async function keysIn(app: App, hub: HubRef, id: string, keyHashes: ReadonlySet<number>): Promise<string[]> {
  const manifest = await readManifest(app, hub, id);
  if (manifest === undefined) return [];
  const shards = new Set([...keyHashes].map((keyHash) => shardOf(keyHash, manifest.shards.length)));
  const records = await Promise.all([...shards].map((shard) => readSnapshotShard(app, manifest, shard)));
  return records
    .flat()
    .map(({ key }) => key)
    .filter((key) => keyHashes.has(keyHashOf(key)));
}
