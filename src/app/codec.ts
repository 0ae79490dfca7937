import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gunzipSync, gzip, gzipSync } from 'node:zlib';
import { DrError } from '../core/errors.ts';

const gzipBytes = promisify(gzip);
const gunzipBytes = promisify(gunzip);

/** A shard unpacks to some megabytes: by the usual 16 KB, going from piece to piece costs a quarter of it. */
const CHUNK_BYTES = 256 * 1024;

/** Level 1: a third of level 6's time for 8 % more bytes, and bytes are never the bound. */
export function compress(text: string): Promise<Uint8Array> {
  return gzipBytes(text, { level: 1 });
}

/**
 * For the many small members of a staged segment: a small window, because a compressor of the usual size costs 256 KB,
 * a thousand times over for each segment. At once, because the way to a thread and back costs as much as the work.
 */
export function compressSmall(text: Uint8Array): Uint8Array {
  return gzipSync(text, { level: 1, windowBits: 12, memLevel: 5, chunkSize: 4096 });
}

/** The text of a gzip member. Throws `StoredDocumentInvalid`, naming the blob, on damaged bytes. */
export async function decompress(bytes: Uint8Array, blobName: string): Promise<string> {
  try {
    return (await gunzipBytes(bytes, { chunkSize: CHUNK_BYTES })).toString('utf8');
  } catch (cause) {
    throw damaged(blobName, cause);
  }
}

/** `decompress` for what `compressSmall` made. */
export function decompressSmall(bytes: Uint8Array, blobName: string): string {
  try {
    return gunzipSync(bytes).toString('utf8');
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
  const message = `The document ${blobName} is damaged: it is no whole gzip member. Start a new run.`;
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
