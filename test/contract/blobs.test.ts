import { randomUUID } from 'node:crypto';
import { createAzureBlobs } from '../../src/azure/blobs.ts';
import { createMemoryBlobs } from '../support/memory-blobs.ts';
import { openStorageAccount } from '../support/storage-account.ts';
import { blobsContract } from './blobs.ts';

const azurite = openStorageAccount();

blobsContract('memory', async () => createMemoryBlobs());

// The container is not made beforehand: reads and the first write have to cope.
blobsContract('Azure Blob Storage', async () =>
  createAzureBlobs({
    connection: { kind: 'connectionString', value: azurite.connectionString },
    container: `contract-${randomUUID()}`,
  }),
);
