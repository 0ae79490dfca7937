import { randomUUID } from 'node:crypto';
import { ContainerClient } from '@azure/storage-blob';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Fault, startFaultProxy } from '../../local/fault-proxy.ts';
import { createAzureBlobs } from '../../src/azure/blobs.ts';
import type { Blobs } from '../../src/core/ports.ts';
import { hastyLimits } from '../support/hasty-limits.ts';
import { openStorageAccount } from '../support/storage-account.ts';

const azurite = openStorageAccount();

/** The same container twice: through a proxy that fails on command, and beside it. */
async function open(limits = hastyLimits) {
  const proxy = await startFaultProxy(azurite.blobUrl);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  const container = randomUUID();
  const direct = azurite.connectionString;
  const connection = { kind: 'connectionString', value: direct.replace(azurite.blobUrl, proxy.url) } as const;
  const blobs = createAzureBlobs({ connection, container, limits });
  const rival = createAzureBlobs({ connection: { kind: 'connectionString', value: direct }, container });
  await rival.ensure();
  const failAll = (method: string, fault: Fault) => {
    for (let index = 0; index < limits.retry.maxTries; index += 1) proxy.fail(method, fault);
  };
  const { fail, requests } = proxy;
  return { container, blobs, rival, fail, failAll, requests, proxyUrl: proxy.url };
}

describe('a write whose answer is lost', () => {
  test("is still ours: 'new' succeeds with the ETag the blob has", async () => {
    const { blobs, rival, fail } = await open();
    fail('PUT', 'loseAnswer');
    const etag = await blobs.put('a', text('ours'), 'new', { records: '1' });
    expect(await rival.get('a')).toEqual({ bytes: text('ours'), etag, ageMs: expect.any(Number) });
    expect((await rival.list('a'))[0]?.facts).toEqual({ records: '1' });
  });

  test('is still ours: a write on an ETag succeeds, and its new ETag serves for the next one', async () => {
    const { blobs, rival, fail } = await open();
    const first = await etagOf(blobs.put('a', text('1'), 'new'));
    fail('PUT', 'loseAnswer');
    const second = await etagOf(blobs.put('a', text('2'), { etag: first }));
    expect(await blobs.put('a', text('3'), { etag: second })).not.toBe('conflict');
    expect(await textAt(rival, 'a')).toBe('3');
  });

  test.each(['new', 'etag'] as const)(
    'and then replaced by a rival is no success and no conflict (%s)',
    async (kind) => {
      const { blobs, rival, fail } = await open();
      const condition = kind === 'new' ? 'new' : { etag: await etagOf(rival.put('a', text('0'), 'new')) };
      fail('PUT', 'loseAnswer', async () => {
        const ours = await rival.get('a');
        await rival.put('a', text('rival'), { etag: ours?.etag ?? '' });
      });
      await expect(blobs.put('a', text('ours'), condition)).rejects.toMatchObject({
        code: 'StorageUnavailable',
        retryable: true,
        message: expect.stringMatching(/is not known/),
      });
      expect(await textAt(rival, 'a')).toBe('rival');
    },
  );

  test('and then removed by a rival is written again', async () => {
    const { blobs, rival, fail } = await open();
    fail('PUT', 'loseAnswer', () => rival.remove('a'));
    expect(await blobs.put('a', text('ours'), 'new')).not.toBe('conflict');
    expect(await textAt(rival, 'a')).toBe('ours');
  });

  test('by a gateway that gave up on it is ours, too', async () => {
    const { blobs, rival, fail } = await open();
    fail('PUT', { status: 504, code: 'GatewayTimeout', isCarriedOut: true });
    const etag = await blobs.put('a', text('ours'), 'new');
    expect((await rival.get('a'))?.etag).toBe(etag);
    fail('PUT', { status: 502, code: 'BadGateway', isCarriedOut: true });
    expect(await blobs.put('a', text('ours again'), { etag })).not.toBe('conflict');
    expect(await textAt(rival, 'a')).toBe('ours again');
  });

  test('to a container that was missing is ours, too', async () => {
    const { blobs, rival, fail, requests } = await open();
    fail('PUT', { status: 404, code: 'ContainerNotFound' });
    fail('PUT', 'loseAnswer');
    fail('PUT', 'loseAnswer');
    expect(await blobs.put('a', text('ours'), 'new')).not.toBe('conflict');
    expect(await textAt(rival, 'a')).toBe('ours');
    // Write, container, container again, write, write again.
    expect(requests.filter((request) => request.startsWith('PUT'))).toHaveLength(5);
  });

  test('every time is not known to have happened, and says that it may be tried again', async () => {
    const { blobs, rival, failAll } = await open();
    failAll('PUT', 'loseAnswer');
    await expect(blobs.put('a', text('ours'), 'any')).rejects.toMatchObject({
      code: 'StorageUnavailable',
      retryable: true,
    });
    expect(await textAt(rival, 'a')).toBe('ours');
  });
});

