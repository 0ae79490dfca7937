import { setImmediate as letOthersIn } from 'node:timers/promises';
import { DrError } from '../core/errors.ts';
import type { Segment } from '../core/scan-checkpoint.ts';
import type { App } from './app.ts';
import { unpackFrame } from './codec.ts';
import { type PackedSegment, titleOf } from './staging.ts';

/** One blob for all that was gathered. Its name is the step's own: a step running twice overwrites nothing that counts. */
export async function storeSegment(app: App, { name, bytes, lengths, tableLengths }: PackedSegment): Promise<Segment> {
  await app.blobs.put(name, bytes, 'any');
  return { name, lengths: [...lengths], tableLengths: [...tableLengths] };
}

/** One shard of what a scan has staged; where there are fewer sections than shards, the section it is in. */
export interface ShardOfSegments {
  readonly segments: readonly Segment[];
  readonly shard: number;
  readonly shardCount: number;
}

/** All rows staged for one shard, and where in `bytes` each stands. */
export interface StagedRows {
  readonly bytes: Buffer;
  readonly bounds: readonly { readonly start: number; readonly end: number }[];
}

/** Throws `StoredDocumentInvalid`, naming the segment, when one is not as it was stored. */
export async function readStagedRows(app: App, staged: ShardOfSegments): Promise<StagedRows> {
  const parts: Buffer[] = [];
  const bounds: { start: number; end: number }[] = [];
  let size = 0;
  await eachFrame(app, staged, 'rows', (bytes, name) => {
    for (let at = 0; at < bytes.length; ) {
      const start = at + LENGTH_BYTES;
      const end = start + (start <= bytes.length ? bytes.readUInt32LE(at) : Number.POSITIVE_INFINITY);
      if (end > bytes.length) throw unusable(name, 'ends within a row');
      bounds.push({ start: size + start, end: size + end });
      at = end;
    }
    parts.push(bytes);
    size += bytes.length;
  });
  return { bytes: Buffer.concat(parts, size), bounds };
}

/** The prints staged for one shard, row after row, `TABLE_WIDTH` numbers each. Throws as `readStagedRows` does. */
export async function readStagedTable(app: App, staged: ShardOfSegments): Promise<Float64Array> {
  const tables: Float64Array[] = [];
  await eachFrame(app, staged, 'table', (bytes) => {
    // Copied, because numbers must stand at a multiple of their size.
    tables.push(new Float64Array(Uint8Array.from(bytes).buffer));
  });
  const whole = new Float64Array(tables.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const table of tables) {
    whole.set(table, at);
    at += table.length;
  }
  return whole;
}

const LENGTH_BYTES = 4;

/** Unpacks each frame of one part of a shard, title taken off; others are let in between two frames. */
async function eachFrame(
  app: App,
  { segments, shard, shardCount }: ShardOfSegments,
  part: 'rows' | 'table',
  take: (bytes: Buffer, name: string) => void,
): Promise<void> {
  for (const { name, lengths, tableLengths } of segments) {
    const partLengths = part === 'rows' ? lengths : tableLengths;
    const perShard = partLengths.length / shardCount;
    const first = Math.floor(shard * perShard);
    const wanted = partLengths.slice(first, first + Math.max(1, perShard));
    const length = sum(wanted);
    if (length === 0) continue;
    const offset = sum(partLengths.slice(0, first)) + (part === 'rows' ? sum(tableLengths) : 0);
    const blob = await app.blobs.get(name, { offset, length });
    if (blob === undefined) throw unusable(name, 'is missing');
    if (blob.bytes.length !== length) throw unusable(name, 'is shorter than it was');
    let at = 0;
    for (const [index, sectionLength] of wanted.entries()) {
      const bytes = blob.bytes.subarray(at, at + sectionLength);
      at += sectionLength;
      const title = titleOf(name, first + index, part);
      for (const frame of framesOf(bytes, name)) {
        const content = unpackFrame(frame, name);
        if (!content.subarray(0, title.length).equals(title)) throw unusable(name, 'holds what was stored elsewhere');
        take(content.subarray(title.length), name);
        await letOthersIn();
      }
    }
  }
}

/** The frames of a section, each behind its length. */
function* framesOf(bytes: Uint8Array, name: string): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const start = at + LENGTH_BYTES;
    const end = start + (start <= bytes.length ? view.getUint32(at, true) : Number.POSITIVE_INFINITY);
    if (end > bytes.length) throw unusable(name, 'ends within a frame');
    yield bytes.subarray(start, end);
    at = end;
  }
}

function unusable(name: string, what: string): DrError {
  return new DrError('StoredDocumentInvalid', `The segment ${name} ${what}. Start a new run.`, { target: name });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
