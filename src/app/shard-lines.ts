import { setImmediate as letOthersIn } from 'node:timers/promises';
import type { RecordCounts } from '../core/manifest.ts';
import { type Piece, readRowsAt, type SnapshotRows } from './snapshot-row.ts';

/** A snapshot's shard before it is packed. */
export interface ShardLines {
  /** One JSON object a line: `{"key":…,"rows":[…]}`. */
  readonly bytes: Uint8Array;
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
  const counts = {
    records: 0,
    installations: 0,
    registrations: 0,
    templates: 0,
    byPlatform: {} as Record<string, number>,
  };
  const out = Buffer.allocUnsafe(staged.length + bounds.length * LINE_OVERHEAD);
  let at = 0;
  let last = -1;
  for (const [index, row] of sortRows(staged, bounds.length, rows).entries()) {
    if (index % ROWS_AT_ONCE === 0) await letOthersIn();
    const isSameRecord = last !== -1 && compareKeys(staged, rows, last, row) === 0;
    if (isSameRecord && rows.idHash(last) === rows.idHash(row)) continue;
    if (isSameRecord) at += out.write(',', at);
    else {
      const key = rows.key(row);
      at += out.write(last === -1 ? '{"key":' : ']}\n{"key":', at, 'latin1');
      at += staged.copy(out, at, key.start, key.end);
      at += out.write(',"rows":[', at, 'latin1');
      counts.records += 1;
      if (staged.toString('latin1', key.start, key.start + 3) === '"i:') counts.installations += 1;
    }
    const description = rows.description(row);
    at += staged.copy(out, at, description.start, description.end);
    counts.registrations += 1;
    if (rows.isTemplate(row)) counts.templates += 1;
    const platform = rows.platform(row);
    counts.byPlatform[platform] = (counts.byPlatform[platform] ?? 0) + 1;
    last = row;
  }
  if (last !== -1) at += out.write(']}\n', at, 'latin1');
  return { bytes: out.subarray(0, at), counts, duplicatesSeen: bounds.length - counts.registrations };
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
