import type { BlobRange } from '../../core/ports.ts';
import { membersOf, type Neighbours, sectionsOf } from '../../core/registration/record.ts';
import type { Segment } from '../../core/snapshot/scan-checkpoint.ts';
import type { App } from '../app.ts';
import { mapConcurrent } from '../stored/concurrent.ts';
import { joinTables, type Part, readFrames, readRows, unusableSegment } from './segment-format.ts';
import type { PackedSegment } from './staging.ts';

/**
 * One blob for all that was gathered. Its name is the step's own: a step running twice overwrites nothing that counts.
 */
export async function storeSegment(app: App, { name, bytes, lengths, tableLengths }: PackedSegment): Promise<Segment> {
  await app.blobs.put(name, bytes, 'any');
  return { name, lengths: [...lengths], tableLengths: [...tableLengths], tableForm: 2 };
}

/** Neighbouring shards of what a scan has staged. */
export interface StagedShards {
  readonly segments: readonly Segment[];
  readonly shards: Neighbours;
  readonly shardCount: number;
}

/** Ranges of segments read at once. */
const READERS = 4;
/**
 * Tables of a step's shards read at once, and of those of a target that holds far more than its snapshot: some 300,000
 * rows, and 40,000.
 */
const TABLE_BYTES_AT_ONCE = 16 * 1024 * 1024;
const PART_BYTES = 2 * 1024 * 1024;

/**
 * Reads what is staged for neighbouring shards, one range a segment, and gives the rows of each when it is asked for.
 * Throws `StoredDocumentInvalid`, naming the segment, when one is not as it was stored.
 */
export async function readStagedRows(app: App, staged: StagedShards) {
  const framesOf = await readFramesOf(app, staged.segments, sectionsOfShards(staged), 'rows');
  return async (shard: number): Promise<readonly Buffer[]> => {
    const rows: Buffer[] = [];
    for await (const { name, content } of framesOf(sectionsOfShard(staged, shard))) {
      for (const row of readRows(content, name)) rows.push(row);
    }
    return rows;
  };
}

/** The numbers of a row where an older version stored fewer. */
type NumbersOf = (row: Buffer) => readonly number[];

/**
 * Visits the rows of the shards with where their numbers begin in a table, `width` of each row, while no more than a
 * segment's share is held; in each section in the order they came. Throws a `RangeError` when there are not as many.
 */
export async function forEachStagedRow(
  app: App,
  staged: StagedShards,
  { width, numbersOf }: { readonly width: number; readonly numbersOf: NumbersOf },
  visit: (row: Buffer, table: Float64Array, at: number) => void,
): Promise<void> {
  const sections = sectionsOfShards(staged);
  for (const segment of staged.segments) {
    const rowsOf = await readFramesOf(app, [segment], sections, 'rows');
    const tablesOf = await readFramesOf(app, [segment], sections, 'table');
    for (const section of membersOf(sections)) {
      const own = { first: section, count: 1 };
      const table = await joinFrames(tablesOf(own), numbersOf);
      let at = 0;
      for await (const { name, content } of rowsOf(own)) {
        for (const row of readRows(content, name)) {
          visit(row, table, at);
          at += width;
        }
      }
      if (at !== table.length) throw new RangeError('There are not as many numbers as rows.');
    }
  }
}

/** The same for the tables, row after row. */
export async function readStagedTables(app: App, staged: StagedShards, numbersOf: NumbersOf) {
  const framesOf = await readFramesOf(app, staged.segments, sectionsOfShards(staged), 'table');
  return (shard: number): Promise<Float64Array> => joinFrames(framesOf(sectionsOfShard(staged, shard)), numbersOf);
}

/**
 * The same in parts, of which each holds all rows of its keys: the whole shard, or where the tables of all these shards
 * are large, no more than a few sections. Those are read each time that they are asked for.
 */
