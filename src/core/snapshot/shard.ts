import { z } from 'zod';
import { parseJson, parseWith, type Source } from '../parse.ts';
import type { RecordOfRows } from '../registration/record.ts';
import { parseRegistration } from '../registration/registration.ts';

/** One record is a line of a shard: `{"key":…,"rows":[xml,…]}`, rows verbatim as the hub gave them. */
const lineSchema = z.strictObject({ key: z.string().min(3), rows: z.array(z.string()).min(1) });

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
    hint: 'Restore another snapshot (GET /api/snapshots), and look into who changed the container.',
    target: blobName,
  };
  return {
    count: lines.count,
    at(index) {
      const line = lines.at(index);
      if (line === undefined) throw new RangeError(`The shard has no record ${index}.`);
      const { key, rows } = parseWith(lineSchema, parseJson(line, source), source);
      return { key, rows: rows.map(parseRegistration) };
    },
  };
}

/** All of them. Throws as `at` does: a damaged line never passes as a short shard. */
export function recordsIn(records: ShardRecords): RecordOfRows[] {
  return Array.from({ length: records.count }, (_, index) => records.at(index));
}
