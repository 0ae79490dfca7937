import { setImmediate as letOthersIn } from 'node:timers/promises';
import { z } from 'zod';
import type { RecordCounts } from '../core/manifest.ts';
import { parseRegistration } from '../core/registration.ts';
import { printRecord, type RecordPrint } from '../core/row-print.ts';
import {
  contentHashOfRow,
  descriptionOfRow,
  etagOfRow,
  handleHashOfRow,
  idHashOfRow,
  isInstallationRow,
  isTemplateRow,
  keyHashOfRow,
  keyOfRow,
  lineOfRow,
  type Piece,
  platformOfRow,
  templateHashOfRow,
} from './snapshot-row.ts';

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
 * Makes a shard's lines of its rows as they were staged: a line a record, in the order of the keys' hashes. Of rows of a
 * record with one id the one with the highest ETag stays, then the later seen.
 */
export async function makeLines(rows: readonly Buffer[]): Promise<ShardLines> {
  const draft = createDraft(rows);
  let record: Buffer[] = [];
  for (const [index, row] of sortRows(rows).entries()) {
    if (index % ROWS_AT_ONCE === 0) await letOthersIn();
    const last = record.at(-1);
    const isSameRecord = last !== undefined && compareKeys(last, row) === 0;
    if (isSameRecord && idHashOfRow(last) === idHashOfRow(row)) continue;
    if (last !== undefined && !isSameRecord) {
      draft.add(record);
      record = [];
    }
    record.push(row);
  }
  if (record.length > 0) draft.add(record);
  return draft.finish();
}

function createDraft(rows: readonly Buffer[]) {
  const out = Buffer.allocUnsafe(rows.reduce((size, { length }) => size + length, 0));
  const prints: RecordPrint[] = [];
  const byPlatform: Record<string, number> = {};
  let [at, installations, registrations, templates] = [0, 0, 0, 0];
  const copy = (row: Buffer, start: number, end: number): void => {
    at += row.copy(out, at, start, end);
  };
  /** A line of one row is copied as it is; of others their first one's, with more descriptions before its end. */
  const writeLine = (first: Buffer, others: readonly Buffer[]): void => {
    const line = lineOfRow(first);
    const lineEndAt = others.length === 0 ? line.end : descriptionOfRow(first).end;
    copy(first, line.start, lineEndAt);
    for (const row of others) {
      const { start, end } = descriptionOfRow(row);
      out[at] = COMMA;
      at += 1;
      copy(row, start, end);
    }
    copy(first, lineEndAt, line.end);
  };
  return {
    add(record: readonly Buffer[]): void {
      const [first, ...others] = record;
      if (first === undefined) return;
      writeLine(first, others);
      for (const row of record) {
        if (isTemplateRow(row)) templates += 1;
        const platform = platformOfRow(row);
        byPlatform[platform] = (byPlatform[platform] ?? 0) + 1;
      }
      registrations += record.length;
      if (isInstallationRow(first)) installations += 1;
      prints.push(printStaged(first, record));
    },
    finish: (): ShardLines => ({
      bytes: out.subarray(0, at),
      prints,
      counts: { records: prints.length, installations, registrations, templates, byPlatform },
      duplicatesSeen: rows.length - registrations,
    }),
  };
}

const COMMA = ','.charCodeAt(0);

/** The print of a record; where rows of it may become one with another, it is read for that. */
function printStaged(first: Buffer, record: readonly Buffer[]): RecordPrint {
  const platform = platformOfRow(first);
  const keyHash = keyHashOfRow(first);
  if (record.length === 1) {
    return { platform, keyHash, handleHashes: [handleHashOfRow(first)], contentHashes: [contentHashOfRow(first)] };
  }
  if (new Set(record.map(templateHashOfRow)).size < record.length) {
    const rows = record.map((row) => parseRegistration(readText(row, descriptionOfRow(row))));
    return printRecord({ key: readText(first, keyOfRow(first)), rows });
  }
  return {
    platform,
    keyHash,
    handleHashes: record.map(handleHashOfRow),
    contentHashes: record.map(contentHashOfRow),
  };
}

function readText(row: Buffer, { start, end }: Piece): string {
  return z.string().parse(JSON.parse(row.toString('utf8', start, end)));
}

function sortRows(rows: readonly Buffer[]): Buffer[] {
  return rows
    .map((row, seen) => ({ row, seen, keyHash: keyHashOfRow(row) }))
    .sort((a, b) => a.keyHash - b.keyHash || compareAlike(a.row, b.row) || b.seen - a.seen)
    .map(({ row }) => row);
}

/** The order of two rows whose keys have one hash. */
function compareAlike(a: Buffer, b: Buffer): number {
  return compareKeys(a, b) || idHashOfRow(a) - idHashOfRow(b) || etagOfRow(b) - etagOfRow(a);
}

/** By the bytes themselves: of ten million keys two may have one hash. */
function compareKeys(a: Buffer, b: Buffer): number {
  const difference = keyHashOfRow(a) - keyHashOfRow(b);
  if (difference !== 0) return difference;
  const [keyA, keyB] = [keyOfRow(a), keyOfRow(b)];
  return a.compare(b, keyB.start, keyB.end, keyA.start, keyA.end);
}
