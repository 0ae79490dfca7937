import { idMapName, idMapsFolder } from '../../../core/paths.ts';
import type { Hub, WriteOutcome } from '../../../core/ports.ts';
import type { Write } from '../../../core/restore/plan.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { forEachConcurrent } from '../../stored/concurrent.ts';
import { documents } from '../../stored/documents.ts';

export interface IdMap {
  /** The id to write to: the snapshot's own, or the newest that stands for it. */
  idFor(id: string): string;
  /** All new ids asked for in place of one of the snapshot's, oldest first. */
  mintedFor(id: string): readonly string[];
  /** A refused id (404, 410) means that the target takes none of the snapshot's; 400 may be the row's own fault. */
  noteAnswer(id: string, answer: WriteOutcome): void;
  /** The target is known to refuse such ids: it is not asked again. */
  mustMap(writes: readonly Write[]): boolean;
  /** Gets new ids in place of those that were, or would be, refused, and stores them. */
  map(writes: readonly Write[], deadlineAt: number): Promise<void>;
}

/**
 * Which new registration ids stand for those the target refused. The map is stored before a new id is written to, so
 * that a step that dies in between, or runs twice, uses the same id again and no device is registered twice. It belongs
 * to the target: a restore begun again while the hub does not show yet what the last one wrote uses the same ids, too.
 */
export async function openIdMap(app: App, hub: Hub, run: RestoreRun, shard: number): Promise<IdMap> {
  const name = idMapName(run.hub, run.shardCount, shard);
  const earlier = await readOfOtherCounts(app, run, shard);
  let { ids, etag } = await readMap(app, name, earlier);
  let refusesIds = false;
  const asked = new Set<string>();
  const refused = new Set<string>();

  const idFor = (id: string): string => ids.get(id)?.at(-1) ?? id;
  const isHopeless = (id: string): boolean => refusesIds && !asked.has(id) && !ids.has(id);
  const needsNew = (id: string): boolean => refused.has(idFor(id)) || isHopeless(id);

  const oldIds = (writes: readonly Write[]): string[] =>
    writes.flatMap((write) => (write.kind === 'registration' ? [write.id] : []));

  let mapping = Promise.resolve();
  const mapNow = async (writes: readonly Write[], deadlineAt: number): Promise<void> => {
    const wanted = oldIds(writes).filter(needsNew);
    const fresh = new Map<string, string>();
    await forEachConcurrent(wanted, app.policy.maxConcurrency, async (id) => {
      fresh.set(id, await hub.createRegistrationId({ deadlineAt }));
    });
    for (;;) {
      // What a twin of this step stored first counts; its ids may be in use already.
      for (const [id, freshId] of fresh) if (needsNew(id)) ids.set(id, [...(ids.get(id) ?? []), freshId]);
      const next = await documents.idMap.write(app, name, { ids: Object.fromEntries(ids) }, { etag });
      if (next !== 'conflict') {
        etag = next;
        return;
      }
      ({ ids, etag } = await readMap(app, name, earlier));
    }
  };

  return {
    idFor,
    mintedFor: (id) => ids.get(id) ?? [],
    noteAnswer(id, answer) {
      asked.add(id);
      if (answer.kind !== 'idRefused') return;
      refused.add(idFor(id));
      refusesIds ||= answer.status !== 400;
    },
    // Asked for every record, and nearly always of a hub that takes the snapshot's ids.
    mustMap: (writes) => refusesIds && oldIds(writes).some(isHopeless),
    map(writes, deadlineAt) {
      // One after the other: of two at once each would find that the other stored first.
      const mapped = mapping.then(() => mapNow(writes, deadlineAt));
      mapping = mapped.catch(() => {});
      return mapped;
    },
  };
}

type MintedIds = ReadonlyMap<string, readonly string[]>;

/** The new ids ever asked for in place of those of a shard of a run's snapshot, oldest first. */
export async function readMintedIds(app: App, run: RestoreRun, shard: number): Promise<MintedIds> {
  const earlier = await readOfOtherCounts(app, run, shard);
  return (await readMap(app, idMapName(run.hub, run.shardCount, shard), earlier)).ids;
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
async function readOfOtherCounts(app: App, run: RestoreRun, shard: number): Promise<MintedIds> {
  const folder = idMapsFolder(run.hub);
  const counts = (await app.blobs.listFolders(folder)).map((name) => Number(name.slice(folder.length, -1)));
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
async function readMap(
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
