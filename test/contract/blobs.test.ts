import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { type Azurite, startAzurite } from '../../local/azurite.ts';
import { createAzureBlobs } from '../../src/azure/blobs.ts';
import { createMemoryBlobs } from '../support/memory-blobs.ts';
import { blobsContract } from './blobs.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.close());

blobsContract('memory', async () => createMemoryBlobs());

// The container is not made beforehand: reads and the first write have to cope.
blobsContract('Azure Blob Storage', async () =>
  createAzureBlobs({
    connection: { kind: 'connectionString', value: azurite.connectionString },
    container: `contract-${randomUUID()}`,
  }),
);
