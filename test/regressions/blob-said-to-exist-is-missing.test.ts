import { expect, onTestFinished, test } from 'vitest';
import { startFaultProxy } from '../../local/fault-proxy.ts';
import { createAzureBlobs } from '../../src/azure/blobs.ts';
import { openStorageAccount } from '../support/storage-account.ts';

/** Chaos, seed 3: the selection of a shard was "stored by another process", and the restore then missed it. */
test('a new blob that is said to exist and does not is no conflict, and says that it may be tried again', async () => {
  const azurite = openStorageAccount();
  const proxy = await startFaultProxy(azurite.blobUrl);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  const value = azurite.connectionString.replace(azurite.blobUrl, proxy.url);
  const blobs = createAzureBlobs({ connection: { kind: 'connectionString', value }, container: 'snapshots' });
  await blobs.ensure();
  const put = (text: string) => blobs.put('a', Buffer.from(text), 'new');
  proxy.fail('PUT', { status: 409, code: 'BlobAlreadyExists' });
  await expect(put('ours')).rejects.toMatchObject({ code: 'StorageUnavailable', retryable: true });
  expect(await put('ours')).not.toBe('conflict');
  expect(await put('other')).toBe('conflict');
});
