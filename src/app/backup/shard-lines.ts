import {
  fingerprintRecord,
  type RecordFingerprint,
  recordExpiryOf,
  recordVersionOf,
} from '../../core/fingerprint/row.ts';
import { createFingerprintWriter, type FingerprintTable } from '../../core/fingerprint/table.ts';
import type { RecordCounts } from '../../core/snapshot/manifest.ts';
import { ROW_SEPARATOR } from '../../core/snapshot/shard.ts';
import type { SupersededRow } from '../listing/ids-listed-twice.ts';
import type { SnapshotRows } from '../listing/staged-row.ts';

/** A snapshot's shard before it is packed. */
export interface ShardLines {
  /** One JSON object a line: `{"key":…,"rows":[…]}`. */
  readonly bytes: Uint8Array;
  /** Of each line. */
  readonly fingerprints: FingerprintTable;
  readonly counts: RecordCounts;
  /** Rows dropped because the listing showed their id more than once. */
  readonly duplicatesSeen: number;
}

/** Written without a pause: some milliseconds in which this process answers no call. */
const ROWS_AT_ONCE = 2000;

export interface LinesOptions {
  /** Rows of other shards are left out. */
  readonly isOurs?: (keyHash: number) => boolean;
  /** These rows are dropped: another record has their ids. */
  readonly superseded?: readonly SupersededRow[];
}

/**
 * Makes a shard's lines of its rows as they were staged: a line a record, in the order of the keys' hashes. Of rows of
 * a record with one id the one with the highest ETag stays, then the later seen.
 */
export async function makeLines(
  rows: SnapshotRows,
  nextTurn: () => Promise<void>,
  { isOurs = () => true, superseded = [] }: LinesOptions = {},
): Promise<ShardLines> {
  const order = sortRows(rows, isOurs);
  const dropped = Map.groupBy(superseded, ([idHash]) => idHash);
  const draft = createDraft(rows);
  let record: number[] = [];
  let last: number | undefined;
  for (const [count, row] of order.entries()) {
    if (count % ROWS_AT_ONCE === 0) await nextTurn();
    if (dropped.get(rows.idHash(row))?.some(([, keyHash]) => keyHash === rows.keyHash(row))) continue;
    const isSameRecord = last !== undefined && compareKeys(rows, last, row) === 0;
    if (isSameRecord && last !== undefined && rows.idHash(last) === rows.idHash(row)) continue;
    if (!isSameRecord) {
      draft.add(record);
      record = [];
    }
    record.push(row);
    last = row;
  }
  draft.add(record);
  return draft.finish(order.length);
}

function createDraft(rows: SnapshotRows) {
  let size = 0;
  for (let row = 0; row < rows.count; row += 1) size += rows.bytes(row).length;
  const out = Buffer.allocUnsafe(size);
  const fingerprints = createFingerprintWriter(rows.count);
  const byPlatform: Record<string, number> = {};
  let [at, installations, registrations, templates] = [0, 0, 0, 0];
  let [partialInstallations, supersededRows, duplicates] = [0, 0, 0];
  const copy = (row: number, start: number, end: number): void => {
    at += rows.bytes(row).copy(out, at, start, end);
  };
  /** A line of one row is copied as it is; of others their first one's, with more descriptions before its end. */
  const writeLine = (first: number, others: readonly number[]): void => {
    const line = rows.line(first);
    if (others.length === 0) {
      copy(first, line.start, line.end);
      return;
    }
    const lineEndAt = rows.description(first).end;
    copy(first, line.start, lineEndAt);
    for (const row of others) {
      const { start, end } = rows.description(row);
      out[at] = ROW_SEPARATOR;
      at += 1;
      copy(row, start, end);
    }
    copy(first, lineEndAt, line.end);
  };
  return {
    add(record: readonly number[]): void {
      const [first, ...others] = record;
      if (first === undefined) return;
      writeLine(first, others);
      for (const row of record) {
        if (rows.isTemplate(row)) templates += 1;
        const platform = rows.platform(row);
        byPlatform[platform] = (byPlatform[platform] ?? 0) + 1;
      }
      registrations += record.length;
      const kind = kindOf(rows, record, first);
      if (kind !== 'device') installations += 1;
      if (kind === 'partial') partialInstallations += 1;
      const fingerprint = fingerprintStaged(rows, record, first, kind);
      supersededRows += fingerprint.superseded;
      duplicates += record.length - fingerprint.contentHashes.length - fingerprint.superseded;
      fingerprints.add(fingerprint);
    },
    finish(rowCount: number): ShardLines {
      const table = fingerprints.finish();
      const inDoubt = { partialInstallations, supersededRows, duplicates };
      const counts = { records: table.count, installations, registrations, templates, byPlatform, ...inDoubt };
      return { bytes: out.subarray(0, at), fingerprints: table, counts, duplicatesSeen: rowCount - registrations };
    },
  };
}

/** The fingerprint of a record; where rows of it may be left out, it is read for that. */
function fingerprintStaged(
  rows: SnapshotRows,
  record: readonly number[],
  first: number,
  kind: RecordKind,
): RecordFingerprint {
  const mayCollapse = record.length > 1 && new Set(record.map(rows.templateHash)).size < record.length;
  if (mayCollapse || (kind !== 'device' && record.some(rows.isUnnamed))) {
    return fingerprintRecord({ key: rows.text(first, rows.key(first)), rows: record.map((row) => rows.read(row)) });
  }
  return {
    platform: rows.platform(first),
    keyHash: rows.keyHash(first),
    versionHash: recordVersionOf(record.map((row) => rows.versionHash(row))),
    expiry: recordExpiryOf(kind !== 'device', record.map(rows.expiry)),
    handleHashes: record.map(rows.handleHash),
    idHashes: kind === 'device' ? record.map(rows.idHash) : [],
    contentHashes: kind === 'partial' ? record.map(() => 0) : record.map(rows.contentHash),
    superseded: 0,
  };
}

type RecordKind = 'device' | 'installation' | 'partial';

function kindOf(rows: SnapshotRows, record: readonly number[], first: number): RecordKind {
  if (!rows.isInstallation(first)) return 'device';
  return record.every(rows.isTemplate) ? 'partial' : 'installation';
}

/** The places of the rows in the order in which records are made of them. */
function sortRows(rows: SnapshotRows, isOurs: (keyHash: number) => boolean): Uint32Array {
  const places = new Uint32Array(rows.count);
  let count = 0;
  for (let row = 0; row < rows.count; row += 1) {
    if (!isOurs(rows.keyHash(row))) continue;
    places[count] = row;
    count += 1;
  }
  return places
    .subarray(0, count)
    .sort((a, b) => rows.keyHash(a) - rows.keyHash(b) || compareAlike(rows, a, b) || b - a);
}

/** The order of two rows whose keys have one hash. */
function compareAlike(rows: SnapshotRows, a: number, b: number): number {
  return compareKeys(rows, a, b) || rows.idHash(a) - rows.idHash(b) || rows.etag(b) - rows.etag(a);
}

/** By the bytes themselves: of ten million keys two may have one hash. */
function compareKeys(rows: SnapshotRows, a: number, b: number): number {
  const difference = rows.keyHash(a) - rows.keyHash(b);
  if (difference !== 0) return difference;
  const [keyA, keyB] = [rows.key(a), rows.key(b)];
  return rows.bytes(a).compare(rows.bytes(b), keyB.start, keyB.end, keyA.start, keyA.end);
}
