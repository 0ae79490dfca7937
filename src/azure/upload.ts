import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { BlockBlobClient } from '@azure/storage-blob';
import { DrError } from '../core/errors.ts';
import type { PutCondition } from '../core/ports.ts';
import { ifThere, needEtag } from './answers.ts';
import type { StorageLimits } from './connection.ts';
import { putIdOf } from './facts.ts';
import { codeOf } from './fault.ts';
import { tryAgain } from './try-again.ts';

export interface Upload {
  readonly condition: PutCondition;
  readonly metadata: Record<string, string>;
  readonly limits: StorageLimits;
}

/**
 * One `put`, which may be tried several times. A try whose answer was lost may have been applied, and the next one
 * then fails on what the first one wrote. So every blob carries the id of its `put`: after a conflict on a second try it
 * is read back, and it is ours if it carries our id. If it carries another, ours may have been replaced meanwhile or
 * never have been written: that is neither success nor `'conflict'`, and a retryable error makes the caller look again.
 */
export async function uploadOnce(
  blob: BlockBlobClient,
  bytes: Uint8Array,
  { condition, metadata, limits }: Upload,
  abortSignal: AbortSignal,
): Promise<string | 'conflict'> {
  let tryCount = 0;
  const conditions =
    condition === 'new' ? { ifNoneMatch: '*' } : condition === 'any' ? {} : { ifMatch: condition.etag };
  // With it the service refuses bytes that were changed on the way.
  const transactionalContentMD5 = createHash('md5').update(bytes).digest();
  // The SDK asks for the body again at each try, which is the only sign of a retry it gives.
  const body = () => {
    tryCount += 1;
    return Readable.from([bytes]);
  };
  const uploadNow = () =>
    blob.upload(body, bytes.byteLength, {
      conditions,
      metadata,
      abortSignal,
      transactionalContentMD5,
      blobHTTPHeaders: { blobContentType: contentTypeOf(blob.name) },
    });
  const upload = () => tryAgain(limits, abortSignal, uploadNow);
  try {
    // The SDK does not try again what came changed: of all it refuses with 400 the only fault that passes.
    const answer = await upload().catch((error: unknown) => {
      if (codeOf(error) !== 'Md5Mismatch') throw error;
      return upload();
    });
    return needEtag(answer.etag);
  } catch (error) {
    if (!isConflict(error, condition)) throw error;
    if (tryCount === 1 && condition !== 'new') return 'conflict';
  }
  const found = await tryAgain(limits, abortSignal, () => ifThere(blob.getProperties({ abortSignal })));
  // A caller that asks for a new blob and learns that it exists relies on it: it has to be there.
  if (tryCount === 1 && found !== undefined) return 'conflict';
  if (found !== undefined && putIdOf(found.metadata) === putIdOf(metadata)) return needEtag(found.etag);
  throw new DrError(
    'StorageUnavailable',
    `What became of a write of blob '${blob.name}' is not known, since its answer was lost or contradicts what is there: read it again and decide again.`,
    { target: `blob '${blob.name}'`, retryable: true },
  );
}

/** For people who look at the blobs with the portal's tools. */
function contentTypeOf(name: string): string {
  if (name.endsWith('.json')) return 'application/json';
  return name.endsWith('.gz') ? 'application/gzip' : 'application/octet-stream';
}

/** By code: 409 and 412 also stand for leases, immutability and a container that is being deleted. */
function isConflict(error: unknown, condition: PutCondition): boolean {
  const code = codeOf(error);
  return condition !== 'any' && (code === 'BlobAlreadyExists' || code === 'ConditionNotMet');
}
