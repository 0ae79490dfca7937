import { setImmediate as letOthersIn } from 'node:timers/promises';
import { z } from 'zod';
import type { RecordCounts } from '../core/manifest.ts';
import { parseRegistration } from '../core/registration.ts';
import { printRecord, type RecordPrint } from '../core/row-print.ts';
import { type Piece, readRowsAt, type SnapshotRows } from './snapshot-row.ts';

/** A snapshot's shard before it is packed. */
export interface ShardLines {
  /** One JSON object a line: `{"key":…,"rows":[…]}`. */
  readonly bytes: Uint8Array;
  /** Of each line. */
  readonly prints: readonly RecordPrint[];
  readonly counts: RecordCounts;
  /** Rows dropped because the listing showed their id more than once. */
  readonly duplicatesSeen: number;
}

/** Written without a pause: some milliseconds in which this process answers nobody. */
const ROWS_AT_ONCE = 2000;

/**
 * Makes a shard's lines of its staged rows: a line a record, in the order of the keys' hashes. Of rows of a record with
 * one id the one with the highest ETag stays, then the later seen.
 */
export async function makeLines(staged: Buffer, bounds: readonly Piece[]): Promise<ShardLines> {
  const rows = readRowsAt(staged, bounds);
  const draft = createDraft(staged, rows, bounds.length);
  let record: number[] = [];
  for (const [index, row] of sortRows(staged, bounds.length, rows).entries()) {
    if (index % ROWS_AT_ONCE === 0) await letOthersIn();
    const last = record.at(-1);
    const isSameRecord = last !== undefined && compareKeys(staged, rows, last, row) === 0;
    if (isSameRecord && rows.idHash(last) === rows.idHash(row)) continue;
    if (last !== undefined && !isSameRecord) {
      draft.add(record);
      record = [];
    }
    record.push(row);
  }
  if (record.length > 0) draft.add(record);
  return draft.finish();
}

function createDraft(staged: Buffer, rows: SnapshotRows, rowCount: number) {
  const out = Buffer.allocUnsafe(staged.length + rowCount * LINE_OVERHEAD);
  const prints: RecordPrint[] = [];
  const byPlatform: Record<string, number> = {};
  let [at, installations, registrations, templates] = [0, 0, 0, 0];
  const copy = ({ start, end }: Piece): void => {
    at += staged.copy(out, at, start, end);
  };
  const write = (text: string): void => {
    at += out.write(text, at, 'latin1');
  };
  return {
    add(record: readonly number[]): void {
      const [first = 0] = record;
      write('{"key":');
      copy(rows.key(first));
      write(',"rows":[');
      for (const row of record) {
        if (row !== first) write(',');
        copy(rows.description(row));
        if (rows.isTemplate(row)) templates += 1;
        const platform = rows.platform(row);
        byPlatform[platform] = (byPlatform[platform] ?? 0) + 1;
      }
      write(']}\n');
      registrations += record.length;
      const { start } = rows.key(first);
      if (staged.toString('latin1', start, start + 3) === '"i:') installations += 1;
      prints.push(printStaged(staged, rows, record));
    },
    finish: (): ShardLines => ({
      bytes: out.subarray(0, at),
      prints,
      counts: { records: prints.length, installations, registrations, templates, byPlatform },
      duplicatesSeen: rowCount - registrations,
    }),
  };
}

/** The print of a record; where rows of it may become one with another, it is read for that. */
function printStaged(staged: Buffer, rows: SnapshotRows, record: readonly number[]): RecordPrint {
  const [first = 0] = record;
  const isPlain = record.every((row, index) =>
    record.every((other, at) => at >= index || rows.templateHash(other) !== rows.templateHash(row)),
  );
  if (!isPlain) {
    const read = ({ start, end }: Piece): string => z.string().parse(JSON.parse(staged.toString('utf8', start, end)));
    const registrations = record.map((row) => parseRegistration(read(rows.description(row))));
    return printRecord({ key: read(rows.key(first)), rows: registrations });
  }
  return {
    platform: rows.platform(first),
    keyHash: rows.keyHash(first),
    handleHashes: record.map(rows.handleHash),
    contentHashes: record.map(rows.contentHash),
  };
}

/** What a line has around its pieces, which is less than what a staged row has before them. */
const LINE_OVERHEAD = 20;

function sortRows(staged: Buffer, count: number, rows: SnapshotRows): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, row) => row);
  const keyHashes = Float64Array.from(order, rows.keyHash);
  const hashOf = (row: number): number => keyHashes[row] ?? 0;
  return order.sort(
    (a, b) =>
      hashOf(a) - hashOf(b) ||
      compareKeys(staged, rows, a, b) ||
      rows.idHash(a) - rows.idHash(b) ||
      rows.etag(b) - rows.etag(a) ||
      b - a,
  );
}

/** By the bytes themselves: of ten million keys two may have one hash. */
function compareKeys(staged: Buffer, rows: SnapshotRows, a: number, b: number): number {
  if (rows.keyHash(a) !== rows.keyHash(b)) return rows.keyHash(a) - rows.keyHash(b);
  const [keyA, keyB] = [rows.key(a), rows.key(b)];
  return staged.compare(staged, keyB.start, keyB.end, keyA.start, keyA.end);
}
