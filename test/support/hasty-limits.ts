import { type StorageLimits, storageLimits } from '../../src/azure/connection.ts';

/** The real number of tries, without the waiting between them. */
export const hastyLimits: StorageLimits = {
  ...storageLimits,
  retry: { ...storageLimits.retry, retryDelayInMs: 5, maxRetryDelayInMs: 20 },
};
