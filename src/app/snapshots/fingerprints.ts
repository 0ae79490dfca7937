import { fingerprintRecord } from '../../core/fingerprint/row.ts';
import { FingerprintTable } from '../../core/fingerprint/table.ts';
import { fingerprintsName, snapshotFingerprintsName } from '../../core/paths.ts';
import type { RestoreRun } from '../../core/run/run.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import { recordsIn } from '../../core/snapshot/shard.ts';
import type { App } from '../app.ts';
import { numberBlobs } from '../stored/documents.ts';
import { digestOfNumbers } from '../stored/envelopes.ts';
import type { OpenShard } from './store.ts';

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
  const fingerprints =
    found?.count === count ? found : FingerprintTable.of(recordsIn(await openRecords()).map(fingerprintRecord));
  await storeFingerprints(app, fingerprintsName(run.id, shard), sha256, fingerprints);
  return fingerprints;
}

/** Those that `openSnapshotFingerprints` stored. Throws `StoredDocumentInvalid` when they are missing or damaged. */
export async function readSnapshotFingerprints(app: App, run: RestoreRun, shard: number): Promise<FingerprintTable> {
  return toTable(await numberBlobs.fingerprints.read(app, fingerprintsName(run.id, shard)));
}

/** The fingerprints the backup left beside a shard; `undefined` when there are none that can be used. */
export async function findSnapshotFingerprints(
  app: App,
  { hub, id, shards }: Manifest,
  shard: number,
): Promise<FingerprintTable | undefined> {
  return findFingerprints(app, snapshotFingerprintsName(hub, id, shard), shards[shard]?.sha256 ?? '');
}

async function findFingerprints(app: App, name: string, sha256: string): Promise<FingerprintTable | undefined> {
  const { value } = await numberBlobs.fingerprints.tryFind(app, name, 'mayBeMissing');
  if (value === undefined || value.title.of === sha256) return value && toTable(value);
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
  const title = { of, sha256: digestOfNumbers(numbers), platforms };
  await numberBlobs.fingerprints.write(app, name, { title, numbers }, 'any');
}

function toTable({ title, numbers }: Awaited<ReturnType<typeof numberBlobs.fingerprints.read>>): FingerprintTable {
  return new FingerprintTable(title.platforms, numbers);
}
