import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { startFaultProxy } from '../../local/fault-proxy.ts';
import { createAzureBlobs } from '../../src/azure/blobs.ts';
import { hastyLimits } from '../support/hasty-limits.ts';
import { openStorageAccount } from '../support/storage-account.ts';

const azurite = openStorageAccount();

/** Blobs behind a proxy that fails on command. */
async function open() {
  const proxy = await startFaultProxy(azurite.blobUrl);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  const value = azurite.connectionString.replace(azurite.blobUrl, proxy.url);
  const blobs = createAzureBlobs({
    connection: { kind: 'connectionString', value },
    container: randomUUID(),
    limits: hastyLimits,
  });
  await blobs.ensure();
  return { blobs, fail: proxy.fail };
}

const document = Buffer.from('{"token":"MzEobik7Mg%3D%3D","rowCount":3100}');

test('a byte that changes on the way from storage is noticed, and the blob is read again', async () => {
  const { blobs, fail } = await open();
  const etag = await blobs.put('scan.json', document, 'any');
  fail('GET', 'flipByte');
  expect(await blobs.get('scan.json')).toEqual({ bytes: Uint8Array.from(document), etag, ageMs: expect.any(Number) });
  fail('GET', 'flipByte');
  expect((await blobs.get('scan.json', { offset: 10, length: 14 }))?.bytes).toEqual(
    Uint8Array.from(document.subarray(10, 24)),
  );
});

test('a blob that comes changed every time is never taken for whole', async () => {
  const { blobs, fail } = await open();
  await blobs.put('scan.json', document, 'any');
  for (let tryCount = 0; tryCount < hastyLimits.retry.maxTries; tryCount += 1) fail('GET', 'flipByte');
  await expect(blobs.get('scan.json')).rejects.toMatchObject({ code: 'StorageUnavailable', retryable: true });
});

test('a byte that changes on the way to storage is refused there, and sent again', async () => {
  const { blobs, fail } = await open();
  fail('PUT', 'flipSentByte');
  expect(await blobs.put('scan.json', document, 'new')).not.toBe('conflict');
  expect((await blobs.get('scan.json'))?.bytes).toEqual(Uint8Array.from(document));
});

test('a write that comes changed every time stores nothing wrong, and says that it may be tried again', async () => {
  const { blobs, fail } = await open();
  for (let tryCount = 0; tryCount < hastyLimits.retry.maxTries; tryCount += 1) fail('PUT', 'flipSentByte');
  await expect(blobs.put('scan.json', document, 'new')).rejects.toMatchObject({
    code: 'StorageUnavailable',
    retryable: true,
  });
  expect(await blobs.get('scan.json')).toBeUndefined();
});

test('a write whose answer is lost and whose repetition comes changed is still ours', async () => {
  const { blobs, fail } = await open();
  fail('PUT', 'loseAnswer');
  fail('PUT', 'flipSentByte');
  expect(await blobs.put('scan.json', document, 'new')).not.toBe('conflict');
});

test('a blob that is not found once and found then is there', async () => {
  const { blobs, fail } = await open();
  await blobs.put('scan.json', document, 'any');
  fail('GET', { status: 404, code: 'BlobNotFound' });
  expect((await blobs.get('scan.json'))?.bytes).toEqual(Uint8Array.from(document));
});
