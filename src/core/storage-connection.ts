/** How to reach the storage account, as data: each adapter makes its own client of it. */
export type StorageConnection =
  | { readonly kind: 'connectionString'; readonly value: string }
  | {
      readonly kind: 'identity';
      /** `https://{account}.blob.core.windows.net`, without a path. */
      readonly blobServiceUri: string;
      readonly queueServiceUri: string;
      /** Of a user-assigned managed identity; absent for the system-assigned one. */
      readonly clientId?: string;
    };

/** How long and how often the storage SDK tries one call. It is the only retry of blob and queue calls. */
export interface StorageLimits {
  readonly maxTries: number;
  /** The SDK waits 0, 1 and 3 times this before the second, third and fourth try. */
  readonly retryDelayInMs: number;
  readonly maxRetryDelayInMs: number;
  /** After this the service gives up a try; a whole number of seconds goes over the wire. */
  readonly tryTimeoutInMs: number;
  /**
   * A whole call, all tries, ends after this. `tryTimeoutInMs` only asks the service: a request or an answer that is
   * lost on the way would else hold the caller for many minutes, until TCP gives up.
   */
  readonly callTimeoutMs: number;
}

/** A busy partition moves within seconds; 60 s for a call leave a step of 240 s time for more than one that is lost. */
export const storageLimits: StorageLimits = {
  maxTries: 4,
  retryDelayInMs: 2_000,
  maxRetryDelayInMs: 10_000,
  tryTimeoutInMs: 30_000,
  callTimeoutMs: 60_000,
};
