import { randomUUID } from 'node:crypto';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { ContainerClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Azurite, startAzurite } from '../../local/azurite.ts';
import { makeCertificate } from '../../local/certificate.ts';
import { blobFiles, fileUrl } from '../../local/emulator/job-files.ts';
import { type Emulator, startEmulator } from '../../local/hub-lab/index.ts';
import type { ArmFault } from '../../local/hub-lab/resource-manager.ts';
import { createAzureBlobs } from '../../src/azure/blobs.ts';
import type { StorageConnection } from '../../src/azure/connection.ts';
import { containerBlobs } from '../../src/azure/container-blobs.ts';
import { credentialOf } from '../../src/azure/credential.ts';
import { createJobFiles } from '../../src/azure/job-files.ts';
import { createAzureStepQueue } from '../../src/azure/step-queue.ts';
import { createTokens } from '../../src/azure/tokens.ts';
import { blobsContract } from '../contract/blobs.ts';
import { hastyLimits } from '../support/hasty-limits.ts';

/** The identity package keeps the endpoint that it finds first for the whole process: no other file uses it. */
const parts = new AsyncDisposableStack();
let emulator: Emulator;
let azurite: Azurite;

beforeAll(async () => {
  const certificate = await makeCertificate();
  const authorities = getCACertificates();
  setDefaultCACertificates([...authorities, certificate.cert]);
  parts.defer(() => setDefaultCACertificates(authorities));
  emulator = parts.use(await startEmulator());
  azurite = parts.use(await startAzurite({ tls: certificate }));
  const { IDENTITY_ENDPOINT, IDENTITY_HEADER } = emulator.arm.settings;
  // A name that other tools of an app may need says nothing of ours.
  Object.assign(process.env, { IDENTITY_ENDPOINT, IDENTITY_HEADER, AZURE_CLIENT_ID: randomUUID() });
  parts.defer(() => {
    for (const name of ['IDENTITY_ENDPOINT', 'IDENTITY_HEADER', 'AZURE_CLIENT_ID']) delete process.env[name];
  });
});

afterAll(() => parts.disposeAsync());

/** The storage by a token of an identity that no call has used before. */
function byToken(clientId: string | undefined = randomUUID()): StorageConnection {
  const { blobUrl: blobServiceUri, queueUrl: queueServiceUri } = azurite;
  return { kind: 'identity', blobServiceUri, queueServiceUri, ...(clientId === undefined ? {} : { clientId }) };
}

function during(...faults: ArmFault[]): void {
  emulator.arm.setFaults(faults);
  onTestFinished(() => emulator.arm.setFaults([]));
}

blobsContract('Azure Blob Storage, with a token of a managed identity', async () =>
  createAzureBlobs({ connection: byToken(), container: `token-${randomUUID()}` }),
);

test('steps are sent and seen with a token', async () => {
  const queue = createAzureStepQueue({ connection: byToken(), queues: queuesOf(randomUUID()) });
  await queue.send('rest', ['a step']);
  expect(await queue.peek('rest')).toEqual(['a step']);
});

test('an export job gets an address of its own container, signed with a key that the identity is given', async () => {
  const files = createJobFiles({ connection: byToken() });
  const container = `dr-export-${randomUUID()}`;
  const address = await files.open(container, 60_000);
  const { searchParams } = new URL(address);
  expect([searchParams.get('sp'), searchParams.get('sr'), searchParams.has('skoid')]).toEqual(['rwl', 'c', true]);
  const file = fileUrl(address, 'ns//hub/1/Output.txt');
  await blobFiles.write(file, ['a row']);
  const found = { name: 'ns//hub/1/Output.txt', sizeBytes: 5 };
  expect(await files.find(container, 'Output.txt')).toEqual(found);
  expect(await files.find(container, 'Output.txt', found.name)).toEqual(found);
  expect(await files.find(container, 'Failed.txt')).toBe(undefined);
  const bytes = await files.read(container, found.name, { offset: 2, length: 3 });
  expect(Buffer.from(bytes).toString()).toBe('row');
  await files.write(container, 'input.txt', Buffer.from('a line'));
  const input = await files.address(container, 'input.txt', 60_000);
  expect([new URL(input).searchParams.get('sp'), await blobFiles.read(input)]).toEqual(['r', 'a line']);
  await expect(blobFiles.write(input, ['other'])).rejects.toThrow('cannot be written');
  await files.removeBefore(Date.now() - 3_600_000);
  expect(await files.find(container, 'Output.txt')).toEqual(found);
  // The address is of no more use, and neither is anything to a job that still runs.
  await files.removeBefore(Date.now() + 3_600_000);
  await expect(blobFiles.write(file, ['late'])).rejects.toThrow('cannot be written');
  await files.remove(container);
});

