import { expect, test } from 'vitest';
import { startBackup } from '../../src/app/backup/start.ts';
import { reviewReadiness } from '../../src/app/readiness/review.ts';
import { readStatus } from '../../src/app/readiness/status.ts';
import { sendTestAlerts } from '../../src/app/readiness/test-alerts.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { declareRole } from '../../src/app/runs/declare-role.ts';
import { watch } from '../../src/app/watchdog.ts';
import { DrError } from '../../src/core/errors.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { backUp, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';

const HOUR_MS = 3_600_000;

async function anEngine(): Promise<Engine> {
  const engine = createEngine();
  seed(engine);
  await backUp(engine);
  return engine;
}

/** The watchdog's ticks of this many minutes. */
async function minutes(engine: Engine, amount: number): Promise<void> {
  for (let minute = 0; minute < amount; minute += 1) {
    engine.advance(60_000);
    await watch(engine.app);
  }
}

async function failBackup(engine: Engine): Promise<string> {
  const { listPage } = engine.primary;
  engine.primary.listPage = async () => {
    throw new DrError('HubUnauthorized', 'The hub does not accept the access key.');
  };
  engine.advance(60_000);
  const { id } = await startBackup(engine.app, 'timer');
  await engine.drain();
  engine.primary.listPage = listPage;
  return id;
}

const sent = ({ notifier }: Engine): string[] => notifier.alerts.map(({ code, state }) => `${code} ${state}`);
const openCodes = async ({ app }: Engine): Promise<string[]> =>
  (await readStatus(app)).alerts.open.map(({ code }) => code);

test('a failed backup is reported once, however often it fails, and once more when one succeeds', async () => {
  const engine = await anEngine();
  const failed = await failBackup(engine);
  await failBackup(engine);
  await minutes(engine, 5);
  expect(engine.notifier.alerts).toEqual([
    {
      id: expect.stringMatching(/^BackupFailed-one-devices-/),
      state: 'open',
      code: 'BackupFailed',
      severity: 'critical',
      message: expect.stringContaining('does not accept the access key'),
      hub: 'one/devices',
      runId: failed,
      at: expect.any(String),
    },
  ]);
  expect(await openCodes(engine)).toEqual(['BackupFailed']);
  await backUp(engine);
  await minutes(engine, 2);
  expect(sent(engine)).toEqual(['BackupFailed open', 'BackupFailed resolved']);
  expect(engine.notifier.alerts[1]?.id).toBe(engine.notifier.alerts[0]?.id);
  expect(await openCodes(engine)).toEqual([]);
  expect(await engine.blobs.list('_alerts/')).toEqual([]);
});

test('a suspect snapshot, a missed backup and a failed restore are reported, and again when they are resolved', async () => {
  const engine = await anEngine();
  const rows = [...engine.primary.rows];
  for (const [id] of rows.slice(0, 30)) engine.primary.rows.delete(id);
  await backUp(engine);
  expect(sent(engine)).toEqual(['SnapshotSuspect open']);
  for (const [id, xml] of rows) engine.primary.rows.set(id, xml);
  await backUp(engine);
  expect(sent(engine).slice(1)).toEqual(['SnapshotSuspect resolved']);

  engine.secondary.intercept = () => ({ kind: 'rejected', status: 400, reason: 'Rejected' });
  await startRestore(engine.app, parseRestoreRequest(''));
  await engine.drain();
  expect(sent(engine).slice(2)).toEqual(['RestoreFailed open']);
  engine.secondary.intercept = () => undefined;
  await startRestore(engine.app, parseRestoreRequest(''));
  await engine.drain();
  expect(sent(engine).slice(3)).toEqual(['RestoreFailed resolved', 'RoleUnsettled open']);
  engine.advance(1000);
  await declareRole(engine.app, { active: 'primary', confirm: 'one/devices' });
  await watch(engine.app);
  expect(sent(engine).slice(5)).toEqual(['RoleUnsettled resolved']);

  engine.advance(1.6 * HOUR_MS);
  await watch(engine.app);
  expect(sent(engine).slice(6)).toEqual(['BackupMissed open']);
  await backUp(engine);
  await watch(engine.app);
  expect(sent(engine).slice(7)).toEqual(['BackupMissed resolved']);
});