describe('a conflict', () => {
  test('on the first try is answered at once; of a new blob it is looked at whether it is there', async () => {
    const { blobs, rival, requests } = await open();
    await rival.put('a', text('rival'), 'new');
    expect(await blobs.put('a', text('ours'), 'new')).toBe('conflict');
    expect(await blobs.put('a', text('ours'), { etag: '"0x1"' })).toBe('conflict');
    expect(requests.map((request) => request.split(' ')[0])).toEqual(['PUT', 'HEAD', 'PUT']);
  });

  test('is never reported for an unconditional write', async () => {
    const { blobs, fail } = await open();
    fail('PUT', { status: 412, code: 'LeaseIdMissing' });
    await expect(blobs.put('a', text('ours'), 'any')).rejects.toMatchObject({ retryable: false });
  });
});

describe('faults that pass', () => {
  test.each<[string, Fault]>([
    ['a busy service', { status: 503, code: 'ServerBusy' }],
    ['a service that times out', { status: 500, code: 'OperationTimedOut' }],
    ['a request that comes too slowly', { status: 408, code: 'RequestTimeout' }],
    ['throttling by a gateway', { status: 429, code: 'TooManyRequests' }],
    ['a gateway without the service', { status: 502, code: 'BadGateway' }],
    ['a gateway that waits in vain', { status: 504, code: 'GatewayTimeout' }],
    ['a connection that is cut', 'reset'],
  ])('are hidden by further tries: %s', async (_, fault) => {
    const { blobs, requests, fail } = await open();
    const failTwice = (method: string) => [fail(method, fault), fail(method, fault)];
    failTwice('PUT');
    await blobs.put('a', text('1'), 'any');
    failTwice('GET');
    expect(await textAt(blobs, 'a')).toBe('1');
    failTwice('GET');
    expect(await blobs.list('')).toHaveLength(1);
    failTwice('DELETE');
    await blobs.remove('a');
    expect(requests).toHaveLength(12);
  });

  test.each<[string, Fault, RegExp]>([
    ['a busy service', { status: 503, code: 'ServerBusy' }, /status 503, ServerBusy/],
    ['throttling by a gateway', { status: 429, code: 'TooManyRequests' }, /status 429/],
    ['a cut connection', 'reset', /REQUEST_SEND_ERROR|ECONNRESET/],
  ])('that stay are reported as retryable: %s', async (_, fault, came) => {
    const { blobs, failAll } = await open();
    failAll('GET', fault);
    const call = blobs.get('runs/1/run.json');
    await expect(call).rejects.toMatchObject({ code: 'StorageUnavailable', retryable: true });
    await expect(call).rejects.toThrow(came);
    await expect(call).rejects.toThrow("Could not read blob 'runs/1/run.json'");
  });

  test('are waited for as long as the answer asks, and not at all for longer than a call has', async () => {
    const { blobs, rival, fail, requests } = await open({ ...hastyLimits, callTimeoutMs: 30_000 });
    await rival.put('a', text('1'), 'any');
    fail('GET', { status: 429, code: 'TooManyRequests', retryAfter: 1 });
    const startedAt = performance.now();
    expect(await textAt(blobs, 'a')).toBe('1');
    expect(performance.now() - startedAt).toBeGreaterThan(990);
    fail('GET', { status: 429, code: 'TooManyRequests', retryAfter: 60 });
    await expect(blobs.get('a')).rejects.toMatchObject({ code: 'StorageUnavailable', retryable: true });
    expect(requests).toHaveLength(3);
  });

  test('a blob whose answer breaks off is read again', async () => {
    const { blobs, fail, requests } = await open();
    const bytes = new Uint8Array(300_000).map((_, index) => index % 251);
    await blobs.put('a', bytes, 'new');
    fail('GET', 'cutAnswer');
    fail('GET', 'cutAnswer');
    expect((await blobs.get('a'))?.bytes).toEqual(bytes);
    fail('GET', 'cutAnswer');
    const part = await blobs.get('a', { offset: 100_000, length: 50_000 });
    expect(part?.bytes).toEqual(bytes.slice(100_000, 150_000));
    expect(requests.filter((request) => request.startsWith('GET'))).toHaveLength(5);
  });

  test('a blob whose answer always breaks off is not taken for whole', async () => {
    const { blobs, failAll } = await open();
    await blobs.put('a', new Uint8Array(300_000), 'new');
    failAll('GET', 'cutAnswer');
    await expect(blobs.get('a')).rejects.toMatchObject({ code: 'StorageUnavailable', retryable: true });
  });

  test('a blob that is replaced while its answer breaks off is no mixture of both', async () => {
    const { blobs, rival, fail } = await open();
    await blobs.put('a', new Uint8Array(300_000).fill(1), 'new');
    fail('GET', 'cutAnswer', () => rival.put('a', new Uint8Array(200_000).fill(2), 'any'));
    const read = await blobs.get('a');
    expect(read?.etag).toBe((await rival.get('a'))?.etag);
    expect(read?.bytes).toEqual(new Uint8Array(200_000).fill(2));
  });

  test('a listing that breaks off half way is not taken for the whole', async () => {
    const { blobs, rival, fail } = await open();
    await Promise.all(Array.from({ length: 20 }, (_, index) => rival.put(`a/${index}`, text('-'), 'any')));
    fail('GET', 'cutAnswer');
    const listed = await blobs.list('a/').catch((error: unknown) => error);
    expect(listed).toMatchObject({ code: 'StorageUnavailable', retryable: true });
  });

  test.each<[string, (blobs: Blobs) => Promise<unknown>]>([
    ['GET', (blobs) => blobs.get('a')],
    ['PUT', (blobs) => blobs.put('a', text('1'), 'new')],
    ['GET', (blobs) => blobs.list('')],
    ['DELETE', (blobs) => blobs.remove('a')],
  ])('a request that is never answered ends after the time a call has (%s)', async (method, act) => {
    const { blobs, fail } = await open({ ...hastyLimits, callTimeoutMs: 300 });
    fail(method, 'hang');
    const startedAt = Date.now();
    await expect(act(blobs)).rejects.toMatchObject({ code: 'StorageUnavailable', retryable: true });
    expect(Date.now() - startedAt).toBeLessThan(5_000);
  });
});

