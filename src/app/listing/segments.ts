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
 * Reads what is staged for neighbouring shards, one range a segment, and gives the rows of each when it is asked for.
 * Throws `StoredDocumentInvalid`, naming the segment, when one is not as it was stored.
 */
export async function readStagedRows(app: App, staged: StagedShards) {
  const framesOf = await readFramesOf(app, staged, 'rows');
  return async (shard: number): Promise<readonly Buffer[]> =>
    (await framesOf(shard)).flatMap(({ name, content }) => readRows(content, name));
}

/** Gives the rows of one shard in the same order, while no more than a segment's share is held. */
export async function forEachStagedRow(
  app: App,
  { segments, shards, shardCount }: StagedShards,
  visit: (row: Buffer) => void,
): Promise<void> {
  for (const segment of segments) {
    const framesOf = await readFramesOf(app, { segments: [segment], shards, shardCount }, 'rows');
    for (const { name, content } of await framesOf(shards.first)) {
      for (const row of readRows(content, name)) visit(row);
    }
  }
}

/** The same for the tables, row after row. `numbersOf` makes a row's numbers where an older version stored fewer. */
export async function readStagedTables(app: App, staged: StagedShards, numbersOf: (row: Buffer) => readonly number[]) {
  const framesOf = await readFramesOf(app, staged, 'table');
  return async (shard: number) => {
    const frames = await framesOf(shard);
    return joinTables(
      frames.map(({ name, part, content }) => {
        if (part === 'table') return content;
        return Buffer.from(Float64Array.from(readRows(content, name).flatMap(numbersOf)).buffer);
      }),
    );
  };
}

interface Frame {
  /** Of its segment. */
  readonly name: string;
  readonly part: Part;
  readonly content: Buffer;
}

/** Reads of each segment the sections of all the shards in one piece; the frames of a shard are unpacked when asked for. */
async function readFramesOf(app: App, { segments, shards, shardCount }: StagedShards, wanted: Part) {
  const sectionCount = segments[0]?.lengths.length ?? 1;
  const sectionsOfShard = (shard: number): Neighbours => sectionsOf(shard, shardCount, sectionCount);
  const firstSection = sectionsOfShard(shards.first).first;
  const last = sectionsOfShard(shards.first + shards.count - 1);
  const pieces = await mapConcurrent(segments, READERS, async (segment) => {
    const part = segment.tableForm === undefined ? 'rows' : wanted;
    const all = part === 'rows' ? segment.lengths : segment.tableLengths;
    const lengths = all.slice(firstSection, last.first + last.count);
    const length = sum(lengths);
    const offset = sum(all.slice(0, firstSection)) + (part === 'rows' ? sum(segment.tableLengths) : 0);
    const bytes = length === 0 ? new Uint8Array() : await readRange(app, segment.name, { offset, length });
    return { name: segment.name, part, lengths, bytes };
  });
  return async (shard: number): Promise<Frame[]> => {
    const sections = sectionsOfShard(shard);
    const frames: Frame[] = [];
    for (const { name, part, lengths, bytes } of pieces) {
      let at = sum(lengths.slice(0, sections.first - firstSection));
      for (const section of membersOf(sections)) {
        const end = at + (lengths[section - firstSection] ?? 0);
        for (const content of readFrames(bytes.subarray(at, end), { segment: name, section, part })) {
          frames.push({ name, part, content });
          // Others are let in between two frames.
          await app.world.nextTurn();
        }
        at = end;
      }
    }
    return frames;
  };
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
