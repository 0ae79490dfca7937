import { haveSame } from '../../core/fingerprint/row.ts';
import type { FingerprintTable } from '../../core/fingerprint/table.ts';
import type { BlobFacts } from '../../core/ports.ts';
import { sectionsOf, shardOf } from '../../core/registration/record.ts';
import type { BackupRun } from '../../core/run/run.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import { type App, orWarn } from '../app.ts';
import { findSnapshotFingerprints } from '../snapshots/fingerprints.ts';
import { readLatest } from '../snapshots/latest.ts';
import { putMark } from '../snapshots/marks.ts';
import { readManifest } from '../snapshots/store.ts';

/** Counts something about the records of a new shard, as facts of its result; none where it cannot. */
export type ShardCounter = (shard: number, fingerprints: FingerprintTable) => Promise<BlobFacts>;

/**
 * Counts what the last good snapshot had otherwise. It is for the readiness card only: where the older fingerprints
 * cannot be read there are no facts. `undefined` when there is no such snapshot.
 */
export async function openChurn(app: App, run: BackupRun): Promise<ShardCounter | undefined> {
  const orNothing = <T>(work: () => Promise<T>) => orWarn(app, 'churn not counted', { runId: run.id }, work);
  const before = await orNothing(() => readLastGood(app, run));
  if (before === undefined) return undefined;
  const compare = async (shard: number, fingerprints: FingerprintTable): Promise<BlobFacts> => {
    const left = await readRecords(app, before, shard, run.shardCount);
    if (left === undefined) return {};
    let [added, changed] = [0, 0];
    for (let index = 0; index < fingerprints.count; index += 1) {
      const keyHash = fingerprints.keyHashAt(index);
      const old = left.get(keyHash);
      if (old === undefined) added += 1;
      else if (!haveSame(old, fingerprints.contentHashesAt(index))) changed += 1;
      left.delete(keyHash);
    }
    return {
      since: before.id,
      since_at: before.readStartedAt,
      added: String(added),
      removed: String(left.size),
      changed: String(changed),
    };
  };
  return async (shard, fingerprints) => (await orNothing(() => compare(shard, fingerprints))) ?? {};
}

/** Adds the shards' facts up and keeps the sum beside the snapshot. */
export async function storeChurn(app: App, manifest: Manifest, facts: readonly BlobFacts[]): Promise<void> {
  const [{ since, since_at: sinceAt } = {}] = facts;
  // While the shards were built another snapshot may have become the last good one.
  if (since === undefined || sinceAt === undefined || facts.some((one) => one['since'] !== since)) return;
  const sum = (name: string): number => facts.reduce((total, one) => total + Number(one[name]), 0);
  const seconds = Math.round((Date.parse(manifest.readStartedAt) - Date.parse(sinceAt)) / 1000);
  const counts = { added: sum('added'), removed: sum('removed'), changed: sum('changed') };
  await putMark(app, manifest, 'churn', { since, seconds, ...counts });
}

async function readLastGood(app: App, run: BackupRun): Promise<Manifest | undefined> {
  const { snapshotId } = await readLatest(app, run.hub, 'mayBeMissing');
  if (snapshotId === undefined || snapshotId === run.id) return undefined;
  return readManifest(app, run.hub, snapshotId);
}

/** The contents of the older snapshot's records of one new shard, by key; it may have had another number of shards. */
async function readRecords(
  app: App,
  before: Manifest,
  shard: number,
  shardCount: number,
): Promise<Map<number, readonly number[]> | undefined> {
  const { first, count } = sectionsOf(shard, shardCount);
  const found = new Map<number, readonly number[]>();
  for (const index of before.shards.keys()) {
    const theirs = sectionsOf(index, before.shards.length);
    if (theirs.first >= first + count || theirs.first + theirs.count <= first) continue;
    const fingerprints = await findSnapshotFingerprints(app, before, index);
    if (fingerprints === undefined) return undefined;
    for (let record = 0; record < fingerprints.count; record += 1) {
      const keyHash = fingerprints.keyHashAt(record);
      if (shardOf(keyHash, shardCount) === shard) found.set(keyHash, fingerprints.contentHashesAt(record));
    }
  }
  return found;
}
