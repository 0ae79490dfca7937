import { DrError } from '../core/errors.ts';
import { type Manifest, type ManifestShard, parseManifest } from '../core/manifest.ts';
import { latestName, manifestName, snapshotFolder, snapshotsFolder } from '../core/paths.ts';
import type { HubRef } from '../core/ports.ts';
import type { RecordOfRows } from '../core/record.ts';
import { isRunId } from '../core/run.ts';
import { parseShard } from '../core/shard.ts';
import type { App } from './app.ts';
import { decompress, sha256Hex, toText } from './codec.ts';

/** `undefined` when there is no such snapshot. Throws `SnapshotCorrupt` or `SnapshotVersionUnknown`. */
export async function readManifest(app: App, hub: HubRef, snapshotId: string): Promise<Manifest | undefined> {
  const name = manifestName(hub, snapshotId);
  const blob = await app.blobs.get(name);
  return blob === undefined ? undefined : parseManifest(toText(blob.bytes), name, sha256Hex);
}

/** The snapshot a caller names: `latest` is the newest good one, an id may also name a suspect one. */
export async function findSnapshot(app: App, hub: HubRef, asked: string): Promise<Manifest> {
  if (asked === 'latest') {
    const latest = await findLatestGood(app, hub);
    if (latest !== undefined) return latest;
    throw new DrError(
      'NoGoodSnapshot',
      `There is no good snapshot of hub ${hub.namespace}/${hub.hub}. GET /api/snapshots shows whether a suspect one exists, which can be restored by its id; else back up now: POST /api/backups.`,
    );
  }
  const manifest = isRunId(asked) ? await readManifest(app, hub, asked) : undefined;
  if (manifest !== undefined) return manifest;
  throw new DrError('SnapshotNotFound', `There is no snapshot '${asked}'. GET /api/snapshots lists those there are.`, {
    target: 'snapshot',
  });
}

/** What `latest.json` names; when that is missing or damaged, the newest good manifest that can be read. */
export async function findLatestGood(app: App, hub: HubRef): Promise<Manifest | undefined> {
  const named = await readLatestId(app, hub);
  if (named !== undefined) {
    const manifest = await readUsable(app, hub, named);
    if (manifest?.health === 'good') return manifest;
    app.log.warn('latest.json names no usable snapshot', { snapshotId: named });
  }
  for (const snapshotId of (await listSnapshotIds(app, hub)).reverse()) {
    const manifest = await readUsable(app, hub, snapshotId);
    if (manifest?.health === 'good') return manifest;
  }
  return undefined;
}

async function readLatestId(app: App, hub: HubRef): Promise<string | undefined> {
  const blob = await app.blobs.get(latestName(hub));
  if (blob === undefined) return undefined;
  try {
    const latest: unknown = JSON.parse(toText(blob.bytes));
    if (typeof latest !== 'object' || latest === null || !('snapshotId' in latest)) return undefined;
    return typeof latest.snapshotId === 'string' && isRunId(latest.snapshotId) ? latest.snapshotId : undefined;
  } catch {
    // Not JSON: the manifests themselves are asked.
    return undefined;
  }
}

async function readUsable(app: App, hub: HubRef, snapshotId: string): Promise<Manifest | undefined> {
  try {
    return await readManifest(app, hub, snapshotId);
  } catch (error) {
    if (!(error instanceof DrError) || error.retryable) throw error;
    app.log.warn('manifest unusable', { snapshotId, code: error.code });
    return undefined;
  }
}

/** Every id with a folder, oldest first; one without a manifest is a backup that runs or died. */
export async function listSnapshotIds(app: App, hub: HubRef): Promise<string[]> {
  const folder = snapshotsFolder(hub);
  return (await app.blobs.listFolders(folder)).map((name) => name.slice(folder.length, -1));
}

export interface ListedSnapshot {
  readonly id: string;
  readonly manifest?: Manifest;
  /** Why the manifest cannot be used. */
  readonly fault?: DrError;
}

/** Newest first. A snapshot without a manifest does not exist. */
export async function listSnapshots(app: App, hub: HubRef): Promise<ListedSnapshot[]> {
  const listed: ListedSnapshot[] = [];
  for (const id of (await listSnapshotIds(app, hub)).reverse()) {
    try {
      const manifest = await readManifest(app, hub, id);
      if (manifest !== undefined) listed.push({ id, manifest });
    } catch (error) {
      if (!(error instanceof DrError) || error.retryable) throw error;
      listed.push({ id, fault: error });
    }
  }
  return listed;
}

/** A shard's records, checked against the manifest before anything of it is used. Throws `SnapshotCorrupt`. */
export async function readSnapshotShard(app: App, manifest: Manifest, shard: number): Promise<RecordOfRows[]> {
  const entry = manifest.shards[shard];
  if (entry === undefined) throw corrupt(manifest, `shard ${shard}`, 'is not in the manifest');
  const name = `${snapshotFolder(manifest.hub, manifest.id)}${entry.name}`;
  const blob = await app.blobs.get(name);
  if (blob === undefined) throw corrupt(manifest, name, 'is missing');
  if (blob.bytes.length !== entry.bytes || sha256Hex(blob.bytes) !== entry.sha256) {
    throw corrupt(manifest, name, 'was changed after it was written');
  }
  const records = parseShard(await decompress(blob.bytes, name), name);
  if (records.length !== entry.records) throw corrupt(manifest, name, 'does not hold what the manifest says');
  return records;
}

/** Whether every shard is there in its size; the bytes themselves are checked as they are read. */
export async function checkShardsStored(app: App, manifest: Manifest): Promise<void> {
  const folder = snapshotFolder(manifest.hub, manifest.id);
  const sizes = new Map((await app.blobs.list(folder)).map((entry) => [entry.name, entry.sizeBytes]));
  const broken = manifest.shards.find((shard: ManifestShard) => sizes.get(`${folder}${shard.name}`) !== shard.bytes);
  if (broken === undefined) return;
  const isMissing = !sizes.has(`${folder}${broken.name}`);
  throw corrupt(manifest, `${folder}${broken.name}`, isMissing ? 'is missing' : 'does not have its size');
}

function corrupt(manifest: Manifest, name: string, what: string): DrError {
  return new DrError(
    'SnapshotCorrupt',
    `Snapshot ${manifest.id} is damaged: ${name} ${what}. Nothing of it was restored. Restore another snapshot (GET /api/snapshots).`,
    { target: name },
  );
}