describe('faults that stay', () => {
  test.each([
    [403, 'AuthorizationPermissionMismatch', /Storage Blob Data Contributor/],
    [403, 'AuthorizationFailure', /firewall/],
    [403, 'AuthenticationFailed', /key or SAS in SNAPSHOT_STORAGE/],
    [403, 'KeyBasedAuthenticationNotPermitted', /SNAPSHOT_STORAGE__blobServiceUri/],
    [409, 'BlobImmutableDueToPolicy', /immutability policy.* SNAPSHOT_CONTAINER/],
    [412, 'LeaseIdMissing', /break that lease/],
    [401, 'NoAuthenticationInformation', /key in SNAPSHOT_STORAGE or the identity's role/],
  ])('say what to do and are not tried again: %i %s', async (status, code, advice) => {
    const { blobs, requests, fail } = await open();
    fail('GET', { status, code });
    const call = blobs.list('runs/');
    await expect(call).rejects.toMatchObject({ code: 'StorageUnavailable', retryable: false });
    await expect(call).rejects.toThrow(advice);
    expect(requests).toHaveLength(1);
  });

  test('a blob in the archive tier is listed as such, and says what to do when it is read or written', async () => {
    const { blobs, container } = await open();
    await blobs.put('a', text('a'), 'new');
    const blob = new ContainerClient(azurite.connectionString, container).getBlockBlobClient('a');
    await blob.setAccessTier('Archive');
    expect(await blobs.list('')).toMatchObject([{ name: 'a', isArchived: true }]);
    const archived = {
      code: 'StorageArchived',
      retryable: false,
      message: expect.stringMatching(/set the tier to Hot/),
    };
    await expect(blobs.get('a')).rejects.toMatchObject(archived);
    await expect(blobs.put('a', text('b'), 'any')).rejects.toMatchObject(archived);
    await blob.setAccessTier('Hot');
    expect(await blobs.list('')).toMatchObject([expect.not.objectContaining({ isArchived: true })]);
    expect(await textAt(blobs, 'a')).toBe('a');
  });

  test('a folder that is not empty stays, without an error', async () => {
    const { blobs, fail } = await open();
    fail('DELETE', { status: 409, code: 'DirectoryIsNotEmpty' });
    await blobs.remove('folder');
  });

  test('a blob that is leased says so when it is written or removed', async () => {
    const { blobs, container } = await open();
    await blobs.put('a', text('a'), 'new');
    await new ContainerClient(azurite.connectionString, container)
      .getBlobClient('a')
      .getBlobLeaseClient()
      .acquireLease(60);
    const leased = { code: 'StorageUnavailable', retryable: false, message: expect.stringMatching(/break that lease/) };
    await expect(blobs.put('a', text('b'), 'any')).rejects.toMatchObject(leased);
    await expect(blobs.remove('a')).rejects.toMatchObject(leased);
  });

  test('a wrong key is reported without the key, the account or the address', async () => {
    const key = Buffer.alloc(64, 7).toString('base64');
    const value = azurite.connectionString.replace(/AccountKey=[^;]+/, `AccountKey=${key}`);
    const blobs = createAzureBlobs({ connection: { kind: 'connectionString', value }, container: 'c-1' });
    const error: unknown = await blobs.get('a').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'StorageUnavailable',
      retryable: false,
      message: expect.stringMatching(/request id [\w-]{36}/),
    });
    expect(everyText(error)).not.toMatch(new RegExp(`${key.slice(0, 20)}|devstoreaccount1|127\\.0\\.0\\.1|SharedKey`));
  });

  test.each<[string, Fault]>([
    ['hang', 'hang'],
    ['reset', 'reset'],
    ['busy', { status: 503, code: 'ServerBusy' }],
    ['refused', { status: 403, code: 'AuthorizationFailure' }],
  ])('a SAS does not show in what is thrown: %s', async (_, fault) => {
    const { proxyUrl, failAll } = await open();
    const value =
      `BlobEndpoint=${proxyUrl};QueueEndpoint=${proxyUrl};` +
      'SharedAccessSignature=sv=2022-11-02&ss=bq&srt=sco&sp=rwdlac&se=2099-01-01&sig=c2VjcmV0c2VjcmV0';
    const limits = { ...hastyLimits, callTimeoutMs: 500 };
    const blobs = createAzureBlobs({ connection: { kind: 'connectionString', value }, container: 'c-1', limits });
    failAll('GET', fault);
    const error: unknown = await blobs.get('a').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'StorageUnavailable' });
    expect(everyText(error)).not.toMatch(/c2VjcmV0|127\.0\.0\.1/);
  });

  test('text that is no connection string is refused without being quoted', () => {
    const connection = { kind: 'connectionString', value: 'AccountName=acct;AccountKey' } as const;
    expect(() => createAzureBlobs({ connection, container: 'c-1' })).toThrow(
      expect.objectContaining({ code: 'SettingsInvalid', message: expect.not.stringContaining('acct') }),
    );
  });
});

