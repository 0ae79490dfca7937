import { setTimeout as sleep } from 'node:timers/promises';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { expect, test } from 'vitest';
import { createApi } from '../../local/api.ts';
import { readRows } from '../../local/delivery.ts';
import { makeRule } from '../../local/emulator/sas.ts';
import { PRIMARY_HUB, type Stack } from '../../local/stack.ts';
import { openStack } from '../support/stack.ts';

/** In addresses without a listener: every call of them is reported in the log. */
const ADDRESS_KEYS = ['key-of-the-heartbeat', 'key-of-the-webhook'] as const;

const settings = {
  BACKUP_SCHEDULE: '0 0 0 1 1 *',
  SETTLE_SECONDS: '0',
  STEP_BUDGET_SECONDS: '2',
  HEARTBEAT_URL: `http://127.0.0.1:9/${ADDRESS_KEYS[0]}`,
  ALERT_WEBHOOK_URL: `http://127.0.0.1:9/?key=${ADDRESS_KEYS[1]}`,
};

/** Where text was seen, and the text. */
type Sightings = [where: string, text: string][];

test('no handle, tag, key or signature is in a log line, an answer, a message or a blob name', async () => {
  const seen: Sightings = [];
  await using stack = await openStack({
    devices: 300,
    seed: 17,
    isByIdentity: true,
    settings,
    onOutput: (text) => void seen.push(['host output', text]),
  });
  const rows = await readRows(stack.emulator, PRIMARY_HUB);
  await using watcher = watchQueue(stack, seen);
  await useEverything(stack, seen);
  await watcher.stop();
  await collectNames(stack, seen);
  for (const kind of ['host output', 'HTTP answer', 'queue message', 'blob name']) {
    expect(seen.filter(([where]) => where.startsWith(kind)).length, `${kind}: collected`).toBeGreaterThan(0);
  }
  const canaries = [
    ...ADDRESS_KEYS,
    ...secretsOf(stack),
    ...rows.flatMap((row) => [row.handle, ...personalTags(row.tags)]),
  ];
  expect(new Set(canaries).size).toBeGreaterThan(300);
  for (const canary of canaries) expect(findLeaks([['proof', `x${canary}x`]], new Set([canary]))).toHaveLength(1);
  expect(findLeaks(seen, new Set(canaries))).toEqual([]);
}, 240_000);

/** A whole life: backup, restores that end well and badly, refusals of every sort, and all there is to read. */
async function useEverything(stack: Stack, seen: Sightings): Promise<void> {
  const api = createApi(() => stack.host);
  const call = async (method: string, path: string, body?: unknown) => {
    const answer = await api.call(method, path, body);
    const text = JSON.stringify([[...answer.headers], answer.body]);
    seen.push([`HTTP answer of ${method} ${path}`, text]);
    return answer.status;
  };
  const down = (namespace: string) => stack.emulator.admin('POST', `/namespaces/${namespace}/down`);
  const up = (namespace: string) => stack.emulator.admin('POST', `/namespaces/${namespace}/up`);

  expect(await call('GET', '/api/status')).toBe(503);
  const backup = await api.finished('backup', (await api.start('/api/backups')).id);
  expect(backup).toMatchObject({ status: 'Succeeded' });
  const restored = await api.finished('restore', (await api.start('/api/restores')).id);
  expect(restored).toMatchObject({ status: 'Succeeded' });

  await damageAnyShard(stack);
  const failed = await api.finished('restore', (await api.start('/api/restores')).id);
  expect(failed).toMatchObject({ status: 'Failed', error: { code: 'SnapshotCorrupt' } });

  // The primary away: its backup is deferred, with a line in the log, until it is back.
  await down('primary');
  const late = await api.start('/api/backups');
  await expect.poll(() => seen.some(([, text]) => text.includes('step deferred')), { timeout: 60_000 }).toBe(true);
  await call('GET', `/api/backups/${late.id}`);
  await up('primary');
  expect(await api.finished('backup', late.id, { timeoutMs: 120_000 })).toMatchObject({ status: 'Succeeded' });

  for (const path of ['snapshots/latest/verify', 'drills']) expect(await call('POST', `/api/${path}`), path).toBe(202);
  expect(await call('PUT', '/api/snapshots/latest/pin')).toBe(200);
  await expect
    .poll(async () => (await api.call('GET', '/api/status')).body, { timeout: 60_000 })
    .toMatchObject({
      lastDrill: { how: 'verification' },
    });
  for (const what of ['HEARTBEAT_URL did not take', 'ALERT_WEBHOOK_URL did not take']) {
    expect(
      seen.some(([, text]) => text.includes(what)),
      what,
    ).toBe(true);
  }

  await down('secondary');
  expect(await call('POST', '/api/restores')).toBe(503);
  await up('secondary');
  // A look that another caller took while it was down is shared for 10 s.
  await expect.poll(() => call('GET', '/api/status'), { timeout: 30_000 }).toBe(200);

  expect(await call('POST', '/api/restores', '{"snapshot":')).toBe(400);
  expect(await call('POST', '/api/restores', { snapshots: 'latest' })).toBe(400);
  expect(await call('POST', '/api/restores', { target: 'primary' })).toBe(409);
  expect(await call('GET', '/api/restores/nothing')).toBe(404);
  const stranger = await fetch(`${stack.host.url}/api/status`, { headers: { 'x-functions-key': 'wrong' } });
  expect(stranger.status).toBe(401);
  seen.push(['HTTP answer of a wrong key', JSON.stringify([[...stranger.headers], await stranger.text()])]);

  await stack.host.fire('watchdog');
  await stack.host.fire('retention');
  await expect.poll(() => seen.some(([, text]) => text.includes('retention')), { timeout: 30_000 }).toBe(true);
  const paths = ['status', 'backups', 'restores', 'verifications', 'drills', 'snapshots', `snapshots/${late.id}`];
  paths.push(
    `backups/${backup.id}`,
    `restores/${restored.id}`,
    `restores/${failed.id}`,
    `restores/${restored.id}/failures`,
  );
  for (const path of paths) {
    const status = await call('GET', `/api/${path}`);
    expect(status, `${path}: ${seen.at(-1)?.[1]}`).toBe(200);
  }
}

