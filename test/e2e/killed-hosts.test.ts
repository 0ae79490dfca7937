import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createApi } from '../../local/api.ts';
import { readRows } from '../../local/delivery.ts';
import { PRIMARY_HUB, quickRecovery } from '../../local/stack.ts';
import { openStack } from '../support/stack.ts';
import {
  backUp,
  deliveryOf,
  expectEachDeviceOnce,
  quickSettings,
  slowDown,
  until,
  untilWritten,
  watchWrites,
} from './drive.ts';

test('with messages hidden for 10 minutes and timers kept for one, a killed host costs a restore less than 45 s beside another, and less than 75 s when it is the only one', async () => {
  // Steps of minutes, which write 13 devices a second.
  const settings = { ...quickSettings, STEP_BUDGET_SECONDS: '240', MAX_CONCURRENCY: '4' };
  await using stack = await openStack({ devices: 600, seed: 25, settings });
  const api = createApi(() => stack.host);
  await backUp(api);
  await slowDown(stack, 300);
  const first = stack.host;
  const second = await stack.startHost();
  const { id } = await api.start('/api/restores');
  await untilWritten(api, id, 50);
  const writes = watchWrites(stack);

  const tellsLost = (): boolean => second.output().includes('lost steps are enqueued again');
  await first.kill();
  await until('the steps of the dead host are enqueued again', tellsLost, 45_000);
  await second.kill();
  expect(writes.count()).toBeLessThan(600);
  await stack.startHost();
  await slowDown(stack, 0);
  const restored = await api.finished('restore', id, { timeoutMs: 100_000 });
  expect(restored).toMatchObject({ status: 'Succeeded', counts: { failed: 0, pending: 0 } });
  expect(await writes.end()).toBeLessThan(75_000);
  await expectEachDeviceOnce(stack);
}, 300_000);

test('a host killed in the middle of a backup and of a restore, and started again, ends with the same result', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dr-e2e-'));
  const invocationLog = join(folder, 'invocations.ndjson');
  try {
    await using stack = await openStack({
      devices: 2000,
      seed: 5,
      settings: quickSettings,
      ...quickRecovery,
      invocationLog,
    });
    const api = createApi(() => stack.host);
    // Slow enough to be hit in the middle, and to need many steps of one second.
    await stack.emulator.admin('POST', '/namespaces/primary/latency', { latencyMs: 180 });
    await stack.emulator.admin('POST', '/namespaces/secondary/latency', { latencyMs: 180 });

    const backup = await api.start('/api/backups');
    await until('the backup has read rows', async () => ((await api.read('backup', backup.id)).rowsRead ?? 0) > 1000);
    await stack.host.kill();
    await stack.startHost();
    const backedUp = await api.finished('backup', backup.id, { timeoutMs: 120_000 });
    expect(backedUp).toMatchObject({ status: 'Succeeded', result: { health: 'good' } });
    expect(backedUp.result?.registrationCount).toBe((await readRows(stack.emulator, PRIMARY_HUB)).length);

    const restore = await api.start('/api/restores');
    await until(
      'the restore has written',
      async () => ((await api.read('restore', restore.id)).counts?.created ?? 0) > 500,
    );
    await stack.host.kill();
    await stack.startHost();
    const restored = await api.finished('restore', restore.id, { timeoutMs: 240_000 });
    expect(restored).toMatchObject({ status: 'Succeeded', counts: { failed: 0, pending: 0 } });
    expect(restored.counts?.created).toBe(backedUp.result?.recordCount);
    const verdict = await deliveryOf(stack);
    expect(verdict).toMatchObject({ once: verdict.expected, never: 0, moreThanOnce: 0, unexpected: 0 });

    const invocations = await readInvocations(invocationLog);
    const steps = invocations.filter((one) => /Steps$/.test(one.function));
    expect(steps.length).toBeGreaterThan(10);
    // The budget is 1 s; one request and the saving of what was done come on top.
    expect(Math.max(...steps.map((one) => one.durationMs))).toBeLessThan(6000);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 480_000);

const invocationSchema = z.object({ function: z.string(), durationMs: z.number() });

async function readInvocations(file: string) {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line) => invocationSchema.parse(JSON.parse(line)));
}
