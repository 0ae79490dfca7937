import { hash } from 'node:crypto';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Octets } from '../../core/bytes/utf8.ts';
import type { DrError } from '../../core/errors.ts';
import type { World } from '../../core/ports.ts';
import { invalidDocument } from './invalid.ts';

/** Of the pieces a frame of unknown size unpacks to; a small one, as most are, is given room for 16 times its size. */
const CHUNK_BYTES = 256 * 1024;
const ROOM = 16;

/**
 * For what is staged: a quarter of gzip's time, and no larger. With a checksum. At once, because the way to a thread
 * and back costs as much as the work; of a window for small pieces, because a large one is cleared for each.
 */
export function packFrame(bytes: Uint8Array): Uint8Array {
  return zstdCompressSync(bytes, { params: FRAME });
}

const SMALLEST_CHUNK = 64;
/** A damaged size must not take all memory. */
const LARGEST_CHUNK = 16 * 1024 * 1024;

const FRAME = {
  [constants.ZSTD_c_compressionLevel]: 1,
  [constants.ZSTD_c_windowLog]: 17,
  [constants.ZSTD_c_checksumFlag]: 1,
};

/**
 * What `packFrame` was given. Throws `StoredDocumentInvalid`, naming the blob, on damaged bytes. Where the size is
 * known it is unpacked into one piece of it, instead of into many that are put together.
 */
export function unpackFrame(
  frame: Uint8Array,
  blobName: string,
  size = Math.min(CHUNK_BYTES, ROOM * frame.length),
): Buffer {
  // Node 22 gives what there is of a frame that is cut, without an error; Node 24 throws.
  if (!isWhole(frame)) throw damaged(blobName, new Error('The frame is cut.'));
  try {
    // One byte more: where all room is used up, zlib makes room for what might follow.
    return zstdDecompressSync(frame, { chunkSize: Math.max(SMALLEST_CHUNK, Math.min(size + 1, LARGEST_CHUNK)) });
  } catch (cause) {
    throw damaged(blobName, cause);
  }
}

const MAGIC = 0xfd2fb528;
/** Parts of a frame's head, by bits of its descriptor. */
const SIZE_BYTES = [0, 2, 4, 8];
const DICTIONARY_BYTES = [0, 1, 2, 4];
/** Of a block's three kinds that one holds a single byte, however long its content is. */
const RUN_OF_ONE_BYTE = 1;

/** Whether a zstd frame is as long as its blocks say (RFC 8878, 3.1.1). What is no frame is left to zlib to refuse. */
function isWhole(frame: Uint8Array): boolean {
  if (frame.length < 5) return false;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint32(0, true) !== MAGIC) return true;
  const descriptor = view.getUint8(4);
  const isSingle = (descriptor & 0x20) !== 0;
  const sizeBytes = (SIZE_BYTES[descriptor >>> 6] ?? 0) || (isSingle ? 1 : 0);
  let at = 5 + (isSingle ? 0 : 1) + (DICTIONARY_BYTES[descriptor & 3] ?? 0) + sizeBytes;
  for (let isLast = false; !isLast; ) {
    if (at + 3 > frame.length) return false;
    const block = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    isLast = (block & 1) === 1;
    at += 3 + (((block >>> 1) & 3) === RUN_OF_ONE_BYTE ? 1 : block >>> 3);
  }
  const checksumBytes = (descriptor & 4) === 0 ? 0 : 4;
  return at + checksumBytes === frame.length;
}

/** What a gzip member holds. Throws `StoredDocumentInvalid`, naming the blob, on damaged bytes. */
export async function decompress(world: World, bytes: Uint8Array, blobName: string): Promise<Buffer> {
  try {
    const { buffer, byteOffset, byteLength } = await world.gunzip(bytes);
    return Buffer.from(buffer, byteOffset, byteLength);
  } catch (cause) {
    throw damaged(blobName, cause);
  }
}

export function sha256Hex(data: Uint8Array | string): string {
  return hash('sha256', data, 'hex');
}

function damaged(blobName: string, cause: unknown): DrError {
  return invalidDocument({ what: 'document', name: blobName, why: 'is damaged: it cannot be unpacked', cause });
}

export function toBytes(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}

export function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** Bytes as a text of one character each. */
export function toOctets(bytes: Uint8Array): Octets {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
