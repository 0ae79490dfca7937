import { expect, test } from 'vitest';
import { z } from 'zod';
import { type Api, createApi } from '../../local/api.ts';
import { SECONDARY_HUB, type Stack } from '../../local/stack.ts';
import { plainClient } from '../emulator/sdk-client.ts';
import { openStack } from '../support/stack.ts';
import { backUp, fullNameOf, quickSettings } from './drive.ts';

const rowSchema = z.looseObject({
  id: z.string(),
  etag: z.number(),
  platform: z.string(),
  handle: z.string(),
  isTemplate: z.boolean(),
  installationId: z.string().nullish(),
});
type Row = z.infer<typeof rowSchema>;

/** Every field of every row by its id, as the emulator has it. */
async function rowsOf({ emulator }: Stack): Promise<Map<string, Row>> {
  await emulator.admin('POST', `${SECONDARY_HUB}/settle`);
  const rows = new Map<string, Row>();
  for await (const line of emulator.adminLines(`${SECONDARY_HUB}/rows`)) {
    const row = rowSchema.parse(line);
    rows.set(row.id, row);
  }
  return rows;
}

const recordOf = ({ installationId, platform, handle }: Row): string =>
  installationId ? `i:${installationId}` : `d:${platform.toLowerCase()}:${handle}`;

/** A device that registers again just as it is, through the official SDK: only its ETag moves. */
async function registerAgain({ emulator }: Stack, row: Row): Promise<void> {
  const client = plainClient(emulator.namespaces['secondary']?.connectionString ?? '', 'devices');
  await client.updateRegistration(await client.getRegistration(row.id));
}

async function followUp(api: Api, path: string, body?: unknown) {
  const answer = await api.call('POST', path, body);
  expect(answer).toMatchObject({ status: 202 });
  const { id } = z.object({ id: z.string() }).parse(answer.body);
  await api.finished('restore', id, { timeoutMs: 240_000 });
  return (await api.call('GET', `/api/restores/${id}`)).body;
}

test('a rollback after a restore onto a hub with live devices leaves exactly those, and the restored ones that changed meanwhile', async () => {
  await using stack = await openStack({ devices: 800, seed: 21, settings: quickSettings });
  const { emulator } = stack;
  const api = createApi(() => stack.host);
  await backUp(api);
  await emulator.admin('POST', '/namespaces/primary/down');
  await emulator.admin('POST', `${SECONDARY_HUB}/switches`, { acceptForeignIds: false, installationDelayMs: 50 });
  await emulator.admin('POST', `${SECONDARY_HUB}/go-live`, { from: 'primary/devices', add: 30, returning: 40 });
  const live = await rowsOf(stack);

  const started = await api.start('/api/restores', { note: 'rehearsal' });
  const restored = await api.finished('restore', started.id, { timeoutMs: 240_000 });
  expect(restored).toMatchObject({ status: 'Succeeded', counts: { failed: 0, pending: 0 } });
  const asRestored = await rowsOf(stack);

  await emulator.admin('POST', `${SECONDARY_HUB}/churn`, { change: 40, seed: 5 });
  const registersAgain = [...asRestored.values()].filter(
    (row) => !live.has(row.id) && !row.isTemplate && !row.installationId && row.platform === 'Apple',
  );
  expect(registersAgain.length).toBeGreaterThan(3);
  for (const row of registersAgain.slice(0, 3)) await registerAgain(stack, row);
  const before = await rowsOf(stack);
  const changed = new Set(
    [...before.values()].filter((row) => JSON.stringify(row) !== JSON.stringify(asRestored.get(row.id))).map(recordOf),
  );
  const expected = new Map([...before].filter(([id, row]) => live.has(id) || changed.has(recordOf(row))));
  expect(expected.size).toBeGreaterThan(live.size + 20);

  const path = `/api/restores/${started.id}/rollback`;
  await expect
    .poll(() => api.call('POST', path), { timeout: 90_000, interval: 1000 })
    .toMatchObject({ status: 400, body: { error: { code: 'ConfirmationMissing' } } });
  expect(await api.call('POST', path, { confirm: 'devices' })).toMatchObject({ status: 400 });
  const undone = await followUp(api, path, { confirm: await fullNameOf(api, 'secondary') });
  expect(undone).toMatchObject({ status: 'Succeeded', purpose: 'rollback', of: started.id, counts: { failed: 0 } });
  const { counts } = z.object({ counts: z.record(z.string(), z.number()) }).parse(undone);
  expect(counts['total']).toBe((restored.counts?.created ?? 0) + (restored.counts?.updated ?? 0));
  expect(counts['keptLive']).toBeGreaterThan(10);
  expect(Object.fromEntries(await rowsOf(stack))).toEqual(Object.fromEntries(expected));

  const report = await api.call('GET', `/api/restores/${started.id}/report`);
  expect(report.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
  expect(report.body).toMatch(/^# Restore .*: Succeeded\n.*\| note \| rehearsal \|.*## Proof\n\nPass \d listed/s);
  expect(await api.call('GET', `/api/restores/${started.id}/report?format=json`)).toMatchObject({
    body: { id: started.id, isOver: true, note: 'rehearsal' },
  });
  const map = await api.call('GET', `/api/restores/${started.id}/id-map`);
  expect(map.headers.get('content-type')).toBe('text/csv; charset=utf-8');
  expect(String(map.body).split('\r\n').length).toBeGreaterThan(20);
}, 400_000);

test('a selective restore in order, and a retry of what the hub refused, through the HTTP API', async () => {
  await using stack = await openStack({ devices: 300, seed: 22, settings: quickSettings });
  const { emulator } = stack;
  const api = createApi(() => stack.host);
  await backUp(api);
  await emulator.admin('POST', '/namespaces/secondary/faults', [
    { name: 'refused', method: 'PUT', probability: 0.2, seed: 1, status: 400 },
  ]);
  const body = { only: { platforms: ['apple', 'fcmv1'] }, order: [{ platforms: ['FcmV1'] }], note: 'INC-9' };
  const started = await api.start('/api/restores', body);
  const first = await api.finished('restore', started.id, { timeoutMs: 240_000 });
  expect(first).toMatchObject({ status: 'Failed', error: { code: 'RestoreIncomplete' } });
  const failed = first.counts?.failed ?? 0;
  expect(failed).toBeGreaterThan(5);
  await emulator.admin('POST', '/namespaces/secondary/faults', []);
  const retried = await followUp(api, `/api/restores/${started.id}/retry`);
  expect(retried).toMatchObject({
    status: 'Succeeded',
    purpose: 'retry',
    of: started.id,
    only: { platforms: ['Apple', 'FcmV1'] },
    note: 'INC-9',
    counts: { total: failed, failed: 0, pending: 0 },
  });
  const platforms = new Set([...(await rowsOf(stack)).values()].map((row) => row.platform));
  expect([...platforms].sort()).toEqual(['Apple', 'FcmV1']);
});