async function damageAnyShard({ azurite }: Stack): Promise<void> {
  const container = BlobServiceClient.fromConnectionString(azurite.connectionString).getContainerClient(
    'hub-snapshots',
  );
  for await (const { name } of container.listBlobsFlat()) {
    if (!name.includes('/shards/')) continue;
    const blob = container.getBlockBlobClient(name);
    const bytes = await blob.downloadToBuffer();
    bytes.writeUInt8(bytes.readUInt8(20) ^ 1, 20);
    await blob.upload(bytes, bytes.length);
    return;
  }
}

/** Peeks at every queue until stopped; a message that comes and goes between two looks is missed, its likes are not. */
function watchQueue({ azurite }: Stack, seen: Sightings) {
  const service = QueueServiceClient.fromConnectionString(azurite.connectionString);
  const texts = new Set<string>();
  let isStopped = false;
  const watch = async (): Promise<void> => {
    while (!isStopped) {
      for await (const { name } of service.listQueues()) {
        const { peekedMessageItems } = await service.getQueueClient(name).peekMessages({ numberOfMessages: 32 });
        for (const { messageText } of peekedMessageItems) texts.add(messageText);
      }
      await sleep(30);
    }
  };
  const watching = watch();
  const stop = async (): Promise<void> => {
    isStopped = true;
    await watching;
    for (const text of texts) seen.push(['queue message', `${text} ${Buffer.from(text, 'base64').toString()}`]);
    texts.clear();
  };
  return { stop, [Symbol.asyncDispose]: stop };
}

/** Names and metadata of all blobs in all containers. */
async function collectNames({ azurite }: Stack, seen: Sightings): Promise<void> {
  const service = BlobServiceClient.fromConnectionString(azurite.connectionString);
  for await (const container of service.listContainers()) {
    const blobs = service.getContainerClient(container.name).listBlobsFlat({ includeMetadata: true });
    for await (const { name, metadata } of blobs) seen.push(['blob name', `${name} ${JSON.stringify(metadata)}`]);
  }
}

/** Hubs are known by identity: what Resource Manager gives the app are the keys of policies of the hubs. */
function secretsOf({ azurite, emulator }: Stack): string[] {
  const all = [azurite.connectionString, ...Object.values(emulator.namespaces).map((one) => one.connectionString)];
  const keys = all.flatMap((text) => /(?:SharedAccessKey|AccountKey)=([^;]+)/.exec(text)?.[1] ?? []);
  expect(keys).toHaveLength(all.length);
  const given = ['primary', 'secondary'].flatMap(
    (namespace) => makeRule(`${namespace}/devices`, 'DefaultFullSharedAccessSignature', ['Manage'], 0).keys,
  );
  // Tokens of the emulated identity begin like any token that is a JSON object.
  const identity = [emulator.arm['IDENTITY_HEADER'] ?? '', 'eyJ0eXAiOiJKV1Qi'];
  return [...keys, ...given, ...identity, 'SharedAccessKey=', 'AccountKey=', 'SharedAccessSignature', 'sig='];
}

/** Tags that identify a person: long enough not to be a word of ours by chance. */
function personalTags(tags: readonly string[]): string[] {
  return tags.filter((tag) => tag.length >= 8 && /user|mail|@|\d{4}/i.test(tag));
}

/** Where a canary was seen, without the canary. Encoded forms count, too. */
function findLeaks(seen: Sightings, canaries: ReadonlySet<string>): string[] {
  const forms = [...canaries].flatMap((text) => [
    ...new Set([text, encodeURIComponent(text), JSON.stringify(text).slice(1, -1)]),
  ]);
  const wanted = forms.map((text) => text.toLowerCase()).filter((text) => text.length > 3);
  return seen.flatMap(([where, text]) => {
    const lower = text.toLowerCase();
    const at = wanted.findIndex((canary) => lower.includes(canary));
    return at < 0 ? [] : [`${where}: something that begins with ${wanted[at]?.slice(0, 6)}`];
  });
}
