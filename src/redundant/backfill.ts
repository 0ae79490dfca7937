import { toInstant } from '../app/app.ts';
import type { DualHub } from '../app/dual/hub.ts';
import { hashOf, type Storage, write } from '../app/dual/intents.ts';
import { repairIntent } from '../app/dual/repair.ts';
import { decompress, sha256Hex } from '../app/stored/codec.ts';
import { forEachConcurrent } from '../app/stored/concurrent.ts';
import { documents } from '../app/stored/documents.ts';
import { linesOf } from '../app/stored/lines.ts';
import type { Device, Intent } from '../core/dual/intent.ts';
import { fullNameOf, intentName, isSameHub, latestName, manifestName, snapshotShardName } from '../core/paths.ts';
import type { HubRef, Log } from '../core/ports.ts';
import { installationIdIn } from '../core/registration/record.ts';
import type { Role } from '../core/run/role.ts';
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
 * newer one is stored, carried out at once.
 */
export async function backfill(app: Parts, { active, standby }: Role): Promise<Backfilled> {
  const other = app.hubs.find(({ ref }) => isSameHub(ref, standby));
  const snapshotId = (await documents.latest.find(app, latestName(active)))?.value.snapshotId;
  const manifest = snapshotId && (await documents.manifest.find(app, manifestName(active, snapshotId)))?.value;
  if (!manifest || other === undefined) {
    throw new RedundantHubError('NoGoodSnapshot', `There is no snapshot of ${fullNameOf(active)} yet: start a backup.`);
  }
  const counts = { there: 0, added: 0, queued: 0, gone: 0 };
  for (const [shard, { sha256 }] of manifest.shards.entries()) {
    const name = snapshotShardName(active, manifest.id, shard);
    const devices = await readDevices(app, name, sha256);
    await forEachConcurrent(devices, AT_ONCE, async (device) => {
      counts[await copy(app, device, active, other)] += 1;
    });
  }
  return { snapshotId: manifest.id, ...counts };
}

async function readDevices(app: Parts, name: string, sha256: string): Promise<Device[]> {
  const blob = await app.blobs.get(name);
  if (blob === undefined || sha256Hex(blob.bytes) !== sha256) {
    throw new RedundantHubError('SnapshotCorrupt', `Blob '${name}' is missing or not as it was stored.`);
  }
  const records = recordsIn(openShardRecords(linesOf(await decompress(app.world, blob.bytes, name), name), name));
  return records.flatMap(({ key, rows }): Device[] => {
    const id = installationIdIn(key);
    return id === undefined
      ? rows.map((row) => ({ kind: 'registration', id: row.id }))
      : [{ kind: 'installation', id }];
  });
}

async function copy(
  app: Parts,
  device: Device,
  active: HubRef,
  other: DualHub,
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
  let isAdded = false;
  const onConfirmed = (): void => {
    isAdded = true;
  };
  const repair = { ...app, active, onConfirmed };
  const repaired = await repairIntent(repair, intentName(hashOf(device)), etag);
  if (isAdded) return 'added';
  return repaired === 'done' ? 'gone' : 'queued';
}
