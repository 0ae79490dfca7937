import { z } from 'zod';
import { DrError } from '../core/errors.ts';
import { parseJson, parseWith } from '../core/parse.ts';
import { printsName } from '../core/paths.ts';
import type { RecordOfRows } from '../core/record.ts';
import { printRecord, type RecordPrint } from '../core/row-print.ts';
import type { RestoreRun } from '../core/run.ts';
import type { App } from './app.ts';
import { packFrame, toText, unpackFrame } from './codec.ts';

/** A snapshot's shard without its text: enough to see what is in place. */
export interface SnapshotPrints {
  readonly records: readonly RecordPrint[];
}

/** Stores them for all passes of a restore. */
export async function storeSnapshotPrints(
  app: App,
  run: RestoreRun,
  shard: number,
  snapshot: readonly RecordOfRows[],
): Promise<SnapshotPrints> {
  const records = snapshot.map(printRecord);
  const name = printsName(run.id, shard);
  await app.blobs.put(name, packFrame(formatPrints(name, records)), 'any');
  return { records };
}

/** Throws `StoredDocumentInvalid`, naming the blob, when it is missing or not as it was stored. */
export async function readSnapshotPrints(app: App, run: RestoreRun, shard: number): Promise<SnapshotPrints> {
  const name = printsName(run.id, shard);
  const blob = await app.blobs.get(name);
  if (blob === undefined) throw unusable(name, 'is missing');
  return { records: parsePrints(name, unpackFrame(blob.bytes, name)) };
}

/** A line with the blob's name and the platforms; then of each record platform, key, two counts, and its hashes. */
function formatPrints(name: string, records: readonly RecordPrint[]): Uint8Array {
  const platforms = [...new Set(records.map(({ platform }) => platform))];
  const numbers = records.flatMap(({ platform, keyHash, handleHashes, contentHashes }) => [
    platforms.indexOf(platform),
    keyHash,
    handleHashes.length,
    contentHashes.length,
    ...handleHashes,
    ...contentHashes,
  ]);
  const title = Buffer.from(`${JSON.stringify({ prints: name, platforms })}\n`);
  return Buffer.concat([title, new Uint8Array(Float64Array.from(numbers).buffer)]);
}

function parsePrints(name: string, bytes: Buffer): RecordPrint[] {
  const titleEnd = bytes.indexOf('\n');
  const platforms = platformsOf(titleEnd === -1 ? '{}' : toText(bytes.subarray(0, titleEnd)), name);
  // Copied, because numbers must stand at a multiple of their size.
  const numbers = new Float64Array(Uint8Array.from(bytes.subarray(titleEnd + 1)).buffer);
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
  return records;
}

function listOf(numbers: Float64Array, from: number, to: number): number[] {
  const list: number[] = [];
  for (let at = from; at < to; at += 1) list.push(numbers[at] ?? 0);
  return list;
}

const titleSchema = z.strictObject({ prints: z.string(), platforms: z.array(z.string()) });

/** The frame's checksum vouches for the rest; its name shows that it stands where it was put. */
function platformsOf(title: string, name: string): readonly string[] {
  const source = {
    code: 'StoredDocumentInvalid',
    what: `prints ${name}`,
    hint: 'Start a new run.',
    target: name,
  } as const;
  const { prints, platforms } = parseWith(titleSchema, parseJson(title, source), source);
  if (prints !== name) throw unusable(name, 'holds what was stored elsewhere');
  return platforms;
}

function unusable(name: string, what: string): DrError {
  return new DrError('StoredDocumentInvalid', `The prints ${name} of the snapshot ${what}. Start a new run.`, {
    target: name,
  });
}
