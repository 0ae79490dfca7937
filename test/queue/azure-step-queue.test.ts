import { randomUUID } from 'node:crypto';
import { QueueClient } from '@azure/storage-queue';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Fault, startFaultProxy } from '../../local/fault-proxy.ts';
import { createAzureStepQueue } from '../../src/azure/step-queue.ts';
import { hastyLimits } from '../support/hasty-limits.ts';
import { openStorageAccount } from '../support/storage-account.ts';

const azurite = openStorageAccount();

/** A queue through a proxy that fails on command, and the SDK's own client of it beside the proxy. */
async function open(limits = hastyLimits) {
  const proxy = await startFaultProxy(azurite.queueUrl);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  const value = azurite.connectionString.replace(azurite.queueUrl, proxy.url);
  const name = randomUUID();
  const queues = { restores: name, backups: `${name}-b`, rest: `${name}-r`, writes: `${name}-w`, former: `${name}-f` };
  const queue = createAzureStepQueue({ connection: { kind: 'connectionString', value }, queues, limits });
  const client = new QueueClient(azurite.connectionString, name);
  return { queue, client, proxy };
}

async function peek(client: QueueClient) {
  return (await client.peekMessages({ numberOfMessages: 32 })).peekedMessageItems;
}

test('a message is base64 text, as the host reads it, and never expires', async () => {
  const { queue, client } = await open();
  await queue.send('restores', ['{"ü":1}']);
  const [message] = await peek(client);
  expect(message?.messageText).toBe(Buffer.from('{"ü":1}').toString('base64'));
  expect(message?.expiresOn.getUTCFullYear()).toBe(9999);
});

test('the queue is made by the first message, once however many are sent at a time', async () => {
  const { queue, client, proxy } = await open();
  await queue.send(
    'restores',
    Array.from({ length: 20 }, (_, index) => String(index)),
  );
  expect(await peek(client)).toHaveLength(20);
  const before = proxy.requests.length;
  await queue.send('restores', ['again']);
  expect(proxy.requests.length - before).toBe(1);
});

test('what a queue cannot hold is refused before anything is sent', async () => {
  const { queue, proxy } = await open();
  const tooLong = 'x'.repeat(49_153);
  for (const [texts, delaySeconds] of [
    [['ok', tooLong], 0],
    [['ok'], -1],
    [['ok'], 604_801],
    [['ok'], Number.NaN],
  ] as const) {
    await expect(queue.send('restores', texts, delaySeconds)).rejects.toMatchObject({ code: 'Internal' });
  }
  expect(proxy.requests).toEqual([]);
});

test('the longest message and the longest delay are taken', async () => {
  const { queue, client } = await open();
  await queue.send('restores', ['x'.repeat(49_152)]);
  await queue.send('restores', ['later'], 604_800);
  expect(await peek(client)).toHaveLength(1);
  expect((await client.getProperties()).approximateMessagesCount).toBe(2);
});

describe('faults', () => {
  test.each<[string, Fault]>([
    ['a busy service', { status: 503, code: 'ServerBusy' }],
    ['throttling by a gateway', { status: 429, code: 'TooManyRequests' }],
    ['a gateway without the service', { status: 502, code: 'BadGateway' }],
    ['a connection that is cut', 'reset'],
  ])('that pass are hidden: %s', async (_, fault) => {
    const { queue, client, proxy } = await open();
    for (let index = 1; index < hastyLimits.retry.maxTries; index += 1) proxy.fail('POST', fault);
    await queue.send('restores', ['step']);
    expect(await peek(client)).toHaveLength(1);
  });

  test('a lost answer may send a message twice but never loses it', async () => {
    const { queue, client, proxy } = await open();
    await queue.send('restores', ['first']);
    proxy.fail('POST', 'loseAnswer');
    await queue.send('restores', ['step']);
    const texts = (await peek(client)).map((message) => Buffer.from(message.messageText, 'base64').toString());
    expect(texts.filter((text) => text === 'step').length).toBeGreaterThanOrEqual(1);
  });

  test('that stay are reported as retryable', async () => {
    const { queue, client, proxy } = await open();
    await queue.send('restores', ['first']);
    for (let index = 0; index < hastyLimits.retry.maxTries; index += 1) {
      proxy.fail('POST', { status: 503, code: 'ServerBusy' });
    }
    await expect(queue.send('restores', ['one'])).rejects.toMatchObject({
      code: 'StorageUnavailable',
      retryable: true,
    });
    expect(await peek(client)).toHaveLength(1);
  });

  test('a request that is never answered ends after the time a call has', async () => {
    const { queue, proxy } = await open({ ...hastyLimits, callTimeoutMs: 300 });
    proxy.fail('POST', 'hang');
    await expect(queue.send('restores', ['one'])).rejects.toMatchObject({
      code: 'StorageUnavailable',
      retryable: true,
    });
  });

  test('a missing right names the role', async () => {
    const { queue, proxy } = await open();
    proxy.fail('POST', { status: 403, code: 'AuthorizationPermissionMismatch' });
    const call = queue.send('restores', ['one']);
    await expect(call).rejects.toMatchObject({ code: 'StorageUnavailable', retryable: false });
    await expect(call).rejects.toThrow(/Storage Queue Data Contributor/);
  });

  test('a queue that is being deleted is worth a later try', async () => {
    const { queue, proxy } = await open();
    proxy.fail('POST', { status: 409, code: 'QueueBeingDeleted' });
    await expect(queue.send('restores', ['one'])).rejects.toMatchObject({
      code: 'StorageUnavailable',
      retryable: true,
    });
  });

  test('text that is no connection string is refused without being quoted', () => {
    const connection = { kind: 'connectionString', value: 'AccountName=acct;AccountKey' } as const;
    expect(() =>
      createAzureStepQueue({
        connection,
        queues: { restores: 'q-1', backups: 'q-2', rest: 'q-3', writes: 'q-4', former: 'q' },
      }),
    ).toThrow(expect.objectContaining({ code: 'SettingsInvalid', message: expect.not.stringContaining('acct') }));
  });
});
