import { idMapName, idMapsFolder } from '../../../core/paths.ts';
import type { HubRef } from '../../../core/ports.ts';
import { isRepairInPlace } from '../../../core/restore/plan/circumstances.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { documents } from '../../stored/documents.ts';
import { remembered } from '../../stored/remembered.ts';

export type MintedIds = ReadonlyMap<string, readonly string[]>;

/** The new ids ever asked for in place of those of a shard of a run's snapshot, oldest first. */
async function readMintedIds(app: App, run: RestoreRun, shard: number): Promise<MintedIds> {
  return (await readNewestMap(app, run, shard)).ids;
}

/**
 * Under which other ids than the snapshot's the target may hold its rows: the ones in place of which the snapshot's hub
 * gave these out, on the way there, then those that the target did, oldest first.
 */
export async function readOtherIds(app: App, run: RestoreRun, shard: number): Promise<MintedIds> {
  const originals = await readOriginalIds(app, run, shard);
  return joined(originals, await readMintedIds(app, run, shard));
}

/** Under which ids the snapshot's hub may hold a row of the target: either may have refused the other's. */
export async function readIdsInSource(app: App, run: RestoreRun, shard: number): Promise<MintedIds> {
  const inSource = await readMintedInSource(app, run, shard);
  return joined(inSource, originalsOf(await readMintedIds(app, run, shard)));
}

/** Of ids that the snapshot's hub gave out in place of the target's: those of the target. */
export async function readOriginalIds(app: App, run: RestoreRun, shard: number): Promise<MintedIds> {
  if (isRepairInPlace(run)) return new Map();
  return invert(await readMintedInSource(app, run, shard));
}

/** Those of the snapshot's hub: a run does not change them, so that its steps list them once. */
async function readMintedInSource(app: App, run: RestoreRun, shard: number): Promise<MintedIds> {
  const inSource = { ...run, hub: run.request.sourceHub };
  const { idMapCounts } = app.memory;
  const counts = await remembered(idMapCounts, run.id, RUNS_REMEMBERED, () => listCounts(app, inSource.hub));
  return (await readMapOf(app, inSource, shard, counts)).ids;
}

/** A process works at few restores at a time. */
const RUNS_REMEMBERED = 4;

function joined(first: MintedIds, then: MintedIds): MintedIds {
  const ids = new Map(first);
  for (const [id, others] of then) ids.set(id, [...(ids.get(id) ?? []), ...others]);
  return ids;
}

/** Only the newest of several: with two rows in the snapshot, both would be written under one id. */
function invert(minted: MintedIds): MintedIds {
  return originalsOf([...minted].map(([id, others]) => [id, others.slice(-1)]));
}

function originalsOf(minted: Iterable<readonly [string, readonly string[]]>): MintedIds {
  const originals = new Map<string, readonly string[]>();
  for (const [id, others] of minted) {
    for (const other of others) originals.set(other, [...(originals.get(other) ?? []), id]);
  }
  return originals;
}

/** The map of the shard, on top of what others left for the same records. */
export async function readNewestMap(app: App, run: RestoreRun, shard: number) {
  return readMapOf(app, run, shard, await listCounts(app, run.hub));
}

/** How many shards the snapshots had whose restores left maps for the hub. */
async function listCounts(app: App, hub: HubRef): Promise<readonly number[]> {
  const folder = idMapsFolder(hub);
  return (await app.blobs.listFolders(folder)).map((name) => Number(name.slice(folder.length, -1)));
}

async function readMapOf(app: App, run: RestoreRun, shard: number, counts: readonly number[]) {
  const earlier = await readOfOtherCounts(app, run, shard, counts);
  if (!counts.includes(run.shardCount)) return { earlier, ids: new Map(earlier), etag: undefined };
  return { earlier, ...(await readMap(app, idMapName(run.hub, run.shardCount, shard), earlier)) };
}

/** Likewise for all shards. */
export async function readAllOtherIds(app: App, run: RestoreRun): Promise<MintedIds> {
  const { sourceHub } = run.request;
  const originals = isRepairInPlace(run) ? undefined : invert(await readAllMintedIds(app, { ...run, hub: sourceHub }));
  return new Map([...(originals ?? []), ...(await readAllMintedIds(app, run))]);
}

/** Each map of the hub is read once, those of the run's own shard count last. */
async function readAllMintedIds(app: App, { hub, shardCount }: RestoreRun): Promise<MintedIds> {
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
