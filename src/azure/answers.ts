import { DrError } from '../core/errors.ts';
import { statusOf } from './fault.ts';

/** The answer, or `undefined` when it is the status of what is not there. */
export function ifThere<T>(answer: Promise<T>, absentStatus = 404): Promise<T | undefined> {
  return answer.catch((error: unknown) => {
    if (statusOf(error) === absentStatus) return undefined;
    throw error;
  });
}

export function needEtag(etag: string | undefined): string {
  if (etag === undefined || etag === '')
    throw new DrError('StorageUnavailable', 'The storage account answered without the version of what it stored.');
  return etag;
}
