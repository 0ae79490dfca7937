import { z } from 'zod';
import type { Octets } from '../bytes/utf8.ts';
import { parseJson, parseWith, type Source } from '../parse.ts';
import type { RecordOfRows } from '../registration/record.ts';
import { parseRegistration } from '../registration/registration.ts';

/*
 * One record is a line of a shard: `{"key":…,"rows":[xml,…]}`, rows verbatim as the hub gave them. Lines are made of
 * octets, one row each; a record of several rows is the line of its first with the others put in behind.
 */

const LINE_START = '{"key":';
const BEFORE_ROWS = ',"rows":[';
const LINE_END = ']}\n';
/** Between two rows. */
export const ROW_SEPARATOR = ','.charCodeAt(0);

/** The line of a record of one row, with its line feed; key and row are JSON. */
export function formatLine(key: Octets, row: Octets): Octets {
  return `${LINE_START}${key}${BEFORE_ROWS}${row}${LINE_END}`;
}

export interface Piece {
  readonly start: number;
  readonly end: number;
}

/** Where the key is of which that line was made. */
export function keyIn(line: Piece, keyLength: number): Piece {
  const start = line.start + LINE_START.length;
  return { start, end: start + keyLength };
}

/** Where the row is. */
export function rowIn(line: Piece, keyLength: number): Piece {
  return { start: keyIn(line, keyLength).end + BEFORE_ROWS.length, end: line.end - LINE_END.length };
}

/** Whether the line that begins there is that of an installation. */
export function isInstallationLine(bytes: Uint8Array, start: number): boolean {
  return bytes[start + LINE_START.length + 1] === INSTALLATION_LETTER;
}

const INSTALLATION_LETTER = 'i'.charCodeAt(0);

const lineSchema = z.strictObject({ key: z.string().min(3), rows: z.array(z.string()).min(1) });

/** The same as the schema, which takes longer than the parsing of the line and is left to name what is wrong. */
function isLine(value: unknown): value is z.infer<typeof lineSchema> {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 2) return false;
  if (!('key' in value) || typeof value.key !== 'string' || value.key.length < 3) return false;
  return 'rows' in value && Array.isArray(value.rows) && value.rows.length > 0 && value.rows.every(isText);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** The lines of a text, each made when it is asked for. */
export interface Lines {
  readonly count: number;
  /** Without its line feed; `undefined` when there is none. */
  at(index: number): string | undefined;
}

/**
 * The records of a shard in the order of its lines, each read when it is asked for: all at once would fill the heap.
 */
export interface ShardRecords {
  readonly count: number;
  /** Throws `SnapshotCorrupt` naming the blob when the line is damaged, a `RangeError` when there is none. */
  at(index: number): RecordOfRows;
}

/** How many lines there should be is the caller's to compare. */
export function openShardRecords(lines: Lines, blobName: string): ShardRecords {
  const source: Source = {
    code: 'SnapshotCorrupt',
    what: `shard ${blobName}`,
    hint: 'Restore another snapshot (notification-hubs-dr snapshots lists them), and find out who changed the container.',
    target: blobName,
  };
  return {
    count: lines.count,
    at(index) {
      const line = lines.at(index);
      if (line === undefined) throw new RangeError(`The shard has no record ${index}.`);
      const parsed = parseJson(line, source);
      const { key, rows } = isLine(parsed) ? parsed : parseWith(lineSchema, parsed, source);
      return { key, rows: rows.map(parseRegistration) };
    },
  };
}

/** All of them. Throws as `at` does: a damaged line never passes as a short shard. */
export function recordsIn(records: ShardRecords): RecordOfRows[] {
  return Array.from({ length: records.count }, (_, index) => records.at(index));
}
