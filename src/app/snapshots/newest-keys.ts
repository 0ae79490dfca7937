import type { HubRef } from '../../core/ports.ts';
import { membersOf, sectionsOf, shardOf } from '../../core/registration/record.ts';
import { circumstancesOf, isWithinBounds, readAtOf } from '../../core/restore/plan/circumstances.ts';
import type { RestoreRun } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { findSnapshotFingerprints } from './fingerprints.ts';
import { readManifest } from './store.ts';

/** By hash what the newest good snapshot of the source holds of a shard, where the run restores another one. */
export async function readNewestKeys(app: App, run: RestoreRun, shard: number): Promise<Versions | undefined> {
  const newest = run.source?.newestGood[0];
  if (newest === undefined || newest === run.request.snapshotId) return undefined;
  return readVersions(app, run, run.request.sourceHub, newest, shard);
}

/**
 * Tells by its hash whether a record of an older snapshot has gone since: the newest one does not hold it. Where that is
 * so of too many, of none.
 */
export async function openGoneSince(app: App, run: RestoreRun, shard: number): Promise<(keyHash: number) => boolean> {
  const newest = await readNewestKeys(app, run, shard);
  const isWithin = isWithinBounds(run, 'goneSince', app.policy.maxDeletePercent);
  return (keyHash) => newest !== undefined && isWithin && !newest.has(keyHash);
}

/**
 * By hash what the target's own newest good snapshot holds of a shard, where the target was in use before the source
 * was: a row that is as it was then is older than what devices have said to the source since.
 */
export async function readVersionsFromBefore(app: App, run: RestoreRun, shard: number): Promise<Versions | undefined> {
  const { ownSnapshot, hub } = run;
  const { sourceTermStart } = circumstancesOf(run);
  const isBetween = ownSnapshot !== undefined && Date.parse(ownSnapshot.readAt) < sourceTermStart;
  return isBetween && sourceTermStart <= readAtOf(run) ? readVersions(app, run, hub, ownSnapshot.id, shard) : undefined;
}

/**
 * By hash what the two newest good snapshots hold of a shard, and since when both were read (epoch ms). `undefined` when
 * there are not two that can be read.
 */
export async function readKeysOfBoth(
  app: App,
  run: RestoreRun,
  shard: number,
): Promise<{ readonly held: ReadonlySet<number>; readonly readSince: number } | undefined> {
  const { sourceHub } = run.request;
  const both = await Promise.all(
    (run.source?.newestGood ?? []).map(async (id) => ({
      versions: await readVersions(app, run, sourceHub, id, shard),
      readAt: Date.parse((await readManifest(app, sourceHub, id))?.readStartedAt ?? ''),
    })),
  );
  if (both.length < 2 || both.some(({ versions }) => versions === undefined)) return undefined;
  return {
    held: new Set(both.flatMap(({ versions }) => [...(versions?.keys() ?? [])])),
    readSince: Math.min(...both.map(({ readAt }) => readAt)),
  };
}

/** Of each record by the hash of its key. */
type Versions = ReadonlyMap<number, number>;

/** `undefined` where the snapshot, or its fingerprints, cannot be used: then it tells nothing. */
async function readVersions(
  app: App,
  run: RestoreRun,
  hub: HubRef,
  snapshotId: string,
  shard: number,
): Promise<Versions | undefined> {
  const manifest = await readManifest(app, hub, snapshotId);
  if (manifest === undefined) return undefined;
  const versions = new Map<number, number>();
  for (const one of membersOf(sectionsOf(shard, run.shardCount, manifest.shards.length))) {
    const fingerprints = await findSnapshotFingerprints(app, manifest, one);
    if (fingerprints === undefined) return undefined;
    for (let index = 0; index < fingerprints.count; index += 1) {
      const keyHash = fingerprints.keyHashAt(index);
      if (shardOf(keyHash, run.shardCount) === shard) versions.set(keyHash, fingerprints.versionHashAt(index));
    }
  }
  return versions;
}
