import { DrError } from '../core/errors.ts';
import { statusOf } from '../core/storage-fault.ts';

/** The answer, or `missing` when the blob or its container is not there. */
export async function orWhenMissing<T, M>(missing: M, answer: Promise<T>): Promise<T | M> {
  try {
    return await answer;
  } catch (error) {
    if (statusOf(error) === 404) return missing;
    throw error;
  }
}

export function needEtag(etag: string | undefined): string {
  if (etag === undefined || etag === '') throw new DrError('StorageUnavailable', 'Storage answered without an ETag.');
  return etag;
}
