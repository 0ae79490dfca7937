import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { z } from 'zod';
import type { Api, RunView } from '../../local/api.ts';
import { judgeDelivery, readRows, type Verdict } from '../../local/delivery.ts';
import { PRIMARY_HUB, SECONDARY_HUB, type Stack } from '../../local/stack.ts';

/** No backup by itself, steps of a second, and no waiting where nothing is late. */
export const quickSettings = { BACKUP_SCHEDULE: '0 0 0 1 1 *', SETTLE_SECONDS: '0', STEP_BUDGET_SECONDS: '1' };

/** Long enough for a run to be met half way. */
export async function slowDown({ emulator }: Stack, latencyMs = 150): Promise<void> {
  await emulator.admin('POST', '/namespaces/primary/latency', { latencyMs });
  await emulator.admin('POST', '/namespaces/secondary/latency', { latencyMs });
}

/** `namespace/hub`, as it is typed to confirm. */
export async function fullNameOf(api: Api, role: 'primary' | 'secondary'): Promise<string> {
  const hub = z.object({ namespace: z.string(), hub: z.string() });
  const card = z.object({ primary: hub, secondary: hub }).parse((await api.call('GET', '/api/status')).body);
  return `${card[role].namespace}/${card[role].hub}`;
}

export async function backUp(api: Api): Promise<RunView> {
  const started = await api.start('/api/backups');
  const run = await api.finished('backup', started.id, { timeoutMs: 240_000 });
  expect(run).toMatchObject({ status: 'Succeeded', result: { health: 'good' } });
  return run;
}

/** A restore that is to end well. */
export async function restore(api: Api): Promise<RunView> {
  const started = await api.start('/api/restores');
  const run = await api.finished('restore', started.id, { timeoutMs: 240_000 });
  expect(run).toMatchObject({ status: 'Succeeded', counts: { failed: 0, pending: 0 } });
  return run;
}

/** Whom a broadcast through the secondary reaches, held to what the primary has. */
export async function deliveryOf({ emulator }: Stack): Promise<Verdict> {
  const rows = await readRows(emulator, PRIMARY_HUB);
  await emulator.admin('POST', `${SECONDARY_HUB}/settle`);
  await emulator.admin('POST', `${SECONDARY_HUB}/clear-inboxes`);
  await emulator.admin('POST', `${SECONDARY_HUB}/broadcast`, { message: 'proof' });
  return judgeDelivery(emulator, SECONDARY_HUB, rows, []);
}

export async function expectEachDeviceOnce(stack: Stack): Promise<void> {
  const verdict = await deliveryOf(stack);
  expect(verdict).toMatchObject({ once: verdict.expected, never: 0, moreThanOnce: 0, unexpected: 0 });
}

export async function untilRead(api: Api, backupId: string, rows: number): Promise<void> {
  await until('rows are read', async () => ((await api.read('backup', backupId)).rowsRead ?? 0) >= rows);
}

export async function untilWritten(api: Api, restoreId: string, records: number): Promise<void> {
  await until(
    'records are written',
    async () => ((await api.read('restore', restoreId)).counts?.created ?? 0) >= records,
  );
}

/** How many writes the secondary took, and at the end the longest time between two of them, in ms. */
export function watchWrites({ emulator }: Stack) {
  let isOver = false;
  let count = 0;
  let standstillMs = 0;
  const watching = (async () => {
    for (let movedAt = Date.now(); !isOver; await sleep(100)) {
      const { requestCounts } = statsSchema.parse(await emulator.admin('GET', `${SECONDARY_HUB}/stats`));
      const writes = requestCounts.filter(({ method, status }) => method === 'PUT' && status < 300);
      const now = writes.reduce((sum, each) => sum + each.count, 0);
      if (now === count) continue;
      if (count > 0) standstillMs = Math.max(standstillMs, Date.now() - movedAt);
      count = now;
      movedAt = Date.now();
    }
  })();
  const end = async () => {
    isOver = true;
    await watching;
    return standstillMs;
  };
  return { end, count: () => count };
}

const statsSchema = z.object({
  requestCounts: z.array(z.object({ method: z.string(), status: z.number(), count: z.number() })),
});

/** Waits for something to become true, and fails with `what` when it does not. */
export async function until(what: string, isTrue: () => boolean | Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const deadlineAt = Date.now() + timeoutMs;
  while (!(await isTrue())) {
    if (Date.now() > deadlineAt) throw new Error(`Waited in vain: ${what}`);
    await sleep(100);
  }
}
