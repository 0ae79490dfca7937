import { z } from 'zod';
import { parseJson, parseWith, type Source } from './parse.ts';
import type { RecordOfRows } from './record.ts';
import { parseRegistration } from './registration.ts';
import { decodeUtf8, type Octets } from './utf8.ts';

/** One record is a line of a shard: `{"key":…,"rows":[xml,…]}`, rows verbatim as the hub gave them. */
const lineSchema = z.strictObject({ key: z.string().min(3), rows: z.array(z.string()).min(1) });

/** Reads a whole shard. Throws `SnapshotCorrupt` naming the blob; a damaged line never passes as a short shard. */
export function parseShard(text: Octets, blobName: string): RecordOfRows[] {
  const source: Source = {
    code: 'SnapshotCorrupt',
    what: `shard ${blobName}`,
    hint: 'Restore another snapshot (GET /api/snapshots), and look into who changed the container.',
    target: blobName,
  };
  return splitLines(text).map((line) => {
    const { key, rows } = parseWith(lineSchema, parseJson(line, source), source);
    return { key: decodeUtf8(key), rows: rows.map((row) => parseRegistration(decodeUtf8(row))) };
  });
}

/** The lines of a text in which each line ends with a line feed. */
export function splitLines(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
