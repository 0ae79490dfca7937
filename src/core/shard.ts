import { z } from 'zod';
import { parseJson, parseWith, type Source } from './parse.ts';
import type { RecordOfRows } from './record.ts';
import { parseRegistration } from './registration.ts';

const lineSchema = z.strictObject({ key: z.string().min(3), rows: z.array(z.string()).min(1) });

/** One record as a line of a shard: `{"key":…,"rows":[xml,…]}`, rows verbatim as the hub gave them. */
export function formatShardLine(record: RecordOfRows): string {
  return `${JSON.stringify({ key: record.key, rows: record.rows.map((row) => row.xml) })}\n`;
}

/** The key of a line `formatShardLine` wrote, as JSON: enough to tell records apart, at a tenth of parsing the line. */
export function jsonKeyOf(line: string): string {
  return line.slice(KEY_AT, line.indexOf(AFTER_KEY) + 1);
}

const KEY_AT = '{"key":'.length;
/** Within the key a quotation mark is escaped, so that this comes first where the key ends. */
const AFTER_KEY = '","rows":[';

/** Reads a whole shard's text. Throws `SnapshotCorrupt` naming the blob; a damaged line never passes as a short shard. */
export function parseShard(text: string, blobName: string): RecordOfRows[] {
  const source: Source = {
    code: 'SnapshotCorrupt',
    what: `shard ${blobName}`,
    hint: 'Restore another snapshot (GET /api/snapshots), and look into who changed the container.',
    target: blobName,
  };
  return splitLines(text).map((line) => {
    const { key, rows } = parseWith(lineSchema, parseJson(line, source), source);
    return { key, rows: rows.map(parseRegistration) };
  });
}

/** The lines of a text in which each line ends with a line feed. */
export function splitLines(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
