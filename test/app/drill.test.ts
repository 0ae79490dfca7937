import { expect, test } from 'vitest';
import { advanceDrills } from '../../src/app/drill/advance.ts';
import { startDrill } from '../../src/app/drill/start.ts';
import { listDrillViews, readDrillView } from '../../src/app/drill/view.ts';
import { prune } from '../../src/app/prune.ts';
import { readStatus } from '../../src/app/readiness/status.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { readSnapshotView } from '../../src/app/snapshots/view.ts';
import { watch } from '../../src/app/watchdog.ts';
import { DrError } from '../../src/core/errors.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { aBackedUp, backUp, codeOf } from '../support/drive.ts';
import { createEngine, type Engine, type EngineOptions } from '../support/engine.ts';
import { anAppleRow } from '../support/rows.ts';

const DAY_MS = 86_400_000;

async function anEngine(options: EngineOptions = { hasScratchHub: true }, devices = 24): Promise<Engine> {
  const engine = await aBackedUp(devices, options);
  return engine;
}

/** A drill with all its runs, and the watchdog's ticks until it is over. */
async function drill(engine: Engine) {
  const { id } = await startDrill(engine.app, 'http');
  for (let tick = 0; tick < 20; tick += 1) {
    await engine.drain();
    const view = await readDrillView(engine.app, id);
    if (view.status !== 'Running') return view;
    engine.advance(60_000);
    await watch(engine.app);
  }
  throw new Error('The drill hangs.');
}

test('without a scratch hub a drill verifies the latest snapshot', async () => {
  const engine = await anEngine({});
  const view = await drill(engine);
  expect(view).toMatchObject({ status: 'Succeeded', how: 'verification', verdict: 'Passed', requestedBy: 'http' });
  expect(view).toMatchObject({ verificationId: `${view.id}-verify`, seconds: expect.any(Number) });
  expect(await readStatus(engine.app)).toMatchObject({
    verdict: 'Ready',
    provenSnapshot: { how: 'verified' },
    lastDrill: { id: view.id, verdict: 'Passed', how: 'verification' },
  });
});

test('with one it restores every record into it, which proves the snapshot, and empties it again', async () => {
  const engine = await anEngine({ hasScratchHub: true }, 150);
  const view = await drill(engine);
  expect(view).toMatchObject({ status: 'Succeeded', how: 'scratch hub', verdict: 'Passed' });
  expect(engine.scratch.rows.size).toBe(0);
  expect(engine.scratch.writes.filter((write) => !write.startsWith('delete')).length).toBeGreaterThanOrEqual(150);
  expect(engine.secondary.writes).toEqual([]);
  expect(await readSnapshotView(engine.app, 'latest')).toMatchObject({
    proof: { how: 'drill', runId: `${view.id}-drill` },
  });
  expect(await readStatus(engine.app)).toMatchObject({
    verdict: 'Ready',
    predictedRestore: { basis: 'drill' },
    // What a drill does is not a restore of anybody's.
    lastRestore: null,
    lastDrill: { verdict: 'Passed', how: 'scratch hub' },
  });
});

test('a scratch hub that holds something fails the drill and is left as it is; an alert is sent', async () => {
  const engine = await anEngine();
  engine.scratch.rows.set('1-1-1', anAppleRow({ id: '1-1-1' }));
  const view = await drill(engine);
  expect(view).toMatchObject({ status: 'Failed', verdict: 'Failed', reason: expect.stringContaining('is not empty') });
  expect(engine.scratch.writes).toEqual([]);
  expect([...engine.scratch.rows.keys()]).toEqual(['1-1-1']);
  await watch(engine.app);
  expect(engine.notifier.alerts).toMatchObject([{ code: 'DrillFailed', state: 'open', severity: 'warning' }]);
  expect((await readStatus(engine.app)).findings).toMatchObject([{ code: 'DrillFailed' }, { code: 'NotProven' }]);
  engine.scratch.rows.clear();
  expect(await drill(engine)).toMatchObject({ verdict: 'Passed' });
  await watch(engine.app);
  expect(engine.notifier.alerts.at(-1)).toMatchObject({ code: 'DrillFailed', state: 'resolved' });
});

test('what an earlier drill left behind is rolled back before the next one, even when its snapshot is old', async () => {
  const engine = await anEngine({
    hasScratchHub: true,
    policy: { retention: { hourly: 1, daily: 0, weekly: 0, monthly: 0 } },
  });
  const { deleteRegistration, deleteInstallation } = engine.scratch;
  const refuse = async (): Promise<never> => {
    throw new DrError('HubForbidden', 'The hub forbids the call.');
  };
  Object.assign(engine.scratch, { deleteRegistration: refuse, deleteInstallation: refuse });
  const failed = await drill(engine);
  expect(failed).toMatchObject({ verdict: 'Failed', reason: expect.stringContaining('could not be emptied') });
  expect(engine.scratch.rows.size).toBeGreaterThan(0);
  Object.assign(engine.scratch, { deleteRegistration, deleteInstallation });
  engine.advance(DAY_MS);
  await backUp(engine);
  engine.advance(DAY_MS);
  await backUp(engine);
  await prune(engine.app);
  expect(await drill(engine)).toMatchObject({ verdict: 'Passed' });
  expect(engine.scratch.rows.size).toBe(0);
});

