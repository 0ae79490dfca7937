import { DrError } from '../core/errors.ts';
import { statusOf } from './fault.ts';

/** The answer, or `undefined` when the blob or its container is not there. */
export async function ifThere<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

export function needEtag(etag: string | undefined): string {
  if (etag === undefined || etag === '') throw new DrError('StorageUnavailable', 'Storage answered without an ETag.');
  return etag;
}
