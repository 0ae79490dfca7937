import { expect, test } from 'vitest';
import { z } from 'zod';
import { createApi } from '../../local/api.ts';
import { judgeDelivery, readRows } from '../../local/delivery.ts';
import { PRIMARY_HUB, SECONDARY_HUB } from '../../local/stack.ts';
import { openStack } from '../support/stack.ts';
import { backUp, quickSettings, until } from './drive.ts';

test('backup on one host, region down, restore, and a broadcast reaches each device exactly once', async () => {
  // What is wrong here harms neither backup nor restore.
  const wrong = { ALERT_WEBHOOK_URL: 'notaurl', MAX_CONCURRENCY: 'many', RETAIN_DAILY: 'all' };
  const settings = { ...quickSettings, DRILL_SCHEDULE: '0 0 4 * * Sunday', ...wrong };
  await using stack = await openStack({ devices: 1000, seed: 11, settings });
  const api = createApi(() => stack.host);
  expect((await api.call('GET', '/api/status')).status).toBe(503);
  await backUp(api);
  const ignored = Object.keys(wrong).map((name) => expect.stringContaining(name));
  expect(await api.call('GET', '/api/status')).toMatchObject({
    status: 200,
    body: {
      verdict: 'AtRisk',
      findings: expect.arrayContaining([
        expect.objectContaining({ code: 'NotProven' }),
        ...ignored.map((message) => ({ level: 'risk', code: 'SettingIgnored', message })),
      ]),
    },
  });
  expect((await api.call('POST', '/api/snapshots/latest/verify')).status).toBe(202);
  await until('the snapshot is proven', async () => {
    const { status, body } = await api.call('GET', '/api/status');
    const { findings } = z.object({ findings: z.array(z.object({ code: z.string() })) }).parse(body);
    return status === 200 && findings.every(({ code }) => code === 'SettingIgnored');
  });
  const rowsBefore = await readRows(stack.emulator, PRIMARY_HUB);
  await stack.emulator.admin('POST', '/namespaces/primary/down');

  const first = await api.start('/api/restores');
  const restored = await api.finished('restore', first.id);
  expect(restored).toMatchObject({ status: 'Succeeded', counts: { failed: 0, pending: 0 } });
  const again = await api.finished('restore', (await api.start('/api/restores')).id);
  expect(again.counts).toMatchObject({ created: 0, updated: 0, unchanged: restored.counts?.total });

  await stack.emulator.admin('POST', `${SECONDARY_HUB}/broadcast`, { message: 'proof' });
  const verdict = await judgeDelivery(stack.emulator, SECONDARY_HUB, rowsBefore, []);
  expect(verdict).toEqual({
    expected: verdict.expected,
    once: verdict.expected,
    never: 0,
    moreThanOnce: 0,
    unexpected: 0,
  });
});

test('bad input gets its own code and a message that says what to do', async () => {
  await using stack = await openStack({ devices: 50, seed: 3, settings: quickSettings });
  const api = createApi(() => stack.host);
  const codeOf = async (method: string, path: string, body?: unknown) => {
    const answer = await api.call(method, path, body);
    const { error } = z
      .object({ error: z.object({ code: z.string(), message: z.string().min(20) }) })
      .parse(answer.body);
    expect(answer.headers.get('x-ms-error-code')).toBe(error.code);
    return `${answer.status} ${error.code}`;
  };
  expect(await codeOf('POST', '/api/restores')).toBe('404 NoGoodSnapshot');
  await backUp(api);
  expect(await codeOf('POST', '/api/restores', '{"snapshot":')).toBe('400 BadRequest');
  expect(await codeOf('POST', '/api/restores', '[]')).toBe('400 BadRequest');
  expect(await codeOf('POST', '/api/restores', { snapshots: 'latest' })).toBe('400 UnknownField');
  expect(await codeOf('POST', '/api/restores', { target: 'tertiary' })).toBe('400 WrongTarget');
  expect(await codeOf('POST', '/api/restores', { target: 'primary' })).toBe('409 TargetIsSource');
  expect(await codeOf('POST', '/api/restores', { snapshot: '2020-01-01T00-00-00Z-abcdef' })).toBe(
    '404 SnapshotNotFound',
  );
  expect(await codeOf('GET', '/api/restores/nothing')).toBe('404 RunNotFound');
  expect(await codeOf('PUT', '/api/restores/bad%20id')).toBe('400 BadRequest');
  const chunked = await fetch(`${stack.host.url}/api/restores`, {
    method: 'POST',
    headers: { 'x-functions-key': stack.host.keys.default },
    body: new Blob(['{"dryRun":true}']).stream(),
    duplex: 'half',
  });
  expect([chunked.status, chunked.headers.get('x-ms-error-code')]).toEqual([400, 'BodyNotReceived']);
  expect(await api.runs('restore')).toEqual([]);
  const stranger = await fetch(`${stack.host.url}/api/status`, { headers: { 'x-functions-key': 'wrong' } });
  expect(stranger.status).toBe(401);
  await stack.emulator.admin('POST', '/namespaces/secondary/down');
  expect(await codeOf('POST', '/api/restores')).toBe('503 HubUnavailable');
});

test('missing settings are all named in one answer', async () => {
  await using stack = await openStack({
    devices: 1,
    seed: 3,
    settings: {
      ...quickSettings,
      PRIMARY_HUB_NAME: '',
      SECONDARY_HUB_CONNECTION: 'Endpoint=sb://x/',
      MAX_CONCURRENCY: 'many',
    },
  });
  const answer = await createApi(() => stack.host).call('GET', '/api/status');
  expect(answer.status).toBe(500);
  expect(answer.headers.get('x-ms-error-code')).toBe('SettingsInvalid');
  const { error } = z
    .object({ error: z.object({ details: z.array(z.object({ target: z.string() })) }) })
    .parse(answer.body);
  expect(error.details.map((detail) => detail.target).sort()).toEqual([
    'MAX_CONCURRENCY',
    'PRIMARY_HUB_NAME',
    'SECONDARY_HUB_CONNECTION',
  ]);
});

test('a target whose tier is too small is refused before the first write', async () => {
  await using stack = await openStack({
    devices: 600,
    seed: 4,
    settings: { ...quickSettings, SECONDARY_TIER: 'Free' },
  });
  const api = createApi(() => stack.host);
  await backUp(api);
  expect(await api.call('POST', '/api/restores')).toMatchObject({
    status: 409,
    body: { error: { code: 'TargetTooSmall' } },
  });
});
