import { describe, expect, it, test } from 'vitest';
import type { App } from '../../src/app/app.ts';
import { startBackup } from '../../src/app/backup/start.ts';
import { startDrill } from '../../src/app/drill/start.ts';
import { readStatus } from '../../src/app/readiness/status.ts';
import { startRetry } from '../../src/app/restore/retry.ts';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { declareRole } from '../../src/app/runs/declare-role.ts';
import { readLive } from '../../src/app/runs/living-steps.ts';
import { findRun, readRun } from '../../src/app/runs/store.ts';
import { advanceSync } from '../../src/app/standby-sync.ts';
import { watch } from '../../src/app/watchdog.ts';
import { isOver } from '../../src/core/run/run.ts';
import { syncRunId } from '../../src/core/run/sync.ts';
import { aBackedUp, backUp, beginRestore, codeOf, contentOf, restore, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { pacedHub } from '../support/paced-hub.ts';
import { anAppleRow } from '../support/rows.ts';
import { aSyncingEngine, withoutSyncs } from '../support/sync.ts';
import { openVirtualHosts, type VirtualHosts } from '../support/virtual-hosts.ts';

const DEVICES = 1500;
const SUPERSEDED = { status: 'Canceled', error: { code: 'Superseded' } };
const TO_THREE = { activate: true, confirm: 'three/devices' };

/** A host that syncs, and has written some of the devices; the hub in use can be made to go away. */
async function inTheMiddle(hostCount = 1) {
  const source = { isAway: false };
  const hosts = openVirtualHosts({
    policy: { standbySync: 'afterBackup' },
    toSource: (hub, clock) => pacedHub(hub, { clock, perSecond: 500, isAway: () => source.isAway }),
    toTarget: (hub, clock) => pacedHub(hub, { clock, perSecond: 50 }),
  });
  const { clock, primary, secondary, start } = hosts;
  for (let index = 0; index < DEVICES; index++) {
    const id = `${index}-5-1`;
    primary.rows.set(id, anAppleRow({ id, tags: [`n${index}`] }));
  }
  const running = Array.from({ length: hostCount }, () => start());
  const [{ app } = start()] = running;
  const { id } = await clock.advanceUntil(startBackup(app, 'timer'));
  while (secondary.rows.size < 300) await clock.advance(100);
  return { hosts, running, app, source, syncId: syncRunId(id) };
}

async function untilOver({ clock }: VirtualHosts, app: App, id: string) {
  for (let seconds = 0; seconds < 7200; seconds++) {
    const run = await clock.advanceUntil(findRun(app, 'restore', id));
    if (isOver(run)) return run;
    await clock.advance(1000);
  }
  throw new Error(`The restore ${id} hangs.`);
}

describe('a sync that is under way', () => {
  it.each([1, 2])(
    'makes way for a restore within 10 s, also when the hub in use dies in its middle (%i hosts)',
    async (hostCount) => {
      const { hosts, app, source, syncId } = await inTheMiddle(hostCount);
      const { clock, secondary, primary } = hosts;
      source.isAway = true;
      await clock.advance(1000);
      const askedAt = clock.now();
      const id = await clock.advanceUntil(beginRestore(app, TO_THREE));
      const writes = secondary.writes.length;
      expect(await clock.advanceUntil(findRun(app, 'restore', syncId))).toMatchObject(SUPERSEDED);
      while (secondary.writes.length === writes) await clock.advance(100);
      expect(clock.now() - askedAt).toBeLessThan(10_000);
      expect(await untilOver(hosts, app, id)).toMatchObject({ status: 'Succeeded' });
      expect(contentOf(secondary)).toEqual(contentOf(primary));
      expect(secondary.writes.length).toBeLessThan(DEVICES * 1.1);
    },
  );

  it('makes way within 10 s though its host died, and had just renewed its leases', async () => {
    const { hosts, running, app: former, syncId, source } = await inTheMiddle();
    const { clock, secondary, primary, start } = hosts;
    const isRenewed = async (): Promise<boolean> => {
      const leases = await clock.advanceUntil(readLive(former, { kind: 'restore', id: syncId }));
      return leases.some(({ ageMs, livedMs }) => livedMs > 0 && ageMs < 200);
    };
    while (!(await isRenewed())) await clock.advance(100);
    running[0]?.kill();
    source.isAway = true;
    const { app } = start();
    const askedAt = clock.now();
    const id = await clock.advanceUntil(beginRestore(app, TO_THREE));
    const writes = secondary.writes.length;
    while (secondary.writes.length === writes) await clock.advance(100);
    expect(clock.now() - askedAt).toBeLessThan(10_000);
    expect(await clock.advanceUntil(findRun(app, 'restore', syncId))).toMatchObject(SUPERSEDED);
    expect(await untilOver(hosts, app, id)).toMatchObject({ status: 'Succeeded' });
    expect(contentOf(secondary)).toEqual(contentOf(primary));
  });

  it('writes no more once its target is declared to be in use', async () => {
    const { hosts, app, syncId } = await inTheMiddle();
    const { clock, secondary } = hosts;
    await clock.advanceUntil(declareRole(app, { active: 'secondary', confirm: 'three/devices', force: true }));
    // A look a second, and what waits for its turn in a hub that throttles.
    await clock.advance(3000);
    const writes = secondary.writes.length;
    await clock.advance(120_000);
    expect(secondary.writes.length).toBe(writes);
    expect(await clock.advanceUntil(findRun(app, 'restore', syncId))).toMatchObject(SUPERSEDED);
  });
});

/** The calls of an operator, each for a pair whose first restore is over and rolled back. */
const calls: Readonly<Record<string, (app: App, restored: string) => Promise<unknown>>> = {
  'a failover': (app) => beginRestore(app, TO_THREE),
  'a restore into the hub in use': (app) => beginRestore(app, { target: 'primary', confirm: 'one/devices' }),
  'a retry': (app, restored) => startRetry(app, restored),
  'a rollback': (app, restored) => startRollback(app, restored, { confirm: 'three/devices', keepNewer: true }),
};

test.each(Object.keys(calls))('%s ends a sync of the pair', async (name) => {
  const engine = await aBackedUp(24, { policy: { standbySync: 'off' } });
  engine.secondary.intercept = (_kind, id) =>
    id === '19-5-1' ? { kind: 'rejected', status: 400, reason: 'Rejected' } : undefined;
  const { id: restored } = await restore(engine);
  engine.secondary.intercept = () => undefined;
  await declareRole(engine.app, { active: 'primary', confirm: 'one/devices' });
  const app: App = { ...engine.app, policy: { ...engine.app.policy, standbySync: 'afterBackup' } };
  engine.primary.rows.set('999-5-1', anAppleRow({ id: '999-5-1' }));
  const snapshot = await backUp(engine);
  await advanceSync(app);
  await calls[name]?.(app, restored);
  expect(await findRun(app, 'restore', syncRunId(snapshot))).toMatchObject(SUPERSEDED);
  await engine.drain();
  expect(engine.secondary.rows.has('999-5-1')).toBe(name === 'a failover');
});

test('a dry run leaves a sync alone, and keeps no restore waiting', async () => {
  const engine = aSyncingEngine(4);
  await backUp(withoutSyncs(engine));
  await advanceSync(engine.app);
  const dry = await beginRestore(engine.app, { dryRun: true });
  expect(await codeOf(beginRestore(engine.app, { dryRun: true }))).toBe('RunInProgress');
  await engine.drain();
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  expect(await findRun(engine.app, 'restore', dry)).toMatchObject({ status: 'Succeeded' });
  engine.advance(60_000);
  await beginRestore(engine.app, { dryRun: true });
  const failover = await beginRestore(engine.app, TO_THREE);
  await engine.drain();
  expect(await findRun(engine.app, 'restore', failover)).toMatchObject({ status: 'Succeeded' });
});

test('a call that is refused for another reason leaves the sync alone', async () => {
  const engine = createEngine({ policy: { standbySync: 'afterBackup' } });
  seed(engine, 4);
  await backUp({ ...engine, app: { ...engine.app, policy: { ...engine.app.policy, standbySync: 'off' } } });
  await advanceSync(engine.app);
  expect(await codeOf(beginRestore(engine.app, { activate: true }))).toBe('ConfirmationMissing');
  expect(await codeOf(beginRestore(engine.app, { snapshot: 'none' }))).toBe('SnapshotNotFound');
  await engine.drain();
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

test('a drill, and restores into the two hubs at the same time, do not end a sync, or refuse each other', async () => {
  const engine = await aBackedUp(4, { policy: { standbySync: 'afterBackup' }, hasScratchHub: true });
  engine.advance(3_600_000);
  const snapshot = await backUp({
    ...engine,
    app: { ...engine.app, policy: { ...engine.app.policy, standbySync: 'off' } },
  });
  await startDrill(engine.app, 'http');
  await advanceSync(engine.app);
  await engine.drain();
  await watch(engine.app);
  await engine.drain();
  expect(await findRun(engine.app, 'restore', syncRunId(snapshot))).toMatchObject({ status: 'Succeeded' });
  expect((await readStatus(engine.app)).lastDrill).toMatchObject({ verdict: 'Passed' });
  engine.advance(60_000);
  const repair = await beginRestore(engine.app, { target: 'primary', confirm: 'one/devices' });
  const failover = await beginRestore(engine.app, TO_THREE);
  await engine.drain();
  for (const id of [repair, failover])
    expect(await findRun(engine.app, 'restore', id)).toMatchObject({ status: 'Succeeded' });
});

test('no sync starts while an operator restores into the hub in use', async () => {
  const engine = createEngine({ policy: { standbySync: 'afterBackup' } });
  seed(engine, 4);
  const off: Engine = { ...engine, app: { ...engine.app, policy: { ...engine.app.policy, standbySync: 'off' } } };
  const snapshot = await backUp(off);
  await beginRestore(off.app, { target: 'primary', confirm: 'one/devices' });
  await advanceSync(engine.app);
  expect(await readRun(engine.app, 'restore', syncRunId(snapshot))).toBeUndefined();
  await engine.drain();
  expect(await findRun(engine.app, 'restore', syncRunId(snapshot))).toMatchObject({ status: 'Succeeded' });
});
