import { toInstant } from '../app/app.ts';
import type { DualHub } from '../app/dual/hub.ts';
import { hashOf, type Storage, write } from '../app/dual/intents.ts';
import { repairIntent } from '../app/dual/repair.ts';
import { openErased } from '../app/snapshots/erased.ts';
import { decompress, sha256Hex } from '../app/stored/codec.ts';
import { forEachConcurrent } from '../app/stored/concurrent.ts';
import { documents } from '../app/stored/documents.ts';
import { linesOf } from '../app/stored/lines.ts';
import type { Device, Intent } from '../core/dual/intent.ts';
import {
  erasedName,
  fullNameOf,
  intentName,
  isSameHub,
  latestName,
  manifestName,
  snapshotShardName,
} from '../core/paths.ts';
import type { HubRef, Log } from '../core/ports.ts';
import { installationIdIn, type RecordOfRows } from '../core/registration/record.ts';
import type { Role } from '../core/run/role.ts';
import type { Manifest } from '../core/snapshot/manifest.ts';
import { openShardRecords, recordsIn } from '../core/snapshot/shard.ts';
import { RedundantHubError } from './error.ts';
import type { Backfilled } from './options.ts';

interface Parts extends Storage {
  readonly log: Log;
  readonly hubs: readonly DualHub[];
}

const AT_ONCE = 16;
const CALL_MS = 10_000;

/**
 * For each device of the latest snapshot that the other hub has not: an intent to copy it from the hub in use, where no
 * newer one is stored, carried out at once. Not for what was erased from the snapshot.
 */
export async function backfill(app: Parts, { active, standby }: Role): Promise<Backfilled> {
  const other = app.hubs.find(({ ref }) => isSameHub(ref, standby));
  const snapshotId = (await documents.latest.find(app, latestName(active)))?.value.snapshotId;
  const manifest = snapshotId && (await documents.manifest.find(app, manifestName(active, snapshotId)))?.value;
  if (!manifest || other === undefined) {
    throw new RedundantHubError('NoGoodSnapshot', `There is no snapshot of ${fullNameOf(active)} yet: start a backup.`);
  }
  const counts = { there: 0, added: 0, queued: 0, gone: 0, erased: 0 };
  for (const [shard, { sha256 }] of manifest.shards.entries()) {
    const name = snapshotShardName(active, manifest.id, shard);
    const devices = await readDevices(app, name, sha256);
    await forEachConcurrent(devices, AT_ONCE, async ({ device, record }) => {
      const isErased = () => isErasedFrom(app, manifest, record);
      counts[await copy(app, device, active, other, isErased)] += 1;
    });
  }
  return { snapshotId: manifest.id, ...counts };
}

interface Held {
  readonly device: Device;
  readonly record: RecordOfRows;
}

async function readDevices(app: Parts, name: string, sha256: string): Promise<Held[]> {
  const blob = await app.blobs.get(name);
  if (blob === undefined || sha256Hex(blob.bytes) !== sha256) {
    throw new RedundantHubError('SnapshotCorrupt', `Blob '${name}' is missing or not as it was stored.`);
  }
  const records = recordsIn(openShardRecords(linesOf(await decompress(app.world, blob.bytes, name), name), name));
  return records.flatMap((record): Held[] => {
    const id = installationIdIn(record.key);
    return id === undefined
      ? record.rows.map((row) => ({ device: { kind: 'registration', id: row.id }, record }))
      : [{ device: { kind: 'installation', id }, record }];
  });
}

/** An erasure is stored beside the snapshot before it looks for intents: asked once the intent is stored, none is missed. */
async function isErasedFrom(app: Parts, { hub, id }: Manifest, record: RecordOfRows): Promise<boolean> {
  if ((await app.blobs.list(erasedName(hub, id))).length === 0) return false;
  return (await openErased(app, hub, id))(record);
}

async function copy(
  app: Parts,
  device: Device,
  active: HubRef,
  other: DualHub,
  isErased: () => Promise<boolean>,
): Promise<keyof Omit<Backfilled, 'snapshotId'>> {
  const call = { deadlineAt: app.world.now() + CALL_MS };
  const isThere =
    device.kind === 'installation'
      ? (await other.findInstallation(device.id, call)).length > 0
      : (await other.findRegistration(device.id, call)) !== undefined;
  if (isThere) return 'there';
  const intent: Intent = {
    device,
    state: { kind: 'patch', operations: [] },
    at: toInstant(app.world.storageNow()),
    confirmed: [fullNameOf(active)],
    refused: [],
  };
  const etag = await write(app, intent, undefined);
  if (etag === 'conflict') return 'there';
  const name = intentName(hashOf(device));
  if (await isErased()) {
    await app.blobs.remove(name, etag);
    return 'erased';
  }
  let isAdded = false;
  const onConfirmed = (): void => {
    isAdded = true;
  };
  const repair = { ...app, active, onConfirmed };
  const repaired = await repairIntent(repair, name, etag);
  if (isAdded) return 'added';
  return repaired === 'done' ? 'gone' : 'queued';
}
