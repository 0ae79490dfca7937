import { keyHashOf, shardOf } from '../../core/registration/record.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import { type App, orWarn } from '../app.ts';
import { needSnapshotFingerprints } from '../snapshots/fingerprints.ts';

export interface ToProve {
  readonly key: string;
  /** Of the verdict (epoch ms). */
  readonly at: number;
}

/**
 * The version each record had in the newest good snapshot of the hub in use that had been read before its verdict: what
 * is unchanged since was called dead as it is. Shard by shard, so that memory holds one. Nothing is known of a record in a
 * snapshot that cannot be read.
 */
export async function versionsBefore(
  app: App,
  snapshots: readonly Manifest[],
  records: readonly ToProve[],
): Promise<ReadonlyMap<ToProve, number>> {
  const found = new Map<ToProve, number>();
  const newestFirst = snapshots.toSorted((a, b) => Date.parse(b.readFinishedAt) - Date.parse(a.readFinishedAt));
  const bySnapshot = Map.groupBy(records, ({ at }) =>
    newestFirst.find(({ readFinishedAt }) => Date.parse(readFinishedAt) <= at),
  );
  for (const [snapshot, all] of bySnapshot) {
    if (snapshot === undefined) continue;
    const byShard = Map.groupBy(all, ({ key }) => shardOf(keyHashOf(key), snapshot.shards.length));
    for (const [shard, own] of byShard) await addVersions(app, snapshot, shard, own, found);
  }
  return found;
}

async function addVersions(
  app: App,
  snapshot: Manifest,
  shard: number,
  records: readonly ToProve[],
  found: Map<ToProve, number>,
): Promise<void> {
  const table = await orWarn(app, 'snapshot unreadable for feedback', { snapshotId: snapshot.id, shard }, () =>
    needSnapshotFingerprints(app, snapshot, shard),
  );
  const places = table?.places();
  for (const record of records) {
    const place = places?.get(keyHashOf(record.key));
    if (table !== undefined && place !== undefined) found.set(record, table.versionHashAt(place));
  }
}
