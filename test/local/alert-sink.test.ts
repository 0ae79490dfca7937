import { expect, test } from 'vitest';
import { startAlertSink } from '../../local/alert-sink.ts';
import { createHttpNotifier } from '../../src/notify/http-notifier.ts';

test('the local stack takes what the app sends as an alert, shows it, and refuses what is none', async () => {
  const lines: string[] = [];
  await using sink = await startAlertSink((line) => lines.push(line));
  const notifier = createHttpNotifier({ heartbeatUrl: undefined, alertWebhookUrl: sink.url });
  const message = {
    id: 'a1',
    state: 'open',
    code: 'RestoreFailed',
    severity: 'critical',
    message: 'It failed.',
    hub: 'primary/devices',
    at: '2026-11-23T09:00:00.000Z',
  } as const;
  expect(await notifier.alert(message)).toBeUndefined();
  expect(lines).toEqual(['Alert: CRITICAL RestoreFailed (primary/devices): It failed.\n']);
  for (const body of ['no JSON', '{}', 'null']) {
    expect((await fetch(sink.url, { method: 'POST', body })).status).toBe(400);
  }
  expect(lines).toHaveLength(1);
});