describe('the identity that is meant', () => {
  test('is the user-assigned one that is named', async () => {
    const clientId = randomUUID();
    await createTokens({ clientId }).get('https://one.example/.default');
    expect(emulator.arm.identity.lastClientId).toBe(clientId);
  });

  test('is the system-assigned one where none is named, whatever AZURE_CLIENT_ID says', async () => {
    await createTokens({}).get('https://two.example/.default');
    expect(emulator.arm.identity.lastClientId).toBeUndefined();
  });
});

describe('a call to the storage', () => {
  const limits = { ...hastyLimits, callTimeoutMs: 500 };

  // First: the package keeps trying for the tests below when they are over.
  test('takes the token that came too late for the call before', async () => {
    during({ on: 'token', delayMs: 1200, count: 1 });
    const blobs = createAzureBlobs({ connection: byToken(), container: `late-${randomUUID()}`, limits });
    await expect(blobs.ensure()).rejects.toMatchObject({ code: 'StorageUnavailable' });
    const asked = emulator.arm.calls.get('token');
    await expect
      .poll(
        () =>
          blobs.ensure().then(
            () => 'made',
            () => 'late',
          ),
        { timeout: 10_000 },
      )
      .toBe('made');
    expect(emulator.arm.calls.get('token')).toBe(asked);
  });

  test.each<[string, ArmFault]>([
    ['hangs', { on: 'token', hang: true }],
    ['is slow', { on: 'token', delayMs: 20_000 }],
    ['fails', { on: 'token', status: 500 }],
    ['is not there yet', { on: 'token', status: 404 }],
    ['ends connections', { on: 'token', reset: true }],
    ['throttles', { on: 'token', status: 429 }],
  ])('ends within a second of its limit while the token endpoint %s', async (_, fault) => {
    during(fault);
    const connection = byToken();
    const blobs = createAzureBlobs({ connection, container: 'any', limits });
    const queue = createAzureStepQueue({ connection, queues: queuesOf('any'), limits });
    const files = createJobFiles({ connection, limits });
    // As a backend hands it to the library, with an identity of its own.
    const given = containerBlobs(new ContainerClient(`${azurite.blobUrl}/any`, credentialOf(randomUUID())), { limits });
    const beganAt = performance.now();
    const ended = await Promise.allSettled([
      ...[blobs, given].flatMap((each) => [each.get('a'), each.put('a', new Uint8Array(1), 'any'), each.list('')]),
      ...[blobs.remove('a'), blobs.listFolders(''), blobs.ensure()],
      ...[queue.send('rest', ['x']), queue.peek('rest')],
      ...[files.open('any', 1000), files.find('any', 'a'), files.read('any', 'a', { offset: 0, length: 1 })],
      ...[files.remove('any'), files.removeBefore(0)],
    ]);
    expect(performance.now() - beganAt).toBeLessThan(1500);
    for (const one of ended) {
      expect(one).toMatchObject({ status: 'rejected', reason: { code: 'StorageUnavailable', retryable: true } });
    }
  });
});

function queuesOf(name: string) {
  const prefix = `token-${name.slice(0, 8)}`;
  return {
    restores: `${prefix}-a`,
    backups: `${prefix}-b`,
    rest: `${prefix}-c`,
    writes: `${prefix}-d`,
    former: prefix,
  };
}
