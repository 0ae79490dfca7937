import { createHash } from 'node:crypto';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Octets } from '../../core/bytes/utf8.ts';
import { DrError } from '../../core/errors.ts';
import type { World } from '../../core/ports.ts';

/** Of the pieces a frame of unknown size unpacks to. */
const CHUNK_BYTES = 256 * 1024;

/**
 * For what is staged: a quarter of gzip's time, and no larger. With a checksum. At once, because the way to a thread and
 * back costs as much as the work; of a window for small pieces, because a large one is cleared for each.
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
 * What `packFrame` was given. Throws `StoredDocumentInvalid`, naming the blob, on damaged bytes. Where the size is known
 * it is unpacked into one piece of it, instead of into many that are put together.
 */
export function unpackFrame(frame: Uint8Array, blobName: string, size = CHUNK_BYTES): Buffer {
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
  return createHash('sha256').update(data).digest('hex');
}

/**
 * The bytes of a control document: its JSON object with one more field at the end, the SHA-256 of the blob's name, a
 * line feed and the object without that field. With the name in it, a document put in another's place is refused, too.
 * By hand: `(echo NAME; jq -cj 'del(.sha256)' FILE) | sha256sum`.
 */
export function sealDocument(blobName: string, json: string): Uint8Array {
  return toBytes(`${json.slice(0, -1)},"sha256":"${digestOf(blobName, json)}"}\n`);
}

/**
 * The JSON of a control document as it was before `sealDocument`. Throws `StoredDocumentInvalid`, naming the blob, when
 * a byte of it changed, a part is missing, or it was written under another name.
 */
export function openDocument(blobName: string, bytes: Uint8Array): string {
  const text = toText(bytes);
  const seal = /,"sha256":"([0-9a-f]{64})"\}\n$/.exec(text);
  const json = `${text.slice(0, seal?.index)}}`;
  if (seal !== null && seal[1] === digestOf(blobName, json)) return json;
  throw new DrError(
    'StoredDocumentInvalid',
    `The document ${blobName} is not as it was written: its checksum does not fit. Start a new run.`,
    { target: blobName },
  );
}

function damaged(blobName: string, cause: unknown): DrError {
  const message = `The document ${blobName} is damaged: it cannot be unpacked. Start a new run.`;
  return new DrError('StoredDocumentInvalid', message, { target: blobName, cause });
}

function digestOf(blobName: string, json: string): string {
  return sha256Hex(`${blobName}\n${json}`);
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
