import { expect, test } from 'vitest';
import type { AlertMessage } from '../../src/core/ports.ts';
import { createHttpNotifier } from '../../src/notify/http-notifier.ts';
import { startScriptedServer } from '../hub/scripted-server.ts';

const message: AlertMessage = {
  id: 'BackupFailed-one-devices-2026-11-23T09:00:00.000Z',
  state: 'open',
  code: 'BackupFailed',
  severity: 'critical',
  message: 'The newest backup failed.',
  hub: 'one/devices',
  at: '2026-11-23T09:00:00.000Z',
};

function notifierFor(url: string, timeoutMs?: number) {
  return createHttpNotifier({
    heartbeatUrl: `${url}/beat?token=secret`,
    alertWebhookUrl: `${url}/hook?token=secret`,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
}

test('a heartbeat is a GET and an alert one POST of JSON, each to the address as it was set', async () => {
  await using server = await startScriptedServer({ status: 200 }, { status: 202 });
  const notifier = notifierFor(server.url);
  expect(await notifier.heartbeat()).toBeUndefined();
  expect(await notifier.alert(message)).toBeUndefined();
  const [beat, alert] = server.requests;
  expect(beat).toMatchObject({ method: 'GET', url: '/beat?token=secret', body: '' });
  expect(alert).toMatchObject({ method: 'POST', url: '/hook?token=secret' });
  expect(alert?.headers['content-type']).toBe('application/json');
  const text = 'CRITICAL BackupFailed (one/devices): The newest backup failed.';
  expect(JSON.parse(alert?.body ?? '')).toEqual({ text, ...message });
});

test('what is not taken at first is sent once more, and then given up with its status', async () => {
  await using server = await startScriptedServer({ status: 500 }, { status: 200 }, { status: 503 });
  const notifier = notifierFor(server.url);
  expect(await notifier.alert(message)).toBeUndefined();
  expect(server.requests).toHaveLength(2);
  expect(await notifier.alert(message)).toBe('status 503');
  expect(server.requests).toHaveLength(4);
});

test('a redirection is not followed', async () => {
  await using elsewhere = await startScriptedServer({ status: 200 });
  await using server = await startScriptedServer({ status: 307, headers: { location: `${elsewhere.url}/` } });
  expect(await notifierFor(server.url).alert(message)).toBe('status 307');
  expect(elsewhere.requests).toEqual([]);
});

test.each([
  ['does not answer', { delayMs: 60_000 }, 'TimeoutError'],
  ['takes it, and never ends its answer', { drips: true }, undefined],
])('a server that %s delays nothing', async (_, answer, seen) => {
  await using server = await startScriptedServer(answer);
  expect(await notifierFor(server.url, 50).heartbeat()).toBe(seen);
});

test('a fault is reported by its code, without the address', async () => {
  const server = await startScriptedServer({});
  const notifier = notifierFor(server.url);
  await server[Symbol.asyncDispose]();
  expect(await notifier.heartbeat()).toBe('ECONNREFUSED');
});

test('without addresses nothing is called', async () => {
  const notifier = createHttpNotifier({ heartbeatUrl: undefined, alertWebhookUrl: undefined });
  expect(notifier).toMatchObject({ hasHeartbeat: false, hasWebhook: false });
  expect(await notifier.heartbeat()).toBeUndefined();
  expect(await notifier.alert(message)).toBeUndefined();
});
