import { z } from 'zod';
import { parseJson, parseWith, type Source } from './parse.ts';
import type { RecordOfRows } from './record.ts';
import { parseRegistration } from './registration.ts';
import { decodeUtf8, type Octets } from './utf8.ts';

/** One record is a line of a shard: `{"key":…,"rows":[xml,…]}`, rows verbatim as the hub gave them. */
const lineSchema = z.strictObject({ key: z.string().min(3), rows: z.array(z.string()).min(1) });

/** The records of a shard in the order of its lines, each read when it is asked for: all at once would fill the heap. */
export interface ShardRecords {
  readonly count: number;
  /** Throws `SnapshotCorrupt` naming the blob when the line is damaged, a `RangeError` when there is none. */
  at(index: number): RecordOfRows;
}

/** Every line of `text` ends with a line feed; how many there are is the caller's to compare. */
export function openShardRecords(text: Octets, blobName: string): ShardRecords {
  const source: Source = {
    code: 'SnapshotCorrupt',
    what: `shard ${blobName}`,
    hint: 'Restore another snapshot (GET /api/snapshots), and look into who changed the container.',
    target: blobName,
  };
  const starts: number[] = [];
  for (let at = 0; at < text.length; at = endOfLine(text, at) + 1) starts.push(at);
  return {
    count: starts.length,
    at(index) {
      const start = starts[index];
      if (start === undefined) throw new RangeError(`The shard has no record ${index}.`);
      const json = parseJson(decodeUtf8(text.slice(start, endOfLine(text, start))), source);
      const { key, rows } = parseWith(lineSchema, json, source);
      return { key, rows: rows.map(parseRegistration) };
    },
  };
}

/** All of them. Throws as `at` does: a damaged line never passes as a short shard. */
export function recordsIn(records: ShardRecords): RecordOfRows[] {
  return Array.from({ length: records.count }, (_, index) => records.at(index));
}

function endOfLine(text: string, start: number): number {
  const end = text.indexOf('\n', start);
  return end === -1 ? text.length : end;
}