test('a device that appears in the scratch hub meanwhile stays, and the drill says so', async () => {
  const engine = await anEngine();
  const { id } = await startDrill(engine.app, 'http');
  engine.scratch.rows.set('1-1-1', anAppleRow({ id: '1-1-1' }));
  await engine.drain();
  for (let tick = 0; tick < 10; tick += 1) {
    engine.advance(60_000);
    await watch(engine.app);
  }
  expect(await readDrillView(engine.app, id)).toMatchObject({
    verdict: 'Failed',
    reason: expect.stringContaining('could not be emptied'),
  });
  expect([...engine.scratch.rows.keys()]).toEqual(['1-1-1']);
});

test('records the scratch hub does not take fail the drill, which still empties it', async () => {
  const engine = await anEngine();
  engine.scratch.intercept = (_kind, id) =>
    id === '19-5-1' ? { kind: 'rejected', status: 400, reason: 'Rejected' } : undefined;
  const view = await drill(engine);
  expect(view).toMatchObject({ verdict: 'Failed', reason: expect.stringContaining('could not be restored') });
  expect(engine.scratch.rows.size).toBe(0);
  expect(await readSnapshotView(engine.app, 'latest')).toMatchObject({ proof: null });
});

test('one device that the scratch hub stores otherwise than it was sent fails the drill', async () => {
  const engine = await anEngine();
  const { putRegistration } = engine.scratch;
  engine.scratch.putRegistration = (id, xml, options) =>
    putRegistration(id, id === '19-5-1' ? xml.replace(/<Tags>.*<\/Tags>/, '') : xml, options);
  const view = await drill(engine);
  expect(view).toMatchObject({
    verdict: 'Failed',
    reason: expect.stringContaining('differently from how they were sent'),
  });
  expect(await readSnapshotView(engine.app, 'latest')).toMatchObject({ proof: null });
});

test('a damaged snapshot fails the drill', async () => {
  const engine = await anEngine({});
  const { id } = await readSnapshotView(engine.app, 'latest');
  const name = `one/devices/snapshots/${id}/shards/0001.jsonl.gz`;
  const { bytes } = (await engine.blobs.get(name)) ?? { bytes: new Uint8Array() };
  await engine.blobs.put(
    name,
    bytes.map((byte, index) => (index === 20 ? byte ^ 1 : byte)),
    'any',
  );
  expect(await drill(engine)).toMatchObject({ verdict: 'Failed', reason: expect.stringContaining('is damaged') });
});

test('a hub that is away is waited for an hour, then the drill is given up', async () => {
  const engine = await anEngine();
  const { listPage } = engine.scratch;
  engine.scratch.listPage = async () => {
    throw new DrError('HubUnavailable', 'The scratch hub does not answer.', { retryable: true });
  };
  const { id } = await startDrill(engine.app, 'timer');
  engine.advance(50 * 60_000);
  await watch(engine.app);
  expect(await readDrillView(engine.app, id)).toMatchObject({ status: 'Running', stage: 'sweeping' });
  engine.advance(11 * 60_000);
  await watch(engine.app);
  expect(await readDrillView(engine.app, id)).toMatchObject({
    verdict: 'Failed',
    reason: 'The scratch hub does not answer.',
  });
  engine.scratch.listPage = listPage;
  expect(await drill(engine)).toMatchObject({ verdict: 'Passed' });
  expect((await listDrillViews(engine.app)).value.map(({ verdict }) => verdict)).toEqual(['Passed', 'Failed']);
});

test('one drill at a time, and none without a snapshot', async () => {
  const empty = createEngine({ hasScratchHub: true });
  expect(await codeOf(startDrill(empty.app, 'timer'))).toBe('NoGoodSnapshot');
  const engine = await anEngine();
  const codes = await Promise.all([codeOf(startDrill(engine.app, 'timer')), codeOf(startDrill(engine.app, 'timer'))]);
  expect(codes.sort()).toEqual(['RunInProgress', 'none']);
  expect(await codeOf(startDrill(engine.app, 'http'))).toBe('RunInProgress');
  expect(await codeOf(readDrillView(engine.app, 'nothing'))).toBe('RunNotFound');
});

test('a scratch hub that is exchanged in the middle of a drill is left alone', async () => {
  const engine = await anEngine();
  const { id } = await startDrill(engine.app, 'http');
  const app = { ...engine.app, drillHub: undefined };
  await advanceDrills(app);
  expect(await readDrillView(app, id)).toMatchObject({
    reason: expect.stringContaining('no longer name the scratch hub'),
  });
});

test('a restore into the secondary and a drill do not hinder each other', async () => {
  const engine = await anEngine();
  const { id } = await startDrill(engine.app, 'http');
  await startRestore(engine.app, parseRestoreRequest(''));
  await engine.drain();
  expect(await readDrillView(engine.app, id)).toMatchObject({ verdict: 'Passed' });
  expect((await readStatus(engine.app)).lastRestore).toMatchObject({ status: 'Succeeded', purpose: 'restore' });
});

test('an empty first page that names a next one is no registration', async () => {
  const engine = await anEngine();
  const { listPage } = engine.scratch;
  engine.scratch.listPage = async (token, options) =>
    token === undefined ? { rows: [], nextToken: '0' } : listPage(token, options);
  expect(await drill(engine)).toMatchObject({ verdict: 'Passed' });
  engine.scratch.rows.set('1-1-1', anAppleRow({ id: '1-1-1' }));
  expect(await drill(engine)).toMatchObject({ verdict: 'Failed', reason: expect.stringContaining('is not empty') });
});
