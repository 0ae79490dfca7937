import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { startFaultProxy } from '../../local/fault-proxy.ts';
import type { App } from '../../src/app/app.ts';
import { startBackup } from '../../src/app/backup/start.ts';
import { readBackupView } from '../../src/app/backup/view.ts';
import { startDrill } from '../../src/app/drill/start.ts';
import { readStatus } from '../../src/app/readiness/status.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { stepOf } from '../../src/app/runs/dispatch.ts';
import { takeLease } from '../../src/app/runs/lease.ts';
import { changeRun, findRun } from '../../src/app/runs/store.ts';
import { watch } from '../../src/app/watchdog.ts';
import { createAzureBlobs } from '../../src/azure/blobs.ts';
import { resultName } from '../../src/core/paths.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { countingBlobs } from '../support/counting-blobs.ts';
import { aBackedUp, backUp, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { openStorageAccount } from '../support/storage-account.ts';

/** What is asked for while a region is down must not queue behind storage, whatever there is to look through. */
const MOST_REQUESTS = 3;
const MOST_SHARDS = 1024;
const MOST_PASSES = 6;

/** How many requests one call costs. */
async function countOf(app: App, call: (app: App) => Promise<unknown>): Promise<number> {
  const { blobs, requestCount } = countingBlobs(app.blobs);
  await call({ ...app, blobs });
  return requestCount();
}

async function anEngine(): Promise<Engine> {
  const engine = await aBackedUp(4);
  return engine;
}

/** A restore in the middle of its last pass, with the results of all of them. */
async function aLongRestore({ app }: Engine): Promise<string> {
  const { run } = await startRestore(app, parseRestoreRequest(''));
  await changeRun(app, 'restore', run.id, (current) => ({
    ...current,
    status: 'Running',
    shardCount: MOST_SHARDS,
    phase: { ...current.phase, name: 'reconcile', pass: MOST_PASSES },
  }));
  const facts = { done: '1', platforms: 'Apple=1,0,0,0,0,0,0', failed: '0' };
  for (let index = 0; index < MOST_PASSES * MOST_SHARDS; index += 1) {
    const pass = 1 + Math.floor(index / MOST_SHARDS);
    const name = resultName('restore', run.id, pass, 'reconcile', index % MOST_SHARDS);
    await app.blobs.put(name, new Uint8Array(), 'any', facts);
  }
  return run.id;
}

test('a restore and a backup are shown by three requests before their first step, when documents are missing', async () => {
  const { app } = await anEngine();
  const { run } = await startRestore(app, parseRestoreRequest(''));
  const { id } = await startBackup(app, 'http');
  expect(await countOf(app, (counted) => readRestoreView(counted, run.id))).toBeLessThanOrEqual(MOST_REQUESTS);
  expect(await countOf(app, (counted) => readBackupView(counted, id))).toBeLessThanOrEqual(MOST_REQUESTS);
});

test('a restore of the most shards is shown by three requests in its last pass, with all its passes counted', async () => {
  const engine = await anEngine();
  const { app } = engine;
  const runId = await aLongRestore(engine);
  engine.advance(5000);
  await takeLease(app, stepOf(await findRun(app, 'restore', runId), { name: 'reconcile', pass: MOST_PASSES }));
  expect(await countOf(app, (counted) => readRestoreView(counted, runId))).toBeLessThanOrEqual(MOST_REQUESTS);
  expect(await readRestoreView(app, runId)).toMatchObject({
    counts: { created: MOST_SHARDS, pending: 0 },
    lastHeartbeatAt: new Date(app.world.now()).toISOString(),
  });
});

/** Snapshots, ended runs, drills and alerts, more than any call may look through one by one. */
async function aFullEngine(): Promise<Engine> {
  const engine = createEngine();
  seed(engine, 4);
  for (let round = 0; round < 12; round += 1) {
    await backUp(engine);
    await startRestore(engine.app, parseRestoreRequest(''), { id: `by-hand-${round}` });
    await engine.drain();
    await startDrill(engine.app, 'http');
    await engine.drain();
  }
  engine.secondary.intercept = () => ({ kind: 'rejected', status: 400, reason: 'Rejected' });
  seed(engine, 5);
  await backUp(engine);
  await startRestore(engine.app, parseRestoreRequest(''));
  await engine.drain();
  engine.advance(6 * 3_600_000);
  await watch(engine.app);
  expect((await readStatus(engine.app)).alerts.open.length).toBeGreaterThanOrEqual(2);
  return engine;
}

test('the readiness takes three requests, whatever there is, and while a backup and a restore run', async () => {
  const engine = await aFullEngine();
  const { app } = engine;
  const most = async () => countOf(app, readStatus);
  expect(await most()).toBe(1);
  const { id } = await startBackup(app, 'http');
  expect(await most(), 'before the first step of a backup').toBeLessThanOrEqual(MOST_REQUESTS);
  await takeLease(app, stepOf(await findRun(app, 'backup', id), { name: 'scan', pass: 1 }));
  expect(await most(), 'while a backup runs').toBeLessThanOrEqual(MOST_REQUESTS);
  await startRestore(app, parseRestoreRequest(''));
  expect(await most(), 'before the first step of a restore').toBeLessThanOrEqual(MOST_REQUESTS);
  expect(await readStatus(app)).toMatchObject({
    lastBackup: { status: 'Running' },
    lastRestore: { status: 'Running' },
  });
});

test('the readiness takes three requests in the last pass of a restore of the most shards, beside a backup', async () => {
  const engine = await anEngine();
  const { app } = engine;
  await aLongRestore(engine);
  await startBackup(app, 'http');
  await watch(app);
  expect(await countOf(app, readStatus)).toBeLessThanOrEqual(MOST_REQUESTS);
  expect(await readStatus(app)).toMatchObject({
    lastBackup: { status: 'Running' },
    lastRestore: { status: 'Running', counts: { created: MOST_SHARDS } },
  });
});

test('what is counted here is what reaches a storage account', async () => {
  const azurite = openStorageAccount();
  await using proxy = await startFaultProxy(azurite.blobUrl);
  const container = randomUUID();
  const value = azurite.connectionString.replace(azurite.blobUrl, proxy.url);
  const blobs = createAzureBlobs({ connection: { kind: 'connectionString', value }, container });
  const engine = createEngine({ wrap: () => ({ blobs }) });
  seed(engine, 4);
  await backUp(engine);
  const { run } = await startRestore(engine.app, parseRestoreRequest(''));
  const { id } = await startBackup(engine.app, 'http');
  const calls: readonly ((app: App) => Promise<unknown>)[] = [
    (app) => readRestoreView(app, run.id),
    (app) => readBackupView(app, id),
    readStatus,
    (app) => readBackupView(app, 'no-such-backup').catch(() => {}),
  ];
  for (const call of calls) {
    const before = proxy.requests.length;
    const counted = await countOf(engine.app, call);
    expect(proxy.requests.length - before).toBe(counted);
  }
});
