import { expect, test } from 'vitest';
import { createApi } from '../../local/api.ts';
import { refusal, startScriptedServer } from '../cli/scripted-server.ts';

const run = { id: 'r1', kind: 'restore', phase: 'Writing', createdAt: '2026-11-23T11:59:00Z' };
const running = { body: { ...run, status: 'Running' } };
const done = { body: { ...run, status: 'Succeeded' } };
const away = refusal(503, 'StorageUnavailable', 'The storage does not answer.');

test('a drill that polls a run survives an answer that says nothing of it, and no refusal', async () => {
  await using server = await startScriptedServer({ 'GET /api/restores/r1': [running, away, done] });
  const api = createApi(() => ({ url: server.url, keys: { master: 'm', default: 'k' } }));
  expect(await api.finished('restore', 'r1')).toMatchObject({ status: 'Succeeded' });
  await expect(api.finished('restore', 'other')).rejects.toThrow('The API answered 404');
});
