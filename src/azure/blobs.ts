import { ContainerClient } from '@azure/storage-blob';
import type { Blobs } from '../core/ports.ts';
import { type StorageConnection, storageLimits } from './connection.ts';
import { type ContainerOptions, containerBlobs } from './container-blobs.ts';
import { openClient } from './credential.ts';

export interface AzureBlobsOptions extends ContainerOptions {
  readonly connection: StorageConnection;
  readonly container: string;
}

/** Blobs in one container of a storage account, by name. */
export function createAzureBlobs({ connection, container, ...options }: AzureBlobsOptions): Blobs {
  const { limits = storageLimits } = options;
  return containerBlobs(openClient(ContainerClient, connection, 'blob', container, limits), options);
}
