import { z } from 'zod';
import { DrError } from '../core/errors.ts';
import { parseJson, parseWith } from '../core/parse.ts';
import { printsName } from '../core/paths.ts';
import { platformOf, type RecordOfRows } from '../core/record.ts';
import { printsOf } from '../core/row-print.ts';
import type { RestoreRun } from '../core/run.ts';
import type { App } from './app.ts';
import { packFrame, toText, unpackFrame } from './codec.ts';

/** One record of a snapshot's shard without its text. */
export interface RecordPrint {
  /** Of its first row. */
  readonly platform: string;
  readonly keyHash: number;
  /** Row by row. */
  readonly handleHashes: readonly number[];
  readonly contentHashes: readonly number[];
}

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
  const records = snapshot.map(toPrint);
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

function toPrint(record: RecordOfRows): RecordPrint {
  const prints = printsOf(record);
  return {
    platform: platformOf(record),
    keyHash: prints[0]?.keyHash ?? 0,
    handleHashes: prints.map(({ handleHash }) => handleHash),
    contentHashes: prints.map(({ contentHash }) => contentHash),
  };
}

/** A line with the blob's name and the platforms, then of each record: platform, key, row count, and two for each row. */
function formatPrints(name: string, records: readonly RecordPrint[]): Uint8Array {
  const platforms = [...new Set(records.map(({ platform }) => platform))];
  const numbers = records.flatMap(({ platform, keyHash, handleHashes, contentHashes }) => [
    platforms.indexOf(platform),
    keyHash,
    handleHashes.length,
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
    const rowCount = numbers[at + 2] ?? 0;
    const rowsAt = at + 3;
    records.push({
      platform: platforms[numbers[at] ?? 0] ?? '',
      keyHash: numbers[at + 1] ?? 0,
      handleHashes: [...numbers.subarray(rowsAt, rowsAt + rowCount)],
      contentHashes: [...numbers.subarray(rowsAt + rowCount, rowsAt + 2 * rowCount)],
    });
    at = rowsAt + 2 * rowCount;
  }
  return records;
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
