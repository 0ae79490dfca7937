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
  try {
    // One byte more: where all room is used up, zlib makes room for what might follow.
    return zstdDecompressSync(frame, { chunkSize: Math.max(SMALLEST_CHUNK, Math.min(size + 1, LARGEST_CHUNK)) });
  } catch (cause) {
    throw damaged(blobName, cause);
  }
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