describe('the container', () => {
  test('that is missing reads as empty, and the first write makes it', async () => {
    const connection = { kind: 'connectionString', value: azurite.connectionString } as const;
    const blobs = createAzureBlobs({ connection, container: randomUUID() });
    expect(await blobs.get('a')).toBeUndefined();
    expect(await blobs.list('')).toEqual([]);
    expect(await blobs.listFolders('a/')).toEqual([]);
    await blobs.remove('a');
    const writes = await Promise.all(['a', 'b', 'c'].map((name) => blobs.put(name, text(name), 'new')));
    expect(writes).not.toContain('conflict');
    expect(await blobs.list('')).toHaveLength(3);
  });

  test('may be made again and again', async () => {
    const { blobs } = await open();
    await blobs.ensure();
    await blobs.ensure();
  });

  test('tells the time when it is asked for, be it there or not', async () => {
    const dates: Date[] = [];
    const connection = { kind: 'connectionString', value: azurite.connectionString } as const;
    const blobs = createAzureBlobs({ connection, container: randomUUID(), onDate: (date) => dates.push(date) });
    await blobs.ensure();
    await blobs.ensure();
    expect(dates.map((date) => Math.abs(date.getTime() - Date.now()) < 60_000)).toEqual([true, true]);
  });

  test('need not be made by an app that may only use it', async () => {
    const { blobs, container, fail } = await open();
    fail('PUT', { status: 403, code: 'AuthorizationPermissionMismatch' });
    await blobs.ensure();
    await new ContainerClient(azurite.connectionString, container).delete();
    fail('PUT', { status: 403, code: 'AuthorizationPermissionMismatch' });
    await expect(blobs.ensure()).rejects.toMatchObject({ code: 'StorageUnavailable', retryable: false });
  });

  test('that is being deleted is worth a later try', async () => {
    const { blobs, fail } = await open();
    fail('PUT', { status: 409, code: 'ContainerBeingDeleted' });
    await expect(blobs.put('a', text('1'), 'new')).rejects.toMatchObject({ retryable: true });
  });
});

