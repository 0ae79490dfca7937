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

/**
 * How long and how often storage is asked. A busy partition moves within seconds; 60 s for a call leave a step of 240 s
 * time for more than one that is lost.
 */
export const storageLimits = {
  /**
   * The storage SDK's options, by which `tryAgain` goes, too. The SDK waits 0, 1 and 3 times the delay before the second,
   * third and fourth try. After `tryTimeoutInMs` the service
   * gives up a try; it is sent in whole seconds.
   */
  retry: { maxTries: 4, retryDelayInMs: 2_000, maxRetryDelayInMs: 10_000, tryTimeoutInMs: 30_000 },
  /**
   * A whole call, all tries, ends after this. `tryTimeoutInMs` only asks the service: a request or an answer that is
   * lost on the way would otherwise hold the caller for many minutes, until TCP gives up.
   */
  callTimeoutMs: 60_000,
  /** Blobs a listing asks for at once; the service gives 5,000 at most. */
  listPageSize: 5_000,
};

export type StorageLimits = Readonly<typeof storageLimits>;
