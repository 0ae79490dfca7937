import { z } from 'zod';
import { SECTION_COUNT } from '../registration/record.ts';

const count = z.int().nonnegative();

/** More rows than this that could not be read are only counted. */
export const MAX_PLACES = 20;

const sectionLengths = z.array(count).max(SECTION_COUNT);

export const checkpointSchema = z.strictObject({
  /** Where the listing resumes; absent before the first page and after the last. */
  token: z.string().optional(),
  isFinished: z.boolean(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().optional(),
  pageCount: count,
  rowCount: count,
  /** Rows that are no registration description this app can read, or that the hub did not give: they are not staged. */
  unreadableCount: count,
  /** The places of the first of them in the listing, counted from 1; absent where there are none. */
  unreadableAt: z.array(count).max(MAX_PLACES).optional(),
  /** How often the listing had to begin again because the hub no longer took its token. */
  restartCount: count,
  /**
   * What is staged: each segment is the tables of its sections one after another, then their rows; 0 for none. A
   * restore has a section for each of its shards.
   */
  segments: z.array(
    z.strictObject({
      name: z.string(),
      lengths: sectionLengths.min(1),
      tableLengths: sectionLengths,
      /** Absent where an older version of the app stored it: its tables have fewer columns. */
      tableForm: z.literal(2).optional(),
    }),
  ),
  /**
   * Hashes of the id and the key of each row of a backup that is left out, because the listing shows its id under
   * another key with a higher ETag; absent while none are known.
   */
  superseded: z.array(z.tuple([count, count]).readonly()).optional(),
});

/** For those who only show how far it has come: a long listing's checkpoint has a hundred thousand lengths. */
export const rowCountSchema = checkpointSchema.pick({ rowCount: true }).strip();

/** How far a listing has come: what is named here is stored, and nothing else counts. */
export type ScanCheckpoint = Readonly<z.infer<typeof checkpointSchema>>;

export type Segment = ScanCheckpoint['segments'][number];

export function newScanCheckpoint(startedAt: string, restartCount = 0): ScanCheckpoint {
  const counts = { pageCount: 0, rowCount: 0, unreadableCount: 0, restartCount };
  return { isFinished: false, startedAt, ...counts, segments: [] };
}

/** `3 rows could not be read: 101, 205 and 333 of the listing`, or nothing where all could. */
export function unreadInWords({
  unreadableCount,
  unreadableAt = [],
}: Pick<ScanCheckpoint, 'unreadableCount' | 'unreadableAt'>): string | undefined {
  if (unreadableCount === 0) return undefined;
  const rows = unreadableCount === 1 ? '1 row' : `${unreadableCount} rows`;
  if (unreadableAt.length === 0) return `${rows} could not be read`;
  const more = unreadableCount - unreadableAt.length;
  const places = [...unreadableAt, ...(more > 0 ? [`${more} more`] : [])];
  const last = places.pop();
  const list = places.length === 0 ? last : `${places.join(', ')} and ${last}`;
  return `${rows} could not be read: ${list} of the listing`;
}
