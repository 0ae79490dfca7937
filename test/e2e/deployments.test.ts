import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createApi } from '../../local/api.ts';
import { quickRecovery, type Stack } from '../../local/stack.ts';
import { openStack } from '../support/stack.ts';
import {
  backUp,
  expectEachDeviceOnce,
  quickSettings,
  restore,
  slowDown,
  untilRead,
  untilWritten,
  watchWrites,
} from './drive.ts';

const rotatedSchema = z.object({ connectionString: z.string() });

async function rotateKey({ emulator }: Stack, namespace: 'primary' | 'secondary'): Promise<string> {
  return rotatedSchema.parse(await emulator.admin('POST', `/namespaces/${namespace}/rotate-keys`)).connectionString;
}

const keyIsOld = {
  status: 'Failed',
  error: {
    code: 'HubUnauthorized',
    message: expect.stringMatching(/Put the current connection string into the settings/),
  },
};

test('keys rotated in the middle of a backup and of a restore end both by name; with the new keys deployed they come to the same end', async () => {
  await using stack = await openStack({ devices: 1200, seed: 21, settings: quickSettings, ...quickRecovery });
  const api = createApi(() => stack.host);
  await slowDown(stack);

  const backup = await api.start('/api/backups');
  await untilRead(api, backup.id, 300);
  const PRIMARY_HUB_CONNECTION = await rotateKey(stack, 'primary');
  expect(await api.finished('backup', backup.id)).toMatchObject(keyIsOld);
  await stack.host.stop();
  await stack.startHost({ settings: { PRIMARY_HUB_CONNECTION } });
  await slowDown(stack, 0);
  await backUp(api);

  await slowDown(stack);
  const first = await api.start('/api/restores');
  await untilWritten(api, first.id, 200);
  const SECONDARY_HUB_CONNECTION = await rotateKey(stack, 'secondary');
  const failed = await api.finished('restore', first.id);
  expect(failed).toMatchObject(keyIsOld);
  await stack.host.stop();
  await stack.startHost({ settings: { SECONDARY_HUB_CONNECTION } });
  await slowDown(stack, 0);
  const again = await restore(api);
  expect(again.counts?.unchanged).toBeGreaterThanOrEqual(failed.counts?.created ?? Number.POSITIVE_INFINITY);
  await expectEachDeviceOnce(stack);
}, 300_000);

test('another build with other settings, deployed in the middle of a backup and beside the old one in a restore, resumes where that was', async () => {
  const appDir = await anotherBuild();
  try {
    await using stack = await openStack({ devices: 1200, seed: 22, settings: quickSettings, ...quickRecovery });
    const api = createApi(() => stack.host);
    await slowDown(stack);

    const backup = await api.start('/api/backups');
    await untilRead(api, backup.id, 300);
    expect(await stack.host.stop()).toBe(0);
    await stack.startHost({ appDir, settings: { MAX_CONCURRENCY: '5', STEP_BUDGET_SECONDS: '2' } });
    const backedUp = await api.finished('backup', backup.id, { timeoutMs: 120_000 });
    expect(backedUp).toMatchObject({ status: 'Succeeded', result: { health: 'good' } });

    const run = await api.start('/api/restores');
    await untilWritten(api, run.id, 200);
    const old = stack.host;
    await stack.startHost({ settings: { MAX_CONCURRENCY: '32', STEP_BUDGET_SECONDS: '1', MAX_FAILURE_PERCENT: '5' } });
    await old.stop();
    await slowDown(stack, 0);
    const restored = await api.finished('restore', run.id, { timeoutMs: 120_000 });
    expect(restored).toMatchObject({ status: 'Succeeded', counts: { failed: 0, pending: 0 } });
    expect(restored.counts?.created).toBe(backedUp.result?.recordCount);
    await expectEachDeviceOnce(stack);
  } finally {
    await rm(appDir, { recursive: true, force: true });
  }
}, 300_000);

test('two hosts share a restore that was asked for twice at once: one run, and when one host dies the other ends it', async () => {
  await using stack = await openStack({ devices: 1200, seed: 23, settings: quickSettings, ...quickRecovery });
  const api = createApi(() => stack.host);
  await backUp(api);
  await slowDown(stack);
  const doomed = stack.host;
  await stack.startHost();
  const answers = await Promise.all([
    createApi(() => doomed).call('POST', '/api/restores'),
    api.call('POST', '/api/restores'),
  ]);
  expect(answers.map((answer) => answer.status).sort()).toEqual([202, 409]);
  const accepted = answers.find((answer) => answer.status === 202);
  const { id } = z.object({ id: z.string() }).parse(accepted?.body);
  await untilWritten(api, id, 200);
  await doomed.kill();
  await slowDown(stack, 0);
  expect(await api.finished('restore', id, { timeoutMs: 120_000 })).toMatchObject({
    status: 'Succeeded',
    counts: { failed: 0, pending: 0 },
  });
  await expectEachDeviceOnce(stack);
}, 300_000);

test('a host that is stopped in the middle of a restore leaves no standstill, though what it takes is hidden for 10 minutes', async () => {
  // Steps of minutes: without the app's hook they would be cut. The hook is called 2 s after the signal, not 10.
  const settings = { ...quickSettings, STEP_BUDGET_SECONDS: '240', MAX_CONCURRENCY: '8' };
  await using stack = await openStack({ devices: 600, seed: 24, settings, graceSeconds: 2 });
  const api = createApi(() => stack.host);
  await backUp(api);
  await slowDown(stack, 300);
  const run = await api.start('/api/restores');
  await untilWritten(api, run.id, 100);
  const writes = watchWrites(stack);
  const stopped = stack.host.stop();
  await sleep(4000);
  expect(await stopped).toBe(0);
  expect(writes.count()).toBeLessThan(500);
  await stack.startHost();
  await slowDown(stack, 0);
  const restored = await api.finished('restore', run.id, { timeoutMs: 60_000 });
  expect(restored).toMatchObject({ status: 'Succeeded', counts: { failed: 0, pending: 0 } });
  expect(await writes.end()).toBeLessThan(8000);
  expect(writes.count()).toBeLessThan(1.05 * (restored.counts?.total ?? 0));
  await expectEachDeviceOnce(stack);
}, 120_000);

/** The built app in a folder of its own, as a deployment puts it. */
async function anotherBuild(): Promise<string> {
  const root = resolve(import.meta.dirname, '../..');
  const folder = await mkdtemp(join(tmpdir(), 'dr-build-'));
  for (const part of ['dist', 'package.json', 'host.json']) {
    await cp(join(root, part), join(folder, part), { recursive: true, dereference: true });
  }
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir');
  return folder;
}
