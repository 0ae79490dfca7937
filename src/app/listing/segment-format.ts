import type { Octets } from '../../core/bytes/utf8.ts';
import type { DrError } from '../../core/errors.ts';
import { packFrame, unpackFrame } from '../stored/codec.ts';
import { invalidDocument } from '../stored/invalid.ts';

/*
 * A segment is the tables of its sections one after another, then their rows. A section's part is a row of frames, each
 * behind its packed and its unpacked length; in a frame a title comes first. Of rows, each is behind its length; a table
 * is 64-bit floating point numbers.
 */

/** Before each row, and twice before each frame. */
const LENGTH_BYTES = 4;

export type Part = 'rows' | 'table';

/** What a frame is of: by it a frame put in another's place, of this run or of another, is noticed. */
export interface FrameOf {
  readonly segment: string;
  readonly section: number;
  readonly part: Part;
}

export function titleOf({ segment, section, part }: FrameOf): Buffer {
  return Buffer.from(`${JSON.stringify({ segment, section, part })}\n`);
}

export function sizeOfRow(row: Octets): number {
  return LENGTH_BYTES + row.length;
}

export function writeRow(to: Buffer, at: number, row: Octets): void {
  to.writeUInt32LE(row.length, at);
  to.write(row, at + LENGTH_BYTES, 'latin1');
}

/** The rows of a frame. Throws `StoredDocumentInvalid`, naming the segment, when they are not whole. */
export function readRows(bytes: Buffer, segment: string): Buffer[] {
  const rows: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const start = at + LENGTH_BYTES;
    const end = start + (start <= bytes.length ? bytes.readUInt32LE(at) : Number.POSITIVE_INFINITY);
    if (end > bytes.length) throw unusableSegment(segment, 'ends within a row');
    rows.push(bytes.subarray(start, end));
    at = end;
  }
  return rows;
}

/** The frame of a section's table; nothing when it is empty. */
export function packTable(segment: string, section: number, table: readonly number[]): Uint8Array {
  if (table.length === 0) return new Uint8Array();
  const numbers = new Float64Array(table);
  return toFrame(Buffer.concat([titleOf({ segment, section, part: 'table' }), new Uint8Array(numbers.buffer)]));
}

export function joinTables(tables: readonly Buffer[]): Float64Array {
  // Copied, because numbers must lie at a multiple of their size.
  const bytes = new Uint8Array(tables.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const table of tables) {
    bytes.set(table, end);
    end += table.length;
  }
  return new Float64Array(bytes.buffer);
}

/** Title and content, packed. */
export function toFrame(content: Uint8Array): Uint8Array {
  const frame = packFrame(content);
  const bytes = Buffer.allocUnsafe(2 * LENGTH_BYTES + frame.length);
  bytes.writeUInt32LE(frame.length);
  bytes.writeUInt32LE(content.length, LENGTH_BYTES);
  bytes.set(frame, 2 * LENGTH_BYTES);
  return bytes;
}

/** What the frames of a section's part hold, one after another. Throws as `readRows` does. */
export function* readFrames(bytes: Uint8Array, of: FrameOf): Generator<Buffer> {
  // Of a small hub most sections are empty.
  if (bytes.length === 0) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const title = titleOf(of);
  for (let at = 0; at < bytes.length; ) {
    const start = at + 2 * LENGTH_BYTES;
    const end = start + (start <= bytes.length ? view.getUint32(at, true) : Number.POSITIVE_INFINITY);
    if (end > bytes.length) throw unusableSegment(of.segment, 'ends within a frame');
    const size = view.getUint32(at + LENGTH_BYTES, true);
    const content = unpackFrame(bytes.subarray(start, end), of.segment, size);
    if (content.length !== size) throw unusableSegment(of.segment, 'has a frame of another length');
    if (!content.subarray(0, title.length).equals(title)) {
      throw unusableSegment(of.segment, 'holds what was stored elsewhere');
    }
    yield content.subarray(title.length);
    at = end;
  }
}

export function unusableSegment(name: string, why: string): DrError {
  return invalidDocument({ what: 'segment', name, why });
}
