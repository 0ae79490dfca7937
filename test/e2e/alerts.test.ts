import { expect, test } from 'vitest';
import { z } from 'zod';
import { createApi } from '../../local/api.ts';
import type { Stack } from '../../local/stack.ts';
import { startScriptedServer } from '../hub/scripted-server.ts';
import { openStack } from '../support/stack.ts';
import { until } from './drive.ts';

const alert = z.strictObject({
  text: z.string(),
  id: z.string(),
  state: z.enum(['open', 'resolved']),
  code: z.string(),
  severity: z.enum(['critical', 'warning']),
  message: z.string(),
  hub: z.string(),
  runId: z.string().optional(),
  snapshotId: z.string().optional(),
  at: z.iso.datetime(),
});

const card = z.object({
  verdict: z.string(),
  findings: z.array(z.object({ code: z.string() })),
  alerts: z.object({ open: z.array(z.object({ code: z.string() })) }),
});

const TOKEN = 'token-of-the-receiver';

test('backups that break raise the alert and the 503, and the heartbeat stops; a good backup clears both', async () => {
  await using receiver = await startScriptedServer({ status: 204 });
  let output = '';
  await using stack = await openStack({
    devices: 60,
    seed: 7,
    settings: {
      BACKUP_SCHEDULE: '0 0 0 1 1 *',
      // Only when the test says so: two that look at once may both call the heartbeat.
      WATCHDOG_SCHEDULE: '0 0 0 1 1 *',
      HEARTBEAT_URL: `${receiver.url}/beat?key=${TOKEN}`,
      ALERT_WEBHOOK_URL: `${receiver.url}/hook?key=${TOKEN}`,
    },
    onOutput: (text) => {
      output += text;
    },
  });
  const alerts = () =>
    receiver.requests.filter(({ method }) => method === 'POST').map(({ body }) => alert.parse(JSON.parse(body)));
  const beats = () => receiver.requests.filter(({ method }) => method === 'GET').length;

  const { connectionString } = await rotateKeys(stack);
  await stack.host.fire('backup');
  await until('the failed backup is reported', () => alerts().length === 1);
  expect(alerts()[0]).toMatchObject({ code: 'BackupFailed', state: 'open', severity: 'critical' });
  expect(await readCard(stack)).toMatchObject({
    status: 503,
    verdict: 'NotReady',
    findings: [{ code: 'NoGoodSnapshot' }, { code: 'PrimaryRefuses' }, { code: 'BackupFailed' }],
    alerts: { open: [{ code: 'BackupFailed' }] },
  });
  // The next one fails as well, and says nothing new.
  await stack.host.fire('backup');
  await until('the second backup has failed', async () => (await failedBackups(stack)) === 2);
  await stack.host.fire('watchdog');
  expect(beats()).toBe(0);

  await stack.host.stop();
  await stack.startHost({ settings: { PRIMARY_HUB_CONNECTION: connectionString } });
  await stack.host.fire('backup');
  await until('the end is reported', () => alerts().some(({ state }) => state === 'resolved'));
  expect(alerts().map(({ code, state }) => `${code} ${state}`)).toEqual(['BackupFailed open', 'BackupFailed resolved']);
  expect(new Set(alerts().map(({ id }) => id)).size).toBe(1);
  expect(await readCard(stack)).toMatchObject({ status: 200, findings: [{ code: 'NotProven' }], alerts: { open: [] } });
  expect(beats()).toBe(1);

  expect(output).toContain('run ended');
  const said = output + JSON.stringify(alerts());
  for (const secret of [TOKEN, keyOf(connectionString)]) expect(said).not.toContain(secret);
});

async function rotateKeys({ emulator }: Stack): Promise<{ connectionString: string }> {
  const answer = await emulator.admin('POST', '/namespaces/primary/rotate-keys');
  return z.object({ connectionString: z.string() }).parse(answer);
}

async function readCard({ host }: Stack) {
  const { status, body } = await createApi(() => host).call('GET', '/api/status');
  return { status, ...card.parse(body) };
}

async function failedBackups({ host }: Stack): Promise<number> {
  const runs = await createApi(() => host).runs('backup');
  return runs.filter(({ status }) => status === 'Failed').length;
}

function keyOf(connectionString: string): string {
  return /SharedAccessKey=([^;]+)/.exec(connectionString)?.[1] ?? '';
}
