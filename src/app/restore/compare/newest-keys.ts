import { membersOf, sectionsOf, shardOf } from '../../../core/registration/record.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { findSnapshotFingerprints } from '../../snapshots/fingerprints.ts';
import { readManifest } from '../../snapshots/store.ts';

/** By hash what the newest good snapshot of the source holds of a shard, where the run restores another one. */
export async function readNewestKeys(
  app: App,
  run: RestoreRun,
  shard: number,
): Promise<ReadonlySet<number> | undefined> {
  const newest = run.source?.newestGood[0];
  return newest === undefined || newest === run.request.snapshotId ? undefined : readKeys(app, run, newest, shard);
}

/** By hash what the two newest good snapshots hold of a shard. `undefined` when there are not two that can be read. */
export async function readKeysOfBoth(
  app: App,
  run: RestoreRun,
  shard: number,
): Promise<ReadonlySet<number> | undefined> {
  const ids = run.source?.newestGood ?? [];
  const all = await Promise.all(ids.map((id) => readKeys(app, run, id, shard)));
  const both = all.flatMap((keys) => (keys === undefined ? [] : [keys]));
  return both.length < 2 ? undefined : new Set(both.flatMap((keys) => [...keys]));
}

/** `undefined` where the snapshot, or its fingerprints, cannot be used: then it tells nothing. */
async function readKeys(
  app: App,
  run: RestoreRun,
  snapshotId: string,
  shard: number,
): Promise<Set<number> | undefined> {
  const manifest = await readManifest(app, run.request.sourceHub, snapshotId);
  if (manifest === undefined) return undefined;
  const keys = new Set<number>();
  for (const one of membersOf(sectionsOf(shard, run.shardCount, manifest.shards.length))) {
    const fingerprints = await findSnapshotFingerprints(app, manifest, one);
    if (fingerprints === undefined) return undefined;
    for (let index = 0; index < fingerprints.count; index += 1) {
      const keyHash = fingerprints.keyHashAt(index);
      if (shardOf(keyHash, run.shardCount) === shard) keys.add(keyHash);
    }
  }
  return keys;
}
