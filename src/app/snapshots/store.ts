import { ARCHIVED_ADVICE, DrError, orFault } from '../../core/errors.ts';
import {
  fullNameOf,
  isSameHub,
  manifestName,
  shardsFolder,
  snapshotFolder,
  snapshotsFolder,
} from '../../core/paths.ts';
import type { Hub, HubRef } from '../../core/ports.ts';
import type { RecordOfRows } from '../../core/registration/record.ts';
import { noGoodSnapshot } from '../../core/run/role-words.ts';
import { isRunId } from '../../core/run/run.ts';
import { datedByStorage, isMisdated } from '../../core/snapshot/dating.ts';
import type { Manifest, ManifestShard } from '../../core/snapshot/manifest.ts';
import { openShardRecords, recordsIn, type ShardRecords } from '../../core/snapshot/shard.ts';
import type { App } from '../app.ts';
import { type Roles, readRoles } from '../runs/roles.ts';
import { decompress, sha256Hex } from '../stored/codec.ts';
import type { Found } from '../stored/document.ts';
import { documents } from '../stored/documents.ts';
import { linesOf } from '../stored/lines.ts';
import { type Latest, readLatest } from './latest.ts';
import { type Marks, readMarks } from './marks.ts';

/**
 * Its times are the storage's. `undefined` when there is no such snapshot. Throws `SnapshotCorrupt` or
 * `SnapshotVersionUnknown`, naming the blob.
 */
export async function readManifest(app: App, hub: HubRef, snapshotId: string): Promise<Manifest | undefined> {
  const name = manifestName(hub, snapshotId);
  const found = await documents.manifest.find(app, name);
  if (found === undefined) return undefined;
  const manifest = datedHere(app, found);
  if (manifest.id === snapshotId && isSameHub(manifest.hub, hub)) return manifest;
  throw documents.manifest.invalid(name, `is that of snapshot ${manifest.id} of hub ${fullNameOf(manifest.hub)}`);
}

function datedHere({ world }: App, { value, ageMs = 0 }: Found<Manifest>): Manifest {
  return datedByStorage(value, world.storageNow() - ageMs);
}

export interface FoundSnapshot {
  readonly manifest: Manifest;
  /** It holds what was taken back since. */
  readonly isUndone?: true;
  /** Why it is not the one that was to be expected: what is wrong with newer ones, as a warning to its restore. */
  readonly warnings: readonly string[];
}

/**
 * The snapshot a caller names: `latest` is the newest intact good one of the hub in use; an id may also name a suspect
 * one, or one of the standby.
 */
export async function chooseSnapshot(
  app: App,
  { role, active, standby }: Roles,
  asked: string,
): Promise<FoundSnapshot> {
  if (asked === 'latest') {
    const hub = active.ref;
    const { manifest, faults, suspects, moreSuspects } = await searchLatest(app, hub);
    const more = moreSuspects === 0 ? [] : [`${moreSuspects} more snapshots are newer, but suspect.`];
    const warnings = [...suspects.map(passedOverAsSuspect), ...more, ...faults.map((fault) => fault.message)];
    if (manifest !== undefined) return { manifest, warnings };
    const details = faults.map(({ code, message: fault, target }) => ({ code, message: fault, target }));
    throw new DrError('NoGoodSnapshot', noGoodSnapshot(role), { details });
  }
  for (const { ref } of [active, standby]) {
    const manifest = isRunId(asked) ? await readManifest(app, ref, asked) : undefined;
    if (manifest === undefined) continue;
    const marks = (await readMarks(app, ref, asked)).get(asked);
    const unfit = whyUnfit(asked, marks);
    const warnings = unfit === undefined ? [] : [unfit.message];
    return marks?.isUndone ? { manifest, isUndone: true, warnings } : { manifest, warnings };
  }
  throw noSnapshot(asked);
}

/** The same by its hub, where that is known. */
export async function findSnapshotOf(app: App, hub: HubRef, id: string): Promise<Manifest> {
  const manifest = isRunId(id) ? await readManifest(app, hub, id) : undefined;
  if (manifest === undefined) throw noSnapshot(id);
  return manifest;
}

export async function findSnapshot(app: App, asked: string): Promise<Manifest> {
  return (await chooseSnapshot(app, await readRoles(app), asked)).manifest;
}

export function noSnapshot(asked: string): DrError {
  const message = `There is no snapshot '${asked}'. List those there are: notification-hubs-dr snapshots`;
  return new DrError('SnapshotNotFound', message, { target: 'snapshot' });
}