test('a target that is down for a moment raises no alert; one that stays down does', async () => {
  const engine = await anEngine();
  const { probe } = engine.secondary;
  const away: typeof probe = async () => {
    throw new DrError('HubUnavailable', 'The hub did not answer.', { retryable: true });
  };
  engine.secondary.probe = away;
  await minutes(engine, 1);
  engine.secondary.probe = probe;
  await minutes(engine, 3);
  expect(sent(engine)).toEqual([]);
  engine.secondary.probe = away;
  await minutes(engine, 4);
  expect(sent(engine)).toEqual(['NotReady open']);
  engine.secondary.probe = probe;
  await minutes(engine, 2);
  expect(sent(engine)).toEqual(['NotReady open', 'NotReady resolved']);
});

test('a primary that stays away is reported within 130 seconds, and when it is back', async () => {
  const engine = await anEngine();
  await minutes(engine, 1);
  const { probe } = engine.primary;
  engine.primary.probe = async () => {
    throw new DrError('HubUnavailable', 'No.', { retryable: true, seen: 'ECONNREFUSED' });
  };
  await minutes(engine, 2);
  expect(sent(engine)).toEqual(['PrimaryUnavailable open']);
  expect(engine.notifier.alerts[0]).toMatchObject({
    severity: 'critical',
    message: expect.stringContaining(
      'The hub in use, one/devices, has not answered since 09:03 UTC (connection refused).',
    ),
  });
  engine.primary.probe = probe;
  await minutes(engine, 1);
  expect(sent(engine)).toEqual(['PrimaryUnavailable open', 'PrimaryUnavailable resolved']);
});

test('an alert that was not accepted is sent again until it is, in the order in which things happened', async () => {
  const engine = await anEngine();
  engine.notifier.isDown = true;
  await failBackup(engine);
  await minutes(engine, 3);
  await backUp(engine);
  await minutes(engine, 1);
  expect(sent(engine)).toEqual([]);
  engine.notifier.isDown = false;
  await minutes(engine, 2);
  expect(sent(engine)).toEqual(['BackupFailed open', 'BackupFailed resolved']);
  await minutes(engine, 3);
  expect(sent(engine)).toHaveLength(2);
});

test('addresses that take no call are findings, with since when and why, until they do', async () => {
  const engine = createEngine();
  seed(engine);
  engine.notifier.isDown = true;
  await backUp(engine);
  await failBackup(engine);
  await minutes(engine, 3);
  const refusals = async () => (await readStatus(engine.app)).findings.filter(({ code }) => code.endsWith('Refused'));
  const found = await refusals();
  expect(found).toEqual([
    { level: 'risk', code: 'AlertsRefused', message: expect.stringMatching(/since \d\d:\d\d UTC \(ECONNREFUSED\)/) },
    { level: 'risk', code: 'HeartbeatRefused', message: expect.stringMatching(/since \d\d:\d\d UTC \(ECONNREFUSED\)/) },
  ]);
  await minutes(engine, 3);
  expect(await refusals()).toEqual(found);
  engine.notifier.isDown = false;
  await minutes(engine, 1);
  expect(await refusals()).toEqual([]);
});

test('a test sends an alert and its end, and says what became of it', async () => {
  const engine = createEngine();
  expect(await sendTestAlerts(engine.app)).toEqual({ taken: true, seen: undefined });
  expect(sent(engine)).toEqual(['Test open', 'Test resolved']);
  expect(new Set(engine.notifier.alerts.map(({ id }) => id)).size).toBe(1);
  expect(await openCodes(engine)).toEqual([]);
  engine.notifier.isDown = true;
  expect(await sendTestAlerts(engine.app)).toEqual({ taken: false, seen: 'ECONNREFUSED' });
  const notifier = { ...engine.notifier, hasWebhook: false };
  await expect(sendTestAlerts({ ...engine.app, notifier })).rejects.toMatchObject({ code: 'BadRequest' });
});

test('an open alert shows the reason that there is now, and is not sent again', async () => {
  const engine = await anEngine();
  const away = async () => {
    throw new DrError('HubUnavailable', 'The hub did not answer.', { retryable: true });
  };
  engine.secondary.probe = away;
  await minutes(engine, 4);
  const shown = async () => (await readStatus(engine.app)).alerts.open.map(({ message }) => message);
  expect(await shown()).toEqual([expect.stringContaining('The standby, three/devices, has not answered')]);
  engine.secondary.probe = async () => {
    throw new DrError('HubForbidden', 'The key has no Manage right.');
  };
  await minutes(engine, 1);
  expect(await shown()).toEqual([expect.stringContaining('The key has no Manage right.')]);
  expect(sent(engine)).toEqual(['NotReady open']);
});

