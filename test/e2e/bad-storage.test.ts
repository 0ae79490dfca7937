import { ContainerClient } from '@azure/storage-blob';
import { expect, test } from 'vitest';
import { createApi } from '../../local/api.ts';
import { watchRestore } from '../../local/run-watch.ts';
import { quickRecovery, SECONDARY_HUB, type Stack } from '../../local/stack.ts';
import { type StorageProxy, storageFault, storageFaultNames } from '../../local/storage-proxy.ts';
import { openStack } from '../support/stack.ts';
import { backUp, expectEachDeviceOnce, quickSettings, restore, slowDown, until } from './drive.ts';

function storageOf({ storage }: Stack): StorageProxy {
  if (storage === undefined) throw new Error('The stack was started without a storage proxy.');
  return storage;
}

test('storage that is busy, errs, cuts, changes bytes, loses answers and blobs: a backup and a restore reach each device once', async () => {
  await using stack = await openStack({
    devices: 300,
    seed: 31,
    settings: { ...quickSettings, WATCHDOG_SCHEDULE: '*/5 * * * * *' },
    ...quickRecovery,
    hasStorageProxy: true,
  });
  const api = createApi(() => stack.host, 60_000);
  const { rules } = storageOf(stack);
  const started = await api.start('/api/backups');
  // A lost race waits for the watchdog and a hang for its time-out; chaos has both.
  const quick = storageFaultNames.filter((name) => name !== 'storage-lost-race' && name !== 'storage-hang');
  rules.set(quick.flatMap((name, index) => storageFault(name, { probability: 0.1, times: 3, seed: 100 + index })));
  const backup = await api.finished('backup', started.id, { timeoutMs: 120_000 });
  expect(backup).toMatchObject({ status: 'Succeeded', result: { health: 'good' } });
  const { id } = await api.put('/api/restores/on-a-bad-day');
  const watch = watchRestore(() => createApi(() => stack.host).call('GET', `/api/restores/${id}`));
  const run = await api.finished('restore', id, { timeoutMs: 240_000 });
  await watch.stop();
  const counts = rules.counts();
  rules.set([]);
  expect(run).toMatchObject({ status: 'Succeeded', counts: { failed: 0, pending: 0 } });
  expect(watch.violations).toEqual([]);
  expect(watch.answerCount).toBeGreaterThan(5);
  expect(quick.filter((name) => counts[name] === 0)).toEqual([]);
  await expectEachDeviceOnce(stack);
}, 400_000);

test('the admin endpoint of the storage proxy sets rules, counts them and refuses nonsense', async () => {
  await using stack = await openStack({ devices: 1, seed: 1, settings: quickSettings, hasStorageProxy: true });
  const { adminUrl, blobs } = storageOf(stack);
  const call = async (method: string, body?: unknown) => {
    const answer = await fetch(`${adminUrl}/faults`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: await answer.json() };
  };
  // Only what no other process asks for: the host of the stack looks after its storage meanwhile.
  const busy = { name: 'busy', path: '/any$', fault: { status: 503, code: 'ServerBusy' }, times: 2 };
  expect(await call('POST', [busy])).toEqual({ status: 200, body: { busy: 0 } });
  expect((await fetch(`${blobs.url}/any`)).status).toBe(503);
  expect(await call('GET')).toEqual({ status: 200, body: { busy: 1 } });
  expect((await call('POST', [{ ...busy, fault: 'explode' }])).status).toBe(400);
  expect(await call('DELETE')).toEqual({ status: 200, body: {} });
  expect((await fetch(`${blobs.url}/any`)).status).not.toBe(503);
}, 60_000);

test('staged rows that are deleted end the backup by name, and the next one is whole', async () => {
  await using stack = await openStack({ devices: 800, seed: 32, settings: quickSettings });
  const api = createApi(() => stack.host);
  await slowDown(stack, 250);
  const { id } = await api.start('/api/backups');
  const container = new ContainerClient(stack.azurite.connectionString, 'hub-snapshots');
  await until('rows are staged', async () => {
    for await (const { name } of container.listBlobsFlat({ prefix: '_pairs/' })) {
      if (!name.includes(`/runs/backup/${id}/staging/`)) continue;
      await container.deleteBlob(name);
      return true;
    }
    return false;
  });
  await slowDown(stack, 0);
  expect(await api.finished('backup', id)).toMatchObject({
    status: 'Failed',
    error: { code: 'StoredDocumentInvalid', message: expect.stringMatching(/is missing.*Start a new run/) },
  });
  await backUp(api);
  await restore(api);
  await expectEachDeviceOnce(stack);
}, 120_000);

test('a hub that shows writes seconds later makes no device fail and doubles none', async () => {
  await using stack = await openStack({ devices: 300, seed: 33, settings: { ...quickSettings, SETTLE_SECONDS: '1' } });
  const api = createApi(() => stack.host);
  await backUp(api);
  await stack.emulator.admin('POST', `${SECONDARY_HUB}/switches`, {
    registrationReadLagMs: 5000,
    installationDelayMs: 2000,
    acceptForeignIds: false,
  });
  await restore(api);
  await expectEachDeviceOnce(stack);
}, 120_000);
