import { DrError } from '../core/errors.ts';
import type { Manifest } from '../core/manifest.ts';
import { isDoneFact } from '../core/outcomes.ts';
import { markName, resultsFolder, snapshotFolder } from '../core/paths.ts';
import type { BlobFacts } from '../core/ports.ts';
import { keyHashOf, sectionsOf, shardOf } from '../core/record.ts';
import type { BackupRun } from '../core/run.ts';
import { jsonKeyOf, splitLines } from '../core/shard.ts';
import { decodeUtf8, type Octets } from '../core/utf8.ts';
import type { App } from './app.ts';
import { decompress, sha256Hex, toBytes, toOctets } from './codec.ts';
import { readLatest } from './latest.ts';
import { readManifest } from './snapshots.ts';

/** How a snapshot differs from the good one before it, in records. */
export interface Churn {
  readonly sinceSnapshotId: string;
  /** Between the beginnings of the two. */
  readonly seconds: number;
  readonly added: number;
  readonly removed: number;
  /** Of the same key, but with other rows. */
  readonly changed: number;
}

/**
 * Compares a new shard, line by line, with the same records of the last good snapshot; the answer is kept as facts of
 * the shard's result. It is for the readiness card only: where the older snapshot cannot be read there are no facts.
 */
export async function compareWithLast(
  app: App,
  run: BackupRun,
  shard: number,
  shardLines: Uint8Array,
): Promise<BlobFacts> {
  try {
    const before = await readLastGood(app, run);
    const left = before === undefined ? undefined : await readLines(app, before, shard, run.shardCount);
    if (before === undefined || left === undefined) return {};
    let [added, changed] = [0, 0];
    for (const line of splitLines(toOctets(shardLines))) {
      const key = jsonKeyOf(line);
      const old = left.get(key);
      if (old === undefined) added += 1;
      else if (old !== line) changed += 1;
      left.delete(key);
    }
    return {
      since: before.id,
      since_at: before.readStartedAt,
      added: String(added),
      removed: String(left.size),
      changed: String(changed),
    };
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    app.log.warn('churn not counted', { runId: run.id, shard, code: error.code });
    return {};
  }
}

/** Adds the shards' facts up and keeps the sum beside the snapshot. */
export async function storeChurn(app: App, run: BackupRun, manifest: Manifest): Promise<void> {
  const entries = await app.blobs.list(resultsFolder('backup', run.id, run.phase.pass, 'seal'));
  const facts = entries.map((entry) => entry.facts).filter(isDoneFact);
  const [{ since, since_at: sinceAt } = {}] = facts;
  // While the shards were sealed another snapshot may have become the last good one.
  if (since === undefined || sinceAt === undefined || facts.some((one) => one['since'] !== since)) return;
  const sum = (name: string): string => String(facts.reduce((total, one) => total + Number(one[name]), 0));
  const seconds = Math.round((Date.parse(manifest.readStartedAt) - Date.parse(sinceAt)) / 1000);
  await app.blobs.put(markName(manifest.hub, manifest.id, 'churn'), toBytes(`${manifest.id}\n`), 'any', {
    since,
    seconds: String(seconds),
    added: sum('added'),
    removed: sum('removed'),
    changed: sum('changed'),
  });
}

/** `undefined` when the facts are not those of a churn. */
export function readChurn({ since, ...facts }: BlobFacts): Churn | undefined {
  const [seconds, added, removed, changed] = ['seconds', 'added', 'removed', 'changed'].map((name) =>
    Number(facts[name] ?? Number.NaN),
  );
  if (since === undefined || seconds === undefined || added === undefined) return undefined;
  if (removed === undefined || changed === undefined) return undefined;
  if (![seconds, added, removed, changed].every(Number.isFinite)) return undefined;
  return { sinceSnapshotId: since, seconds, added, removed, changed };
}

async function readLastGood(app: App, run: BackupRun): Promise<Manifest | undefined> {
  const { snapshotId } = await readLatest(app, run.hub);
  if (snapshotId === undefined || snapshotId === run.id) return undefined;
  return readManifest(app, run.hub, snapshotId);
}

/** The older snapshot's lines of one new shard, by key; it may have had another number of shards. */
async function readLines(
  app: App,
  before: Manifest,
  shard: number,
  shardCount: number,
): Promise<Map<Octets, Octets> | undefined> {
  const { first, length } = sectionsOf(shard, shardCount);
  const isOurs = (jsonKey: Octets): boolean =>
    shardOf(keyHashOf(decodeUtf8(String(JSON.parse(jsonKey)))), shardCount) === shard;
  const isSameCut = before.shards.length === shardCount;
  const lines = new Map<Octets, Octets>();
  for (const [index, entry] of before.shards.entries()) {
    const theirs = sectionsOf(index, before.shards.length);
    if (theirs.first >= first + length || theirs.first + theirs.length <= first) continue;
    const name = `${snapshotFolder(before.hub, before.id)}${entry.name}`;
    const blob = await app.blobs.get(name);
    if (blob === undefined || sha256Hex(blob.bytes) !== entry.sha256) return undefined;
    for (const line of splitLines(await decompress(blob.bytes, name))) {
      const key = jsonKeyOf(line);
      if (isSameCut || isOurs(key)) lines.set(key, line);
    }
  }
  return lines;
}
