import { idMapName, idMapsFolder } from '../../../core/paths.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { documents } from '../../stored/documents.ts';

export type MintedIds = ReadonlyMap<string, readonly string[]>;

/** The new ids ever asked for in place of those of a shard of a run's snapshot, oldest first. */
export async function readMintedIds(app: App, run: RestoreRun, shard: number): Promise<MintedIds> {
  return (await readNewestMap(app, run, shard)).ids;
}

/** The map of the shard, on top of what others left for the same records. */
export async function readNewestMap(app: App, run: RestoreRun, shard: number) {
  const folder = idMapsFolder(run.hub);
  const counts = (await app.blobs.listFolders(folder)).map((name) => Number(name.slice(folder.length, -1)));
  const earlier = await readOfOtherCounts(app, run, shard, counts);
  if (!counts.includes(run.shardCount)) return { earlier, ids: new Map(earlier), etag: undefined };
  return { earlier, ...(await readMap(app, idMapName(run.hub, run.shardCount, shard), earlier)) };
}

/** Likewise for all shards: each map of the target is read once, those of the run's own shard count last. */
export async function readTargetsMintedIds(app: App, { hub, shardCount }: RestoreRun): Promise<MintedIds> {
  const own = idMapName(hub, shardCount, 0).replace(/[^/]*$/, '');
  const names = (await app.blobs.list(idMapsFolder(hub))).map(({ name }) => name);
  const ids = new Map<string, readonly string[]>();
  for (const name of [...names.filter((one) => !one.startsWith(own)), ...names.filter((one) => one.startsWith(own))]) {
    for (const [id, minted] of (await readMap(app, name, new Map())).ids) ids.set(id, minted);
  }
  return ids;
}

/** What restores of snapshots with more or fewer shards left for the same records: shards are halved, never mixed. */
async function readOfOtherCounts(
  app: App,
  run: RestoreRun,
  shard: number,
  counts: readonly number[],
): Promise<MintedIds> {
  let ids: MintedIds = new Map();
  for (const count of counts) {
    if (count === run.shardCount) continue;
    const ratio = count / run.shardCount;
    const first = Math.floor(shard * ratio);
    for (let other = first; other < first + Math.max(1, ratio); other++) {
      ({ ids } = await readMap(app, idMapName(run.hub, count, other), ids));
    }
  }
  return ids;
}

/** The map stored under `name` on top of `earlier`. */
export async function readMap(
  app: App,
  name: string,
  earlier: MintedIds,
): Promise<{ ids: Map<string, readonly string[]>; etag: string | undefined }> {
  const found = await documents.idMap.find(app, name);
  const merged = new Map(earlier);
  for (const [id, minted] of Object.entries(found?.value.ids ?? {})) {
    merged.set(id, [...new Set([...(merged.get(id) ?? []), ...minted])]);
  }
  return { ids: merged, etag: found?.etag };
}
