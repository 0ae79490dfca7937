import { orFault } from '../../core/errors.ts';
import { isSameHub } from '../../core/paths.ts';
import { comparable, type Erasure, identifiersOf } from '../../core/request/erasure.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import { type KeptSnapshot, keptUntil } from '../../core/snapshot/retention.ts';
import { type App, toInstant } from '../app.ts';
import { readMarksOfPair } from '../snapshots/marks.ts';
import { type ListedSnapshot, listSnapshots, readSnapshotShard } from '../snapshots/store.ts';

/** How long a caller waits while snapshots are read, the newest first. */
const SEARCH_MS = 60_000;

/** Which snapshots hold what is erased, and until when they are kept while backups succeed. */
export async function findHolders(app: App, erasure: Erasure) {
  const deadlineAt = app.world.now() + SEARCH_MS;
  const listed = await listSnapshots(app);
  const marksOf = await readMarksOfPair(app);
  const holders = [];
  for (const { hub, id, manifest } of listed) {
    const isPinned = marksOf({ hub, id })?.isPinned === true;
    const records = manifest === undefined ? undefined : await countIn(app, manifest, erasure, deadlineAt);
    if (records === 0) continue;
    const until = manifest === undefined || isPinned ? undefined : untilOf(app, manifest, listed);
    holders.push({
      id,
      hub,
      records: records ?? null,
      until: until === undefined ? null : toInstant(until),
      pinned: isPinned,
    });
  }
  return holders;
}

/** `undefined`: it could not be read, or not in time. */
async function countIn(
  app: App,
  manifest: Manifest,
  { kind, value }: Erasure,
  deadlineAt: number,
): Promise<number | undefined> {
  const wanted = comparable(value);
  let count = 0;
  for (const shard of manifest.shards.keys()) {
    if (app.world.now() > deadlineAt) return undefined;
    const records = await orFault(readSnapshotShard(app, manifest, shard));
    if (!Array.isArray(records)) return undefined;
    count += records.filter((record) => identifiersOf(record, kind).includes(wanted)).length;
  }
  return count;
}

function untilOf({ policy }: App, { id, hub }: Manifest, listed: readonly ListedSnapshot[]): number | undefined {
  const snapshots: KeptSnapshot[] = listed.flatMap(({ id: other, manifest }) => {
    if (manifest === undefined || !isSameHub(manifest.hub, hub)) return [];
    return [{ id: other, takenAtMs: Date.parse(manifest.readStartedAt), health: manifest.health }];
  });
  // A wrong setting deletes nothing.
  return policy.retention && keptUntil(id, snapshots, policy.retention, policy.backupIntervalMs);
}