export async function openTableParts(app: App, staged: StagedShards, numbersOf: NumbersOf): Promise<TableParts> {
  const { segments } = staged;
  const bytesOf = (section: number): number =>
    sum(segments.map((segment) => lengthsOf(segment, 'table')[section] ?? 0));
  const atOnce = app.policy.tableBytesAtOnce ?? TABLE_BYTES_AT_ONCE;
  if (sum(membersOf(sectionsOfShards(staged)).map(bytesOf)) <= atOnce) {
    const tableOf = await readStagedTables(app, staged, numbersOf);
    return {
      areWhole: true,
      async *of(shard) {
        yield await tableOf(shard);
      },
    };
  }
  return {
    areWhole: false,
    async *of(shard) {
      for (const sections of partsOf(sectionsOfShard(staged, shard), bytesOf, Math.min(atOnce, PART_BYTES))) {
        const framesOf = await readFramesOf(app, segments, sections, 'table');
        yield await joinFrames(framesOf(sections), numbersOf);
      }
    },
  };
}

export interface TableParts {
  /** Each shard is one part. */
  readonly areWhole: boolean;
  of(shard: number): AsyncIterable<Float64Array>;
}

/** Neighbours that are together no larger than `most`, as far as one alone is not. */
function partsOf(sections: Neighbours, bytesOf: (section: number) => number, most: number): readonly Neighbours[] {
  const parts: Neighbours[] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const section of membersOf(sections)) {
    const own = bytesOf(section);
    const last = parts.at(-1);
    if (last !== undefined && bytes + own <= most) {
      parts.splice(-1, 1, { ...last, count: last.count + 1 });
      bytes += own;
    } else {
      parts.push({ first: section, count: 1 });
      bytes = own;
    }
  }
  return parts;
}

function sectionsOfShard({ segments, shardCount }: StagedShards, shard: number): Neighbours {
  return sectionsOf(shard, shardCount, segments[0]?.lengths.length ?? 1);
}

function sectionsOfShards(staged: StagedShards): Neighbours {
  const { first, count } = staged.shards;
  const from = sectionsOfShard(staged, first).first;
  const last = sectionsOfShard(staged, first + count - 1);
  return { first: from, count: last.first + last.count - from };
}

interface Frame {
  /** Of its segment. */
  readonly name: string;
  readonly part: Part;
  readonly content: Buffer;
}

/** Without the form an older version of the app stored it, whose tables are made of the rows. */
function partIn({ tableForm }: Segment, wanted: Part): Part {
  return tableForm === undefined ? 'rows' : wanted;
}

function lengthsOf(segment: Segment, wanted: Part): readonly number[] {
  return partIn(segment, wanted) === 'rows' ? segment.lengths : segment.tableLengths;
}

/** Reads of each segment these sections in one piece; the frames of some of them are unpacked one by one when asked for. */
async function readFramesOf(app: App, segments: readonly Segment[], { first, count }: Neighbours, wanted: Part) {
  const pieces = await mapConcurrent(segments, READERS, async (segment) => {
    const part = partIn(segment, wanted);
    const all = lengthsOf(segment, wanted);
    const lengths = all.slice(first, first + count);
    const length = sum(lengths);
    const offset = sum(all.slice(0, first)) + (part === 'rows' ? sum(segment.tableLengths) : 0);
    const bytes = length === 0 ? new Uint8Array() : await readRange(app, segment.name, { offset, length });
    return { name: segment.name, part, lengths, bytes };
  });
  return async function* (sections: Neighbours): AsyncGenerator<Frame> {
    for (const { name, part, lengths, bytes } of pieces) {
      let at = sum(lengths.slice(0, sections.first - first));
      for (const section of membersOf(sections)) {
        const end = at + (lengths[section - first] ?? 0);
        for (const content of readFrames(bytes.subarray(at, end), { segment: name, section, part })) {
          yield { name, part, content };
          // Others are let in between two frames.
          await app.world.nextTurn();
        }
        at = end;
      }
    }
  };
}

async function joinFrames(frames: AsyncIterable<Frame>, numbersOf: NumbersOf): Promise<Float64Array> {
  const tables: Buffer[] = [];
  for await (const { name, part, content } of frames) {
    if (part === 'table') tables.push(content);
    else tables.push(Buffer.from(Float64Array.from(readRows(content, name).flatMap(numbersOf)).buffer));
  }
  return joinTables(tables);
}

async function readRange(app: App, name: string, range: BlobRange): Promise<Uint8Array> {
  const blob = await app.blobs.get(name, range);
  if (blob === undefined) throw unusableSegment(name, 'is missing');
  if (blob.bytes.length !== range.length) throw unusableSegment(name, 'is shorter than it was');
  return blob.bytes;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
