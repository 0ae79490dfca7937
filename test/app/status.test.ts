import { expect, test } from 'vitest';
import { type App, createMemory } from '../../src/app/app.ts';
import { startBackup } from '../../src/app/backup/start.ts';
import { readBackupView } from '../../src/app/backup/view.ts';
import { readStatus } from '../../src/app/readiness/status.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { declareRole } from '../../src/app/runs/declare-role.ts';
import { acceptSnapshot } from '../../src/app/snapshots/accept.ts';
import { storeProof } from '../../src/app/snapshots/marks.ts';
import { findSnapshot } from '../../src/app/snapshots/store.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import { watch } from '../../src/app/watchdog.ts';
import { DrError } from '../../src/core/errors.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { parseStep } from '../../src/core/run/step.ts';
import { aBackedUp, backUp, restore, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { anAppleRow } from '../support/rows.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** An engine with a snapshot that is proven: nothing to complain about. */
async function aReadyEngine(devices = 24): Promise<Engine> {
  const engine = createEngine();
  seed(engine, devices);
  await prove(engine, await backUp(engine));
  // The end of the backup probed the target, and that is remembered for a minute.
  engine.advance(61_000);
  return engine;
}

async function prove({ app }: Engine, snapshotId: string, isSound = true): Promise<void> {
  const manifest = await findSnapshot(app, snapshotId);
  await storeProof(app, manifest, { how: 'verified', runId: 'v1', isSound });
}

/** After the watchdog's look. */
async function codesOf({ app }: Engine): Promise<string[]> {
  await watch(app);
  return (await readStatus(app)).findings.map(({ level, code }) => `${level} ${code}`);
}

test('without a good snapshot a failover is not ready', async () => {
  const engine = createEngine();
  expect(await readStatus(engine.app)).toMatchObject({
    verdict: 'NotReady',
    reason: expect.stringContaining('There is no good snapshot of hub one/devices.'),
    latestGoodSnapshot: null,
    provenSnapshot: null,
    atRisk: null,
    predictedRestore: null,
  });
});

test('no more is at risk than there is, however fast the hub was filled', async () => {
  const engine = await aBackedUp(2);
  seed(engine, 24);
  await backUp(engine);
  engine.advance(3_600_000);
  await watch(engine.app);
  expect(await readStatus(engine.app)).toMatchObject({ atRisk: { devicesEstimate: 24 } });
});

test('a restore that lists its hub says how many rows it has read, of about how many', async () => {
  const engine = await aReadyEngine(100);
  await restore(engine);
  const { id } = (await startRestore(engine.app, parseRestoreRequest(''))).run;
  const before = { phase: 'Reading', rowsRead: 0, rowsExpected: 150, percent: 0 };
  expect(await readRestoreView(engine.app, id)).toMatchObject(before);
  expect(await readStatus(engine.app)).toMatchObject({ lastRestore: before });
  engine.app.memory.isStopping = true;
  await runStep(engine.app, parseStep(JSON.parse(engine.queue.take()[0] ?? '')));
  expect(await readRestoreView(engine.app, id)).toMatchObject({ rowsRead: 100, rowsExpected: 150 });
});

test('a young good snapshot that is proven, and a target that can be written to, are ready', async () => {
  const engine = await aReadyEngine();
  engine.advance(539_000);
  await watch(engine.app);
  expect(await readStatus(engine.app)).toMatchObject({
    verdict: 'Ready',
    findings: [],
    provenSnapshot: { how: 'verified', ageSeconds: 600 },
    atRisk: { minutes: 10 },
    target: { reachable: true, rights: true, tier: 'Standard', deviceLimit: 10_000_000 },
    undeliverable: [],
    missedBackups: { expectedEverySeconds: 3600, missed: false },
  });
});

test('a snapshot without a proof is a risk, and so is a proof of more than eight days ago', async () => {
  const engine = await aBackedUp();
  expect(await codesOf(engine)).toEqual(['risk NotProven']);
  await prove(engine, 'latest');
  engine.advance(8.5 * DAY_MS);
  await backUp(engine);
  expect(await codesOf(engine)).toEqual(['risk ProofOld']);
});

test('a backup that is late is a risk, and one that misses a day stops', async () => {
  const engine = await aReadyEngine();
  engine.advance(1.6 * HOUR_MS);
  expect(await codesOf(engine)).toEqual(['risk SnapshotOld', 'risk BackupMissed']);
  expect(await readStatus(engine.app)).toMatchObject({ verdict: 'AtRisk', missedBackups: { missed: true } });
  engine.advance(DAY_MS);
  expect(await codesOf(engine)).toEqual(['stop SnapshotTooOld', 'risk BackupMissed']);
});

test('after a failback the backups count from then, not from before the failover', async () => {
  const engine = await aReadyEngine();
  const declare = (active: string) => declareRole(engine.app, { active, confirm: active, force: true });
  await declare('three/devices');
  engine.advance(2 * HOUR_MS);
  await backUp(engine);
  await declare('one/devices');
  engine.advance(HOUR_MS);
  expect(await codesOf(engine)).not.toContain('risk BackupMissed');
  engine.advance(0.6 * HOUR_MS);
  const missed = (await readStatus(engine.app)).findings.find(({ code }) => code === 'BackupMissed');
  expect(missed?.message).toContain('since the hub came into use 96 minutes ago');
});

test('a failed backup is a risk until the next one succeeds', async () => {
  const engine = await aReadyEngine();
  const { listPage } = engine.primary;
  engine.primary.listPage = async () => {
    throw new DrError('HubUnauthorized', 'The hub does not accept the access key.');
  };
  engine.advance(60_000);
  await startBackup(engine.app, 'timer');
  await engine.drain();
  await watch(engine.app);
  expect(await readStatus(engine.app)).toMatchObject({
    verdict: 'AtRisk',
    findings: [{ code: 'BackupFailed', message: expect.stringContaining('does not accept the access key') }],
  });
  engine.primary.listPage = listPage;
  await backUp(engine);
  expect(await codesOf(engine)).toEqual([]);
});

test('a suspect newest snapshot is a risk although an older one is latest', async () => {
  const engine = await aReadyEngine();
  const good = (await findSnapshot(engine.app, 'latest')).id;
  for (const id of [...engine.primary.rows.keys()].slice(0, 30)) engine.primary.rows.delete(id);
  const suspect = await backUp(engine);
  expect(await codesOf(engine)).toEqual(['risk SnapshotSuspect']);
  const [finding] = (await readStatus(engine.app)).findings;
  expect(finding?.message).toMatch(
    new RegExp(
      `the last good one, ${good}, of 24 records, read at \\d\\d:\\d\\d UTC\\. If one/devices has lost devices, restore that: notification-hubs-dr restore --snapshot ${good} --target primary --watch\\. Only if those devices are gone for good: notification-hubs-dr accept ${suspect}; `,
    ),
  );
  const { counts } = await restore(engine, { snapshot: good, target: 'primary', confirm: 'one/devices' });
  expect(counts).toMatchObject({ total: 24, failed: 0 });
  expect(engine.primary.rows.size).toBe(36);
});

test('devices that are gone for good are taken for gone after some snapshots, or at once when a person says so', async () => {
  const engine = createEngine({ policy: { suspectAcceptAfter: 3 } });
  seed(engine, 40);
  await prove(engine, await backUp(engine));
  for (const id of [...engine.primary.rows.keys()].slice(0, 20)) engine.primary.rows.delete(id);
  const suspect = await backUp(engine);
  const accept = expect.stringContaining(`notification-hubs-dr accept ${suspect}; `);
  expect((await readStatus(engine.app)).findings).toContainEqual(
    expect.objectContaining({ code: 'SnapshotSuspect', message: accept }),
  );
  await acceptSnapshot(engine.app, suspect);
  const good = await backUp(engine);
  expect((await findSnapshot(engine.app, 'latest')).id).toBe(good);
  expect(await codesOf(engine)).not.toContain('risk SnapshotSuspect');

  for (const id of [...engine.primary.rows.keys()].slice(0, 10)) engine.primary.rows.delete(id);
  const healths = [];
  for (let backups = 0; backups < 3; backups += 1) {
    engine.advance(HOUR_MS);
    healths.push((await findSnapshot(engine.app, await backUp(engine))).health);
  }
  expect(healths).toEqual(['suspect', 'suspect', 'good']);

  engine.primary.rows.clear();
  await expect(acceptSnapshot(engine.app, await backUp(engine))).rejects.toMatchObject({ code: 'BadRequest' });
});

test('a snapshot found damaged is passed over, and the proof of an older one still counts', async () => {
  const engine = await aReadyEngine();
  const intact = await findSnapshot(engine.app, 'latest');
  const damaged = await backUp(engine);
  await prove(engine, damaged, false);
  await watch(engine.app);
  const status = await readStatus(engine.app);
  expect(status.findings.map(({ level, code }) => `${level} ${code}`)).toEqual(['risk SnapshotPassedOver']);
  expect(status.latestGoodSnapshot?.id).toBe(intact.id);
  expect(status.provenSnapshot?.id).toBe(intact.id);
});

test.each([
  ['HubUnavailable', { reachable: false, rights: null }],
  ['HubUnauthorized', { reachable: true, rights: false }],
  ['HubForbidden', { reachable: true, rights: false }],
  ['HubNotFound', { reachable: true, rights: null }],
] as const)('a target that answers %s stops', async (code, target) => {
  const engine = await aReadyEngine();
  engine.secondary.probe = async () => {
    throw new DrError(code, 'No.', { retryable: code === 'HubUnavailable' });
  };
  expect(await readStatus(engine.app)).toMatchObject({ verdict: 'NotReady', findings: [{ code }], target });
});

test('the target is probed once a minute, however often the status is asked', async () => {
  const engine = await aReadyEngine();
  let probes = 0;
  const { probe } = engine.secondary;
  engine.secondary.probe = async (options) => {
    probes += 1;
    return probe(options);
  };
  await Promise.all([readStatus(engine.app), readStatus(engine.app)]);
  await readStatus(engine.app);
  expect(probes).toBe(1);
  engine.advance(61_000);
  await readStatus(engine.app);
  expect(probes).toBe(2);
});

test('a primary that does not answer is named with since when, also by a process that has only just noticed', async () => {
  const engine = await aReadyEngine();
  await watch(engine.app);
  const { probe } = engine.primary;
  engine.primary.probe = async () => {
    throw new DrError('HubUnavailable', 'No.', { retryable: true, seen: 'ECONNREFUSED' });
  };
  engine.advance(11_000);
  const message =
    'The hub in use, one/devices, has not answered since 09:02 UTC (connection refused). Backups wait for it; a restore into the standby does not need it.';
  expect(await readStatus(engine.app)).toMatchObject({
    verdict: 'AtRisk',
    reason: message,
    findings: [{ level: 'risk', code: 'PrimaryUnavailable' }],
    source: { reachable: false, cause: 'connection refused', silentSince: '2026-11-23T09:02:12.000Z' },
    target: { reachable: true, silentSince: null },
  });
  engine.advance(50_000);
  await watch(engine.app);
  engine.advance(10_000);
  expect((await readStatus({ ...engine.app, memory: createMemory() })).reason).toBe(message);
  engine.primary.probe = probe;
  engine.advance(11_000);
  expect(await readStatus(engine.app)).toMatchObject({
    verdict: 'Ready',
    source: { reachable: true, silentSince: null },
  });
});

test('after a failover the silence of the old region is expected, says the finding', async () => {
  const engine = await aReadyEngine();
  await declareRole(engine.app, { active: 'three/devices', confirm: 'three/devices', force: true });
  engine.primary.probe = async () => {
    throw new DrError('HubUnavailable', 'No.', { retryable: true, seen: 'ECONNREFUSED' });
  };
  engine.advance(11_000);
  const { verdict, findings } = await readStatus(engine.app);
  expect(verdict).toBe('NotReady');
  expect(findings.map(({ message }) => message)).toContainEqual(
    expect.stringMatching(/The standby, one\/devices, has not answered .* expected until the old region returns/),
  );
});

test('a hub that has just answered a run is not probed', async () => {
  const engine = await aReadyEngine();
  await readStatus(engine.app);
  engine.advance(11_000);
  engine.primary.probe = async () => {
    throw new DrError('HubUnavailable', 'Its rate is used up.', { retryable: true });
  };
  const idle = engine.primary.pace();
  engine.primary.pace = () => ({ ...idle, lastAnswerAt: engine.app.world.now() - 4000 });
  expect((await readStatus(engine.app)).source).toMatchObject({ reachable: true, silentSince: null });
});

test('a hub that throttles is there, and what it takes is said', async () => {
  const engine = await aReadyEngine();
  const throttled = { requestCount: 9, throttledCount: 1, millisecondsLostToThrottling: 0, requestsPerSecond: 5.04 };
  engine.secondary.probe = async () => {
    engine.secondary.pace = () => ({ ...throttled, lastAnswerAt: engine.app.world.now() });
    throw new DrError('HubUnavailable', 'No.', { retryable: true, seen: 'status 429 (throttled)' });
  };
  expect(await codesOf(engine)).toEqual([]);
  expect((await readStatus(engine.app)).target).toMatchObject({
    reachable: true,
    throttled: true,
    requestsPerSecond: 5,
    silentSince: null,
  });
});

test('a hub that wants to be left alone is there, and says until when', async () => {
  const engine = await aReadyEngine();
  engine.primary.probe = async () => {
    throw new DrError('HubUnavailable', 'No.', { retryable: true, seen: 'throttled', retryAfterMs: 600_000 });
  };
  engine.advance(11_000);
  const cause = 'throttled until 2026-11-23T09:12:12.000Z';
  expect(await readStatus(engine.app)).toMatchObject({
    verdict: 'AtRisk',
    findings: [{ code: 'PrimaryRefuses', message: expect.stringContaining(cause) }],
    source: { reachable: true, throttled: true, cause, silentSince: null },
  });
});

test('a backup and a restore say what they wait for, since when, why, and when they try again', async () => {
  const engine = await aReadyEngine();
  for (const hub of [engine.primary, engine.secondary]) {
    const target = `hub ${hub.ref.namespace}/${hub.ref.hub}`;
    hub.listPage = async () => {
      throw new DrError('HubUnavailable', 'No.', { retryable: true, seen: 'ECONNREFUSED', target });
    };
  }
  const { id } = await startBackup(engine.app, 'timer');
  const { run } = await startRestore(engine.app, parseRestoreRequest(''));
  const since = '2026-11-23T09:02:01.000Z';
  const waiting = { code: 'HubUnavailable', cause: 'connection refused', since, nextTryAt: expect.any(String) };
  for (let step = 0; step < 6; step += 1) {
    engine.advance(Math.max(0, (engine.queue.nextAt() ?? 0) - engine.app.world.now()));
    for (const text of engine.queue.take()) await runStep(engine.app, parseStep(JSON.parse(text)));
    const now = engine.app.world.now();
    const backup = await readBackupView(engine.app, id);
    expect(backup.waiting).toEqual({ on: 'one/devices', ...waiting });
    expect(Date.parse(backup.waiting?.nextTryAt ?? '')).toBeGreaterThan(now);
    expect((await readRestoreView(engine.app, run.id)).waiting).toEqual({ on: 'three/devices', ...waiting });
  }
  expect((await readStatus(engine.app)).lastBackup?.waiting).toMatchObject({ on: 'one/devices', since });
});

test('a backup that waits for a silent primary is not missed, and one that runs for long is named', async () => {
  const engine = await aReadyEngine();
  const { id } = await startBackup(engine.app, 'timer');
  engine.advance(1.6 * HOUR_MS);
  await watch(engine.app);
  const missed = (await readStatus(engine.app)).findings.find(({ code }) => code === 'BackupMissed');
  expect(missed?.message).toBe(
    `The backup ${id} has been running for 96 minutes; one is due every 60 minutes, and none starts beside it. Watch it: notification-hubs-dr watch ${id}; or stop it: notification-hubs-dr cancel ${id}`,
  );
  engine.primary.probe = async () => {
    throw new DrError('HubUnavailable', 'No.', { retryable: true });
  };
  engine.advance(11_000);
  expect(await codesOf(engine)).toEqual(['risk PrimaryUnavailable', 'risk SnapshotOld']);
});

test('a watchdog that never looked is a finding two intervals after the first backup', async () => {
  const engine = createEngine();
  seed(engine);
  await prove(engine, await backUp(engine));
  const codes = async (): Promise<string[]> => (await readStatus(engine.app)).findings.map(({ code }) => code);
  expect(await codes()).toEqual([]);
  engine.advance(121_000);
  expect(await codes()).toEqual(['WatchdogSilent']);
  await watch(engine.app);
  expect(await codes()).toEqual([]);
});

test('a tier that is too small stops; one that may be too small is a risk', async () => {
  const engine = createEngine({ policy: { secondaryTier: 'Free' } });
  seed(engine, 300);
  await prove(engine, await backUp(engine));
  await startRestore(engine.app, parseRestoreRequest(''));
  await engine.drain();
  // The same 300 devices, but that cannot be known without listing both.
  expect(await codesOf(engine)).toEqual(['risk RoleUnsettled', 'risk TargetMayBeFull']);
  expect((await readStatus(engine.app)).target).toMatchObject({ deviceLimit: 500, devicesNow: 300, room: 200 });
  seed(engine, 501);
  await prove(engine, await backUp(engine));
  expect(await codesOf(engine)).toEqual(['stop TargetTooSmall', 'risk RoleUnsettled']);
});

test('the next restore is predicted from the rate of the last one that wrote enough', async () => {
  const engine = await aReadyEngine(150);
  expect((await readStatus(engine.app)).predictedRestore).toBeNull();
  const { run } = await startRestore(engine.app, parseRestoreRequest(''));
  const { secondary } = engine;
  const slow =
    <A extends unknown[], R>(write: (...args: A) => R) =>
    (...args: A): R => {
      engine.advance(200);
      return write(...args);
    };
  secondary.putRegistration = slow(secondary.putRegistration);
  secondary.putInstallation = slow(secondary.putInstallation);
  await engine.drain();
  const { predictedRestore, lastRestore } = await readStatus(engine.app);
  // 150 writes of 0.2 s, and 10 s for the hub to settle.
  expect(predictedRestore).toEqual({ seconds: 40, recordsPerSecond: 5, basis: 'restore', runId: run.id });
  expect(Date.parse(lastRestore?.finishedAt ?? '') - Date.parse(run.createdAt)).toBe(40_000);
  // One that finds all in place says nothing about writing.
  await startRestore(engine.app, parseRestoreRequest(''));
  await engine.drain();
  expect((await readStatus(engine.app)).predictedRestore).toEqual(predictedRestore);
});

test('registrations of legacy FCM are reported as undeliverable', async () => {
  const engine = await aReadyEngine();
  const row = anAppleRow({ id: '7-7-1' });
  engine.primary.rows.set(
    '7-7-1',
    row
      .replaceAll('AppleRegistrationDescription', 'GcmRegistrationDescription')
      .replaceAll('DeviceToken', 'GcmRegistrationId'),
  );
  await backUp(engine);
  expect((await readStatus(engine.app)).undeliverable).toMatchObject([{ platform: 'Gcm', registrations: 1 }]);
});

test('the card costs the same few storage requests whatever the hub holds and however many runs there were', async () => {
  const costs = [];
  for (const [devices, runs] of [
    [10, 5],
    [100, 9],
  ] as const) {
    const engine = await aReadyEngine(devices);
    for (let run = 0; run < runs; run += 1) {
      await backUp(engine);
      await startRestore(engine.app, parseRestoreRequest(''));
      await engine.drain();
    }
    costs.push(await countRequests(engine.app));
  }
  expect(costs[1]).toBe(costs[0]);
  expect(costs[0]).toBeLessThan(25);
});

async function countRequests(app: App): Promise<number> {
  let count = 0;
  const counting = <A extends unknown[], R>(call: (...args: A) => R): ((...args: A) => R) => {
    return (...args) => {
      count += 1;
      return call(...args);
    };
  };
  const blobs = {
    ...app.blobs,
    get: counting(app.blobs.get),
    list: counting(app.blobs.list),
    listFolders: counting(app.blobs.listFolders),
  };
  await readStatus({ ...app, blobs });
  return count;
}
