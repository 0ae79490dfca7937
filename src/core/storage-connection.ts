/** How the snapshot storage is reached: the two forms the Functions host knows for a connection prefix. */
export type StorageConnection =
  | { readonly kind: 'connectionString'; readonly value: string }
  | {
      readonly kind: 'identity';
      readonly blobServiceUri: string;
      readonly queueServiceUri: string;
      /** Of a user-assigned identity. */
      readonly clientId: string | undefined;
    };
