import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { DrError } from '../core/errors.ts';

const gzipBytes = promisify(gzip);
const gunzipBytes = promisify(gunzip);

/** Level 1: a third of level 6's time for 8 % more bytes, and bytes are never the bound. */
export function compress(text: string): Promise<Uint8Array> {
  return gzipBytes(text, { level: 1 });
}

/**
 * For the many small members of a staged segment: a small window, because a compressor of the usual size costs 256 KB,
 * a thousand times over for each segment.
 */
export function compressSmall(text: string): Promise<Uint8Array> {
  return gzipBytes(text, { level: 1, windowBits: 12, memLevel: 5 });
}

/** The text of a gzip member. Throws `StoredDocumentInvalid`, naming the blob, on damaged bytes. */
export async function decompress(bytes: Uint8Array, blobName: string): Promise<string> {
  try {
    return (await gunzipBytes(bytes)).toString('utf8');
  } catch (cause) {
    const message = `The document ${blobName} is damaged: it is no whole gzip member. Start a new run.`;
    throw new DrError('StoredDocumentInvalid', message, { target: blobName, cause });
  }
}

export function sha256Hex(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex');
}

export function toBytes(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}

export function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