/** Newer suspect snapshots that are read, to say why they are: there may be hundreds. */
const SUSPECTS_READ = 3;

/**
 * The newest good snapshot whose manifest and shards are in place. The snapshots themselves are asked, newest first:
 * a `latest.json` that is damaged, lost or an older one of its kind then hides nothing. `faults` are what is wrong with
 * it and with newer snapshots that were passed over, `suspects` the newest ones that are suspect, and `moreSuspects`
 * how many more there are.
 */
export async function searchLatest(app: App, hub: HubRef, marks = readMarks(app, hub)) {
  const [latest, marksOf] = await Promise.all([readLatest(app, hub), marks]);
  const faults = latest.fault === undefined ? [] : [latest.fault];
  const ids = new Set(await listSnapshotIds(app, hub));
  if (latest.snapshotId !== undefined) ids.add(latest.snapshotId);
  const suspects: Manifest[] = [];
  let moreSuspects = 0;
  let manifest: Manifest | undefined;
  for (const snapshotId of [...ids].sort().reverse()) {
    const marksOfOne = marksOf.get(snapshotId);
    if (marksOfOne?.isSuspect && suspects.length >= SUSPECTS_READ) {
      moreSuspects += 1;
      continue;
    }
    const unfit = whyUnfit(snapshotId, marksOfOne);
    const found = unfit ?? (await orFault(readIntact(app, hub, snapshotId, latest)));
    if (found instanceof DrError) faults.push(found);
    else if (found?.health === 'good') {
      manifest = found;
      break;
    } else if (found !== undefined) suspects.push(found);
  }
  for (const { code, message } of faults) {
    app.log.warn('passed over for latest', { code, reason: message, snapshotId: manifest?.id });
  }
  return { manifest, faults, suspects, moreSuspects };
}

function passedOverAsSuspect({ id, healthReasons }: Manifest): string {
  return `Snapshot ${id} is newer, but suspect: ${healthReasons.join('; ')}. It is used only where it is named.`;
}

/** What came to be known of it, that keeps it from being `latest`. */
function whyUnfit(snapshotId: string, { isUndone, proof }: Partial<Marks> = {}): DrError | undefined {
  if (isUndone) return undone(snapshotId);
  if (proof === undefined || proof.isSound) return undefined;
  const message = `Snapshot ${snapshotId} was found damaged at ${proof.at}. If it was repaired since, prove it: notification-hubs-dr verify ${snapshotId}`;
  return new DrError('SnapshotCorrupt', message, { target: snapshotId });
}

function undone(snapshotId: string): DrError {
  const message = `Snapshot ${snapshotId} was read between a restore into its hub and the rollback of that: it holds devices that were taken back.`;
  return new DrError('NoGoodSnapshot', message, { target: snapshotId });
}

async function readIntact(app: App, hub: HubRef, snapshotId: string, latest: Latest): Promise<Manifest | undefined> {
  const manifest = await readManifest(app, hub, snapshotId);
  if (latest.snapshotId === snapshotId && latest.digest !== manifest?.digest) {
    const what = manifest === undefined ? 'is missing' : 'is not the one latest.json was written for';
    throw corrupt({ id: snapshotId }, manifestName(hub, snapshotId), what);
  }
  if (manifest !== undefined && isMisdated(manifest)) throw misdated(manifest);
  if (manifest?.health === 'good') await checkShardsStored(app, manifest);
  return manifest;
}

function misdated({ id, publishedAt }: Manifest): DrError {
  const message = `Snapshot ${id} was stored at ${publishedAt}, before the time in its id: the clock of the host that took it was ahead. It is used only where it is named. Take another (notification-hubs-dr backup), and delete this one: notification-hubs-dr delete ${id}`;
  return new DrError('NoGoodSnapshot', message, { target: id });
}

/** Every id with a folder, oldest first; one without a manifest is a backup that runs or died. */
export async function listSnapshotIds(app: App, hub: HubRef): Promise<string[]> {
  const folder = snapshotsFolder(hub);
  return (await app.blobs.listFolders(folder)).map((name) => name.slice(folder.length, -1));
}

/** Of both hubs of the pair, newest first: ids sort by time. */
export async function listSnapshotIdsOfPair(app: App): Promise<{ readonly hub: HubRef; readonly id: string }[]> {
  const idsOf = async ({ ref: hub }: Hub) => (await listSnapshotIds(app, hub)).map((id) => ({ hub, id }));
  const ids = await Promise.all([app.primary, app.secondary].map(idsOf));
  return ids.flat().sort((a, b) => (a.id < b.id ? 1 : -1));
}

