import { z } from 'zod';
import { DrError } from '../../core/errors.ts';
import { fingerprintRecord } from '../../core/fingerprint/row.ts';
import { FingerprintTable } from '../../core/fingerprint/table.ts';
import { parseJson, parseWith } from '../../core/parse.ts';
import { fingerprintsName, snapshotFingerprintsName } from '../../core/paths.ts';
import type { RestoreRun } from '../../core/run/run.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import { recordsIn } from '../../core/snapshot/shard.ts';
import type { App } from '../app.ts';
import { sha256Hex } from '../stored/codec.ts';
import { bytesOf, packNumbers, unpackNumbers } from '../stored/numbers-blob.ts';
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
  const name = fingerprintsName(run.id, shard);
  await app.blobs.put(name, packFingerprints(name, sha256, fingerprints), 'any');
  return fingerprints;
}

/**
 * Those that `openSnapshotFingerprints` stored. Throws `StoredDocumentInvalid`, naming the blob, on missing or damaged
 * ones.
 */
export async function readSnapshotFingerprints(app: App, run: RestoreRun, shard: number): Promise<FingerprintTable> {
  const name = fingerprintsName(run.id, shard);
  const blob = await app.blobs.get(name);
  if (blob === undefined) throw unusable(name, 'is missing');
  return parseFingerprints(name, blob.bytes).fingerprints;
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
  const blob = await app.blobs.get(name, 'mayBeMissing');
  if (blob === undefined) return undefined;
  try {
    const { of, fingerprints } = parseFingerprints(name, blob.bytes);
    if (of === sha256) return fingerprints;
    app.log.warn('fingerprints of another shard passed over', { name });
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    app.log.warn('fingerprints passed over', { name, code: error.code });
  }
  return undefined;
}

/** The bytes of fingerprints under a name, for a shard whose stored bytes have that SHA-256. */
export function packFingerprints(
  name: string,
  shardSha256: string,
  { platforms, numbers }: FingerprintTable,
): Uint8Array {
  const title: FingerprintsTitle = {
    prints: name,
    of: shardSha256,
    sha256: sha256Hex(bytesOf(numbers)),
    platforms: [...platforms],
  };
  return packNumbers(title, numbers);
}

function parseFingerprints(
  name: string,
  blob: Uint8Array,
): { readonly of: string; readonly fingerprints: FingerprintTable } {
  const { title, numbers } = unpackNumbers(name, blob);
  const { of, sha256, platforms } = parseTitle(title, name);
  if (sha256Hex(bytesOf(numbers)) !== sha256) throw unusable(name, 'is not as it was stored');
  return { of, fingerprints: new FingerprintTable(platforms, numbers) };
}

const titleSchema = z.strictObject({
  prints: z.string(),
  of: z.string(),
  sha256: z.string(),
  platforms: z.array(z.string()),
});
type FingerprintsTitle = z.infer<typeof titleSchema>;

/** The name in it shows that the fingerprints stand where they were put. */
function parseTitle(text: string, name: string): FingerprintsTitle {
  const source = {
    code: 'StoredDocumentInvalid',
    what: `fingerprints ${name}`,
    hint: 'Start a new run.',
    target: name,
  } as const;
  const title = parseWith(titleSchema, parseJson(text, source), source);
  if (title.prints !== name) throw unusable(name, 'holds what was stored elsewhere');
  return title;
}

function unusable(name: string, what: string): DrError {
  return new DrError('StoredDocumentInvalid', `The fingerprints ${name} of the snapshot ${what}. Start a new run.`, {
    target: name,
  });
}
