import { z } from 'zod';
import { DrError } from '../core/errors.ts';
import type { Manifest } from '../core/manifest.ts';
import { parseJson, parseWith } from '../core/parse.ts';
import { printsName, snapshotPrintsName } from '../core/paths.ts';
import { printRecord, type RecordPrint } from '../core/row-print.ts';
import type { RestoreRun } from '../core/run.ts';
import { recordsIn } from '../core/shard.ts';
import type { App } from './app.ts';
import { packFrame, sha256Hex, toText, unpackFrame } from './codec.ts';
import type { OpenShard } from './snapshots.ts';

/** A snapshot's shard without its text: enough to see what is in place. */
export interface SnapshotPrints {
  readonly records: readonly RecordPrint[];
}

/** The bytes of prints under a name, for a shard whose stored bytes have that SHA-256. */
export function packPrints(name: string, shardSha256: string, records: readonly RecordPrint[]): Uint8Array {
  return packFrame(formatPrints(name, shardSha256, records));
}

/**
 * The prints of a snapshot's shard, for all passes of a restore: those the backup left beside it, or, where there are
 * none that can be used, such as are made of the shard itself.
 */
export async function openSnapshotPrints(
  app: App,
  run: RestoreRun,
  shard: number,
  { sha256, count, openRecords }: OpenShard,
): Promise<SnapshotPrints> {
  const { sourceHub, snapshotId } = run.request;
  const found = await findPrints(app, snapshotPrintsName(sourceHub, snapshotId, shard), sha256);
  const records = found?.length === count ? found : recordsIn(await openRecords()).map(printRecord);
  const name = printsName(run.id, shard);
  await app.blobs.put(name, packPrints(name, sha256, records), 'any');
  return { records };
}

/** Those that `openSnapshotPrints` stored. Throws `StoredDocumentInvalid`, naming the blob, on missing or damaged ones. */
export async function readSnapshotPrints(app: App, run: RestoreRun, shard: number): Promise<SnapshotPrints> {
  const name = printsName(run.id, shard);
  const blob = await app.blobs.get(name);
  if (blob === undefined) throw unusable(name, 'is missing');
  return { records: parsePrints(name, blob.bytes).records };
}

/** The prints the backup left beside a shard; `undefined` when there are none that can be used. */
export async function findSnapshotPrints(
  app: App,
  { hub, id, shards }: Manifest,
  shard: number,
): Promise<readonly RecordPrint[] | undefined> {
  return findPrints(app, snapshotPrintsName(hub, id, shard), shards[shard]?.sha256 ?? '');
}

async function findPrints(app: App, name: string, sha256: string): Promise<readonly RecordPrint[] | undefined> {
  const blob = await app.blobs.get(name, 'mayBeMissing');
  if (blob === undefined) return undefined;
  try {
    const prints = parsePrints(name, blob.bytes);
    if (prints.of === sha256) return prints.records;
    app.log.warn('prints of another shard passed over', { name });
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    app.log.warn('prints passed over', { name, code: error.code });
  }
  return undefined;
}

/** A line with the blob's name, what the prints are of, their checksum and the platforms; then of each record platform, key, two counts, and its hashes. */
function formatPrints(name: string, of: string, records: readonly RecordPrint[]): Uint8Array {
  const places = new Map<string, number>();
  const numbers: number[] = [];
  for (const { platform, keyHash, handleHashes, contentHashes } of records) {
    const place = places.get(platform) ?? places.size;
    places.set(platform, place);
    numbers.push(place, keyHash, handleHashes.length, contentHashes.length);
    for (const hash of handleHashes) numbers.push(hash);
    for (const hash of contentHashes) numbers.push(hash);
  }
  const platforms = [...places.keys()];
  const bytes = new Uint8Array(new Float64Array(numbers).buffer);
  const title: PrintsTitle = { prints: name, of, sha256: sha256Hex(bytes), platforms };
  return Buffer.concat([Buffer.from(`${JSON.stringify(title)}\n`), bytes]);
}

function parsePrints(name: string, frame: Uint8Array): { readonly of: string; readonly records: RecordPrint[] } {
  const bytes = unpackFrame(frame, name);
  const titleEnd = bytes.indexOf('\n');
  const { of, sha256, platforms } = parseTitle(titleEnd === -1 ? '{}' : toText(bytes.subarray(0, titleEnd)), name);
  // Copied, because numbers must stand at a multiple of their size.
  const content = Uint8Array.from(bytes.subarray(titleEnd + 1));
  if (sha256Hex(content) !== sha256) throw unusable(name, 'is not as it was stored');
  const numbers = new Float64Array(content.buffer);
  const records: RecordPrint[] = [];
  for (let at = 0; at < numbers.length; ) {
    const handlesAt = at + 4;
    const contentsAt = handlesAt + (numbers[at + 2] ?? 0);
    const end = contentsAt + (numbers[at + 3] ?? 0);
    records.push({
      platform: platforms[numbers[at] ?? 0] ?? '',
      keyHash: numbers[at + 1] ?? 0,
      handleHashes: listOf(numbers, handlesAt, contentsAt),
      contentHashes: listOf(numbers, contentsAt, end),
    });
    at = end;
  }
  return { of, records };
}

function listOf(numbers: Float64Array, from: number, to: number): number[] {
  const list: number[] = [];
  for (let at = from; at < to; at += 1) list.push(numbers[at] ?? 0);
  return list;
}

const titleSchema = z.strictObject({
  prints: z.string(),
  of: z.string(),
  sha256: z.string(),
  platforms: z.array(z.string()),
});
type PrintsTitle = z.infer<typeof titleSchema>;

/** The name in it shows that the prints stand where they were put. */
function parseTitle(text: string, name: string): PrintsTitle {
  const source = {
    code: 'StoredDocumentInvalid',
    what: `prints ${name}`,
    hint: 'Start a new run.',
    target: name,
  } as const;
  const title = parseWith(titleSchema, parseJson(text, source), source);
  if (title.prints !== name) throw unusable(name, 'holds what was stored elsewhere');
  return title;
}

function unusable(name: string, what: string): DrError {
  return new DrError('StoredDocumentInvalid', `The prints ${name} of the snapshot ${what}. Start a new run.`, {
    target: name,
  });
}