/** The two newest good ones among those ids, the newest first. What cannot be read is passed over. */
export async function findNewestGood(app: App, hub: HubRef, ids: readonly string[]): Promise<string[]> {
  const good: string[] = [];
  for (const id of ids.toReversed()) {
    if (good.length === 2) break;
    const manifest = await orFault(readManifest(app, hub, id));
    if (manifest instanceof DrError) app.log.warn('manifest unusable', { snapshotId: id, code: manifest.code });
    else if (manifest?.health === 'good' && !isMisdated(manifest)) good.push(id);
  }
  return good;
}

export interface ListedSnapshot {
  readonly hub: HubRef;
  readonly id: string;
  readonly manifest?: Manifest;
  /** Why the manifest cannot be used. */
  readonly fault?: DrError;
}

/** Of both hubs, newest first. A snapshot without a manifest does not exist. */
export async function listSnapshots(app: App): Promise<ListedSnapshot[]> {
  const listed: ListedSnapshot[] = [];
  for (const { hub, id } of await listSnapshotIdsOfPair(app)) {
    const found = await orFault(readManifest(app, hub, id));
    if (found instanceof DrError) listed.push({ hub, id, fault: found });
    else if (found !== undefined) listed.push({ hub, id, manifest: found });
  }
  return listed;
}

/** A shard's records, checked against the manifest before anything of it is used. Throws `SnapshotCorrupt`. */
export async function readSnapshotShard(app: App, manifest: Manifest, shard: number): Promise<RecordOfRows[]> {
  return recordsIn(await (await openSnapshotShard(app, manifest, shard)).openRecords());
}

export interface OpenShard {
  readonly sha256: string;
  /** How many records it has. */
  readonly count: number;
  readonly openRecords: () => Promise<ShardRecords>;
}

/**
 * A shard whose bytes are those the manifest names; it is unpacked when its records are needed. Throws
 * `SnapshotCorrupt`.
 */
export async function openSnapshotShard(app: App, manifest: Manifest, shard: number): Promise<OpenShard> {
  const entry = manifest.shards[shard];
  if (entry === undefined) throw corrupt(manifest, `shard ${shard}`, 'is not in the manifest');
  const name = `${snapshotFolder(manifest.hub, manifest.id)}${entry.name}`;
  const blob = await app.blobs.get(name);
  if (blob === undefined) throw corrupt(manifest, name, 'is missing');
  if (blob.bytes.length !== entry.bytes || sha256Hex(blob.bytes) !== entry.sha256) {
    throw corrupt(manifest, name, 'was changed after it was written');
  }
  const openRecords = async (): Promise<ShardRecords> => {
    const records = openShardRecords(linesOf(await decompress(app.world, blob.bytes, name), name), name);
    if (records.count !== entry.records) throw corrupt(manifest, name, 'does not hold what the manifest says');
    return records;
  };
  return { sha256: entry.sha256, count: entry.records, openRecords };
}

/** Whether every shard is there in its size; the bytes themselves are checked as they are read. */
export async function checkShardsStored(app: App, manifest: Pick<Manifest, 'id' | 'hub' | 'shards'>): Promise<void> {
  const { hub, id } = manifest;
  const folder = snapshotFolder(hub, id);
  const stored = new Map((await app.blobs.list(shardsFolder(hub, id))).map((entry) => [entry.name, entry]));
  const nameOf = (shard: ManifestShard): string => `${folder}${shard.name}`;
  const broken = manifest.shards.find((shard) => stored.get(nameOf(shard))?.sizeBytes !== shard.bytes);
  if (broken !== undefined) {
    const isMissing = !stored.has(nameOf(broken));
    throw corrupt(manifest, nameOf(broken), isMissing ? 'is missing' : 'does not have its size');
  }
  const archived = [...stored.values()].find((entry) => entry.isArchived);
  if (archived !== undefined) {
    const message = `Snapshot ${id} cannot be read: ${archived.name}. ${ARCHIVED_ADVICE}`;
    throw new DrError('StorageArchived', message, { target: archived.name });
  }
}

function corrupt(manifest: Pick<Manifest, 'id'>, name: string, what: string): DrError {
  const message = `Snapshot ${manifest.id} is damaged: ${name} ${what}. Nothing of it was restored. Restore another snapshot: notification-hubs-dr snapshots`;
  return new DrError('SnapshotCorrupt', message, { target: name });
}
