import { fingerprintRecord } from '../../core/fingerprint/row.ts';
import { FingerprintTable } from '../../core/fingerprint/table.ts';
import { fingerprintsName, snapshotFingerprintsName } from '../../core/paths.ts';
import type { RestoreRun } from '../../core/run/run.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import { recordsIn } from '../../core/snapshot/shard.ts';
import type { App } from '../app.ts';
import { numberBlobs } from '../stored/documents.ts';
import { digestOfNumbers } from '../stored/envelopes.ts';
import { type OpenShard, openSnapshotShard, readManifest } from './store.ts';

/**
 * The fingerprints of a snapshot's shard, for all passes of a restore: those the backup left beside it, or, where there
 * are none that can be used, such as are made of the shard itself.
 */
export async function openSnapshotFingerprints(
  app: App,
  run: RestoreRun,
  shard: number,
  { sha256, count, openRecords }: OpenShard,
): Promise<FingerprintTable> {
  const { sourceHub, snapshotId } = run.request;
  const found = await findFingerprints(app, snapshotFingerprintsName(sourceHub, snapshotId, shard), sha256);
  const isUsable = found instanceof FingerprintTable && found.count === count;
  const fingerprints = isUsable ? found : await makeFingerprints(openRecords);
  await storeFingerprints(app, fingerprintsName(run.id, shard), sha256, fingerprints);
  return fingerprints;
}

/**
 * Those that `openSnapshotFingerprints` stored; where an older version of the app did, they are made again. Throws
 * `StoredDocumentInvalid` when they are missing or damaged.
 */
export async function readSnapshotFingerprints(app: App, run: RestoreRun, shard: number): Promise<FingerprintTable> {
  const name = fingerprintsName(run.id, shard);
  const stored = await numberBlobs.fingerprints.read(app, name);
  if (stored.title.form !== undefined) return toTable(stored);
  const { sourceHub, snapshotId } = run.request;
  const manifest = await readManifest(app, sourceHub, snapshotId);
  if (manifest === undefined) throw numberBlobs.fingerprints.invalid(name, 'are of a snapshot that was deleted');
  return openSnapshotFingerprints(app, run, shard, await openSnapshotShard(app, manifest, shard));
}

/**
 * The fingerprints the backup left beside a shard; where an older version of the app did, they are made of the shard.
 * `undefined` when there are none that can be used.
 */
export async function findSnapshotFingerprints(
  app: App,
  manifest: Manifest,
  shard: number,
): Promise<FingerprintTable | undefined> {
  const { hub, id, shards } = manifest;
  const found = await findFingerprints(app, snapshotFingerprintsName(hub, id, shard), shards[shard]?.sha256 ?? '');
  return found === 'older' ? fingerprintsOfShard(app, manifest, shard) : found;
}

/** The same, made of the shard where there are none that can be used. */
export async function needSnapshotFingerprints(app: App, manifest: Manifest, shard: number): Promise<FingerprintTable> {
  return (await findSnapshotFingerprints(app, manifest, shard)) ?? fingerprintsOfShard(app, manifest, shard);
}

async function fingerprintsOfShard(app: App, manifest: Manifest, shard: number): Promise<FingerprintTable> {
  return makeFingerprints((await openSnapshotShard(app, manifest, shard)).openRecords);
}

async function makeFingerprints(openRecords: OpenShard['openRecords']): Promise<FingerprintTable> {
  return FingerprintTable.of(recordsIn(await openRecords()).map(fingerprintRecord));
}

/** `older`: an older version of the app stored them, and they say less. */
async function findFingerprints(app: App, name: string, sha256: string) {
  const { value } = await numberBlobs.fingerprints.tryFind(app, name, 'mayBeMissing');
  if (value === undefined) return undefined;
  if (value.title.of === sha256) return value.title.form === undefined ? 'older' : toTable(value);
  app.log.warn('fingerprints of another shard passed over', { name });
  return undefined;
}

/** Stores fingerprints for a shard whose stored bytes have that SHA-256. */
export async function storeFingerprints(
  app: App,
  name: string,
  of: string,
  { platforms, numbers }: FingerprintTable,
): Promise<void> {
  const title = { form: 2, of, sha256: digestOfNumbers(numbers), platforms } as const;
  await numberBlobs.fingerprints.write(app, name, { title, numbers }, 'any');
}

function toTable({ title, numbers }: Awaited<ReturnType<typeof numberBlobs.fingerprints.read>>): FingerprintTable {
  return new FingerprintTable(title.platforms, numbers);
}