test('a listing of many pages is whole, in order and with its facts', async () => {
  const { blobs, rival, requests } = await open({ ...hastyLimits, listPageSize: 7 });
  const names = Array.from({ length: 50 }, (_, index) => `p/${String(index).padStart(2, '0')}/x`);
  await Promise.all(names.map((name) => rival.put(name, new Uint8Array(), 'any', { n: name.slice(2, 4) })));
  const entries = await blobs.list('p/');
  expect(entries.map((entry) => entry.name)).toEqual(names);
  expect(entries.every((entry) => entry.facts['n'] === entry.name.slice(2, 4))).toBe(true);
  expect(requests).toHaveLength(8);
  expect(await blobs.listFolders('p/')).toEqual(names.map((name) => name.slice(0, -1)));
  expect(requests).toHaveLength(16);
});

test('a removal whose answer is lost is done', async () => {
  const { blobs, rival, fail } = await open();
  const etag = await etagOf(blobs.put('a', text('1'), 'new'));
  fail('DELETE', 'loseAnswer');
  await blobs.remove('a', etag);
  expect(await rival.get('a')).toBeUndefined();
});

test('a folder of a hierarchical namespace, which lists it as a blob, is removed with all below, unless there is a blob in it', async () => {
  const { blobs, container, requests } = await open();
  const account = new ContainerClient(azurite.connectionString, container);
  // Nothing is asked for where no listing has shown one.
  await blobs.put('s/1/a', text('a'), 'new');
  const before = requests.length;
  await blobs.removeFolder('s/1/');
  expect(requests.length).toBe(before);
  for (const name of ['s/1', 's/1/shards', 's/1/shards/x']) {
    await account.getBlockBlobClient(name).upload('', 0, { metadata: { hdi_isfolder: 'true' } });
  }
  expect(await blobs.list('s/')).toMatchObject([{ name: 's/1/a' }]);
  await blobs.remove('s/1/a');
  await blobs.removeFolder('s/1/');
  expect(await blobs.listFolders('s/')).toEqual([]);
  expect(
    requests.filter((request) => request.startsWith('DELETE')).map((one) => one.split('?')[0]?.split('/s/')[1]),
  ).toEqual(['1/a', '1/shards/x', '1/shards', '1']);
});

test('a blob with a snapshot can be removed', async () => {
  const { blobs, container } = await open();
  await blobs.put('a', text('1'), 'new');
  await new ContainerClient(azurite.connectionString, container).getBlobClient('a').createSnapshot();
  await blobs.remove('a');
  expect(await blobs.get('a')).toBeUndefined();
});

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

async function textAt(blobs: Blobs, name: string): Promise<string | undefined> {
  const blob = await blobs.get(name);
  return blob === undefined ? undefined : new TextDecoder().decode(blob.bytes);
}

async function etagOf(answer: Promise<string>): Promise<string> {
  const etag = await answer;
  expect(etag).not.toBe('conflict');
  return etag;
}

/** All that a logger could print of an error, its causes and fields included. */
function everyText(error: unknown, depth = 0): string {
  if (typeof error !== 'object' || error === null || depth > 6) return String(error);
  return Reflect.ownKeys(error)
    .map((key) => everyText(Reflect.get(error, key), depth + 1))
    .join('\n');
}