test('an alert is sent with the reason there is when it is sent, not with the one that it was suspected for', async () => {
  const engine = createEngine();
  seed(engine);
  await minutes(engine, 1);
  engine.secondary.probe = async () => {
    throw new DrError('HubUnavailable', 'The hub did not answer.', { retryable: true });
  };
  await backUp(engine);
  await minutes(engine, 2);
  expect(engine.notifier.alerts.filter(({ code }) => code === 'NotReady')).toMatchObject([
    { state: 'open', message: expect.stringContaining('The standby, three/devices, has not answered') },
  ]);
});

test('an alert that the webhook takes late is sent with the reason there is by then', async () => {
  const engine = await anEngine();
  engine.secondary.probe = async () => {
    throw new DrError('HubUnavailable', 'The hub did not answer.', { retryable: true });
  };
  engine.notifier.isDown = true;
  await minutes(engine, 4);
  engine.secondary.probe = async () => {
    throw new DrError('HubForbidden', 'The key has no Manage right.');
  };
  await minutes(engine, 1);
  engine.notifier.isDown = false;
  await minutes(engine, 2);
  expect(engine.notifier.alerts).toMatchObject([
    { code: 'NotReady', state: 'open', message: expect.stringContaining('The key has no Manage right.') },
  ]);
});

test('an alert about a hub that is no longer in use says that this is why it is over', async () => {
  const engine = await anEngine();
  await minutes(engine, 1);
  engine.primary.probe = async () => {
    throw new DrError('HubUnavailable', 'No.', { retryable: true });
  };
  await minutes(engine, 2);
  expect(sent(engine)).toEqual(['PrimaryUnavailable open']);
  await declareRole(engine.app, { active: 'secondary', confirm: 'three/devices', force: true });
  await minutes(engine, 1);
  expect(engine.notifier.alerts).toContainEqual(
    expect.objectContaining({
      code: 'PrimaryUnavailable',
      state: 'resolved',
      id: engine.notifier.alerts[0]?.id,
      message: expect.stringMatching(
        /^Over, for one\/devices is no longer the hub in use, three\/devices is; that one\/devices is well was not seen\. It was: The hub in use, one\/devices, has not answered since/,
      ),
    }),
  );
});

test('a webhook that fails fails no run', async () => {
  const engine = createEngine();
  seed(engine);
  engine.notifier.isDown = true;
  await backUp(engine);
  expect((await readStatus(engine.app)).lastBackup).toMatchObject({ status: 'Succeeded' });
});

test('two instances that see the same change tell it once', async () => {
  const engine = await anEngine();
  await failBackup(engine);
  await engine.blobs.remove((await engine.blobs.list('_alerts/'))[0]?.name ?? '');
  engine.notifier.alerts.length = 0;
  await Promise.all([reviewReadiness(engine.app), reviewReadiness({ ...engine.app })]);
  expect(sent(engine)).toEqual(['BackupFailed open']);
});

test('without a webhook the card still shows what is open, and nothing is kept for later', async () => {
  const engine = createEngine({ wrap: () => ({ notifier: silent }) });
  seed(engine);
  await backUp(engine);
  await failBackup(engine);
  expect((await readStatus(engine.app)).alerts).toMatchObject({
    heartbeatUrl: false,
    webhook: false,
    open: [{ code: 'BackupFailed' }],
  });
  await backUp(engine);
  expect(await engine.blobs.list('_alerts/')).toEqual([]);
});

test('a damaged alert document is written again', async () => {
  const engine = await anEngine();
  await failBackup(engine);
  const [name = ''] = (await engine.blobs.list('_alerts/')).map((entry) => entry.name);
  await engine.blobs.put(name, new Uint8Array([123]), 'any');
  await minutes(engine, 2);
  expect(await openCodes(engine)).toEqual(['BackupFailed']);
});

test('the heartbeat is called once for each good snapshot, and again when it was not taken', async () => {
  const engine = await anEngine();
  await minutes(engine, 3);
  expect(engine.notifier.heartbeatCount).toBe(1);
  await failBackup(engine);
  expect(engine.notifier.heartbeatCount).toBe(1);
  engine.notifier.isDown = true;
  await backUp(engine);
  engine.notifier.isDown = false;
  await minutes(engine, 1);
  expect(engine.notifier.heartbeatCount).toBe(2);
});

const silent: Engine['app']['notifier'] = {
  hasHeartbeat: false,
  hasWebhook: false,
  heartbeat: async () => undefined,
  alert: async () => undefined,
};
