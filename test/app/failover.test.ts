import { describe, expect, it, test } from 'vitest';
import { readStatus } from '../../src/app/readiness/status.ts';
import { cancelRestore } from '../../src/app/restore/outcomes/cancel.ts';
import { exportIdMap } from '../../src/app/restore/outcomes/export-id-map.ts';
import { startRetry } from '../../src/app/restore/retry.ts';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { declareRole, readRoleView } from '../../src/app/runs/declare-role.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { parseStep } from '../../src/core/run/step.ts';
import { type Deed, deeds } from '../support/deeds.ts';
import { aBackedUp, backUp, beginRestore, codeOf, contentOf, restore, seed } from '../support/drive.ts';
import { createEngine, type Engine, one, three } from '../support/engine.ts';
import { register, tokenOf } from '../support/rows.ts';

const TO_THREE = { activate: true, confirm: 'three/devices' };
const TO_ONE = { activate: true, confirm: 'one/devices' };

describe('a restore that activates its target', () => {
  it('makes it the hub in use when all is written, and no doubt is left', async () => {
    const engine = await aBackedUp();
    const dry = await restore(engine, { activate: true, dryRun: true });
    expect(dry).toMatchObject({ status: 'Succeeded', activate: true, counts: { created: 24 } });
    expect(await readRoleView(engine.app)).toMatchObject({ active: one });
    const view = await restore(engine, { ...TO_THREE, note: 'region down' });
    const role = await readRoleView(engine.app);
    expect(view).toMatchObject({ status: 'Succeeded', activatedAt: role.since });
    expect(view.nextActions.map(({ name }) => name)).toEqual(['backup', 'report', 'rollback']);
    expect(role).toMatchObject({
      active: three,
      history: [{ hub: three, by: 'restore', runId: view.id, note: 'region down' }, { hub: one }],
    });
    const { findings } = await readStatus(engine.app);
    expect(findings.map(({ code }) => code)).not.toContain('RoleUnsettled');
  });

  it('does so though the target refuses some records, and not when it ends before its last look', async () => {
    const engine = await aBackedUp();
    engine.secondary.intercept = (_kind, id) =>
      id === '19-5-1' ? { kind: 'rejected', status: 400, reason: 'Rejected' } : undefined;
    const partly = await restore(engine, TO_THREE);
    expect(partly).toMatchObject({ status: 'Failed', error: { code: 'RestoreIncomplete' }, counts: { failed: 1 } });
    expect(await readRoleView(engine.app)).toMatchObject({ active: three });

    const other = createEngine();
    seed(other, 1200);
    await backUp(other);
    other.secondary.intercept = () => ({ kind: 'rejected', status: 400, reason: 'Rejected' });
    expect(await restore(other, TO_THREE)).toMatchObject({ status: 'Failed', error: { code: 'TooManyFailures' } });
    expect(await readRoleView(other.app)).toMatchObject({ active: one });
  });

  it('is retried though its target is in use since: what it could not write there was not removed by its device', async () => {
    const engine = await aBackedUp();
    await restore(engine);
    engine.advance(60_000);
    engine.secondary.rows.delete('19-5-1');
    engine.secondary.intercept = () => ({ kind: 'rejected', status: 400, reason: 'Rejected' });
    const partly = await restore(engine, TO_THREE);
    expect(partly).toMatchObject({ counts: { failed: 1, unchanged: 23 } });
    engine.secondary.intercept = () => undefined;
    engine.advance(60_000);
    const { id } = await startRetry(engine.app, partly.id);
    await engine.drain();
    expect(await readRestoreView(engine.app, id)).toMatchObject({ status: 'Succeeded', counts: { created: 1 } });
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  });

  it('is retried without what its devices have removed since, where that was seen before', async () => {
    const engine = await aBackedUp();
    await restore(engine);
    engine.advance(60_000);
    for (let index = 1; index < 24; index += 2) register(engine.primary, `${index}9-5-1`, ['changed']);
    await backUp(engine);
    const id = await beginRestore(engine.app, TO_THREE);
    const { putRegistration } = engine.secondary;
    engine.secondary.putRegistration = async (...args) => {
      const answer = await putRegistration(...args);
      await cancelRestore(engine.app, id);
      return answer;
    };
    await engine.drain();
    engine.secondary.putRegistration = putRegistration;
    engine.advance(60_000);
    await declareRole(engine.app, { active: 'three/devices', confirm: 'three/devices', force: true });
    engine.advance(60_000);
    engine.secondary.rows.delete('19-5-1');
    const retry = await startRetry(engine.app, id, { confirm: 'three/devices' });
    await engine.drain();
    expect(await readRestoreView(engine.app, retry.id)).toMatchObject({ status: 'Succeeded', counts: { created: 0 } });
    expect(engine.secondary.rows.has('19-5-1')).toBe(false);
  });

  it('does not bring back what leaves its target between two of its looks, once that is in use', async () => {
    const engine = await aBackedUp();
    let isSwallowed = false;
    engine.secondary.intercept = (_kind, id) => {
      if (id !== '39-5-1' || isSwallowed) return undefined;
      isSwallowed = true;
      return { kind: 'written' };
    };
    const { listPage } = engine.secondary;
    let listings = 0;
    engine.secondary.listPage = async (...args) => {
      listings += 1;
      if (listings === 3) {
        await declareRole(engine.app, { active: 'three/devices', confirm: 'three/devices', force: true });
        engine.secondary.rows.delete('19-5-1');
      }
      return listPage(...args);
    };
    expect(await restore(engine, TO_THREE)).toMatchObject({ status: 'Succeeded', repaired: 1, changedSince: 1 });
    expect(engine.secondary.rows.has('19-5-1')).toBe(false);
    expect(engine.secondary.rows.has('39-5-1')).toBe(true);
  });

  it('does not bring back what leaves its target before its first look, once that is in use', async () => {
    const engine = await aBackedUp();
    await restore(engine);
    engine.advance(60_000);
    const id = await beginRestore(engine.app, TO_THREE);
    await declareRole(engine.app, { active: 'three/devices', confirm: 'three/devices' });
    engine.secondary.rows.delete('19-5-1');
    await engine.drain();
    const view = await readRestoreView(engine.app, id);
    expect(view).toMatchObject({ status: 'Succeeded', counts: { created: 0, goneInTarget: 1, unchanged: 23 } });
    expect(engine.secondary.rows.has('19-5-1')).toBe(false);
  });

  it('is asked for with the name of the hub, about all devices of the hub in use', async () => {
    const engine = await aBackedUp();
    expect(await codeOf(beginRestore(engine.app, { activate: true }))).toBe('ConfirmationMissing');
    expect(await codeOf(beginRestore(engine.app, { ...TO_THREE, only: { platforms: ['Apple'] } }))).toBe('BadRequest');
    await restore(engine, TO_THREE);
    const ofThree = await backUp(engine);
    await restore(engine, TO_ONE);
    expect(await codeOf(beginRestore(engine.app, { ...TO_THREE, snapshot: ofThree }))).toBe('WrongTarget');
  });

  it('repeated after it had its effect starts nothing; under its own id it is found', async () => {
    const engine = await aBackedUp();
    const request = parseRestoreRequest(JSON.stringify(TO_THREE));
    await startRestore(engine.app, request, { id: 'failover-1' });
    await engine.drain();
    expect(await codeOf(beginRestore(engine.app, TO_THREE))).toBe('AlreadyInUse');
    expect(await startRestore(engine.app, request, { id: 'failover-1' })).toMatchObject({ isNew: false });
    await backUp(engine);
    expect(await codeOf(beginRestore(engine.app, TO_THREE))).toBe('AlreadyInUse');
  });

  it('the other way under an id that is taken is refused', async () => {
    const engine = await aBackedUp();
    await startRestore(engine.app, parseRestoreRequest(JSON.stringify(TO_THREE)), { id: 'r1' });
    await engine.drain();
    const back = startRestore(engine.app, parseRestoreRequest(JSON.stringify(TO_ONE)), { id: 'r1' });
    await expect(back).rejects.toMatchObject({ code: 'RunIdInUse', message: expect.stringContaining('three/devices') });
  });

  it('leaves the role to an operator who declares another one while it runs', async () => {
    const engine = await aBackedUp();
    const id = await beginRestore(engine.app, TO_THREE);
    engine.advance(1000);
    await declareRole(engine.app, { active: 'primary', confirm: 'one/devices' });
    await engine.drain();
    const view = await readRestoreView(engine.app, id);
    expect(view.status).toBe('Succeeded');
    expect(view.activatedAt).toBeUndefined();
    expect(await readRoleView(engine.app)).toMatchObject({ active: one });
  });
});

describe('a failback', () => {
  /** Both hubs agree on all devices, and the second one is in use since. */
  async function aFailedOver(devices = 24): Promise<Engine> {
    const engine = await aBackedUp(devices);
    await restore(engine, TO_THREE);
    engine.advance(60_000);
    return engine;
  }

  it('writes over nothing that a device says in its target once that is in use, though it has been listed', async () => {
    const engine = await aFailedOver();
    register(engine.primary, '19-5-1', ['in one']);
    register(engine.secondary, '19-5-1', ['in three']);
    await backUp(engine);
    const id = await beginRestore(engine.app, TO_ONE);
    // The listing.
    for (const text of engine.queue.take()) await runStep(engine.app, parseStep(JSON.parse(text)));
    await declareRole(engine.app, { active: 'one/devices', confirm: 'one/devices', force: true });
    register(engine.primary, '19-5-1', ['later']);
    await engine.drain();
    const view = await readRestoreView(engine.app, id);
    expect(view).toMatchObject({ status: 'Succeeded', counts: { conflict: 1, unchanged: 23 } });
    expect(engine.primary.rows.get('19-5-1')).toContain('later');
  });

  it('without writes from outside plans nothing', async () => {
    const engine = await aFailedOver();
    await backUp(engine);
    expect(await restore(engine, TO_ONE)).toMatchObject({ counts: { unchanged: 24, total: 24 } });
    expect(await readRoleView(engine.app)).toMatchObject({ active: one });
  });

  it.each([
    ['one hub refuses', ['secondary']],
    ['both hubs refuse', ['primary', 'secondary']],
  ] as const)('goes by the ids that each hub has of its own where %s those of the other', async (_, refusing) => {
    const engine = createEngine();
    for (const hub of refusing) engine[hub].refusesForeignIds = true;
    seed(engine);
    await backUp(engine);
    await restore(engine, TO_THREE);
    const before = new Map(engine.primary.rows);
    engine.advance(60_000);
    await backUp(engine);
    expect(await restore(engine, TO_ONE)).toMatchObject({ counts: { unchanged: 24, total: 24 } });
    engine.advance(60_000);
    await backUp(engine);
    expect(await restore(engine, TO_THREE)).toMatchObject({ counts: { unchanged: 24, total: 24 } });

    const [id = ''] = [...engine.secondary.rows].find(([, xml]) => xml.includes(tokenOf('19-5-1'))) ?? [];
    register(engine.secondary, id, ['new tags'], '19-5-1');
    engine.advance(60_000);
    await backUp(engine);
    const back = await restore(engine, TO_ONE);
    expect(back).toMatchObject({ counts: { unchanged: 23, updated: 1 } });
    expect([...engine.primary.rows.keys()]).toEqual([...before.keys()]);
    expect(await exportIdMap(engine.app, back.id)).toContain(`\r\n${id},19-5-1\r\n`);
    await startRollback(engine.app, back.id, { confirm: 'one/devices' });
    await engine.drain();
    expect(engine.primary.rows.get('19-5-1')).not.toContain('new tags');
  });

  it('into a hub that came back full brings the newest words of devices, and removes who left', async () => {
    const engine = await aFailedOver();
    register(engine.secondary, '19-5-1', ['new tags']);
    engine.secondary.rows.delete('39-5-1');
    register(engine.secondary, '990-5-1', ['joined']);
    await backUp(engine);
    await backUp(engine);
    expect(await restore(engine, TO_ONE)).toMatchObject({
      status: 'Succeeded',
      counts: { updated: 1, withdrawn: 1, created: 1, unchanged: 22 },
    });
    expect(contentOf(engine.primary)).toEqual(contentOf(engine.secondary));
  });

  it('into a hub that came back empty fills it', async () => {
    const engine = await aFailedOver();
    register(engine.secondary, '19-5-1', ['new tags']);
    engine.primary.rows.clear();
    await backUp(engine);
    expect(await restore(engine, TO_ONE)).toMatchObject({ counts: { created: 24 }, absenceVoid: 23 });
    expect(contentOf(engine.primary)).toEqual(contentOf(engine.secondary));
  });

  it('wins where both hubs changed a record, and leaves what only the hub that went had changed in its last minutes', async () => {
    const engine = await aBackedUp();
    register(engine.primary, '19-5-1', ['last minute']);
    register(engine.primary, '59-5-1', ['last minute']);
    await restore(engine, TO_THREE);
    engine.advance(60_000);
    register(engine.secondary, '19-5-1', ['in the secondary']);
    await backUp(engine);
    const dry = await restore(engine, { activate: true, dryRun: true });
    expect(dry.counts).toMatchObject({ updated: 1, keptLive: 1, conflict: 0 });
    expect(await restore(engine, TO_ONE)).toMatchObject({ counts: { updated: 1, keptLive: 1, unchanged: 22 } });
    expect(engine.primary.rows.get('19-5-1')).toContain('in the secondary');
    expect(engine.primary.rows.get('59-5-1')).toContain('last minute');
  });

  it('only adds where more than a few changed in both hubs, until the operator decides', async () => {
    const engine = await aBackedUp(60);
    await restore(engine, TO_THREE);
    engine.advance(60_000);
    for (let index = 1; index < 60; index += 2) {
      register(engine.primary, `${index}9-5-1`, ['alive here']);
      register(engine.secondary, `${index}9-5-1`, ['alive there']);
    }
    engine.primary.rows.delete('19-5-1');
    engine.secondary.rows.delete('39-5-1');
    register(engine.secondary, '990-5-1', ['joined']);
    await backUp(engine);
    await backUp(engine);
    const view = await restore(engine, TO_ONE);
    expect(view).toMatchObject({ status: 'Succeeded', counts: { conflict: 28, created: 2, withdrawn: 0, updated: 0 } });
    expect(view.warnings).toContainEqual(expect.stringContaining('more than STANDBY_DRIFT_PERCENT (2) allows'));
    expect(view.activatedAt).toBeUndefined();
    expect(await readRoleView(engine.app)).toMatchObject({ active: three });
    const decided = await restore(engine, { ...TO_ONE, onConflict: 'overwrite' });
    expect(decided.counts).toMatchObject({ updated: 28, conflict: 0 });
    expect(await readRoleView(engine.app)).toMatchObject({ active: one });
  });
});

function ordersOf(names: readonly Deed[]): Deed[][] {
  if (names.length === 0) return [[]];
  return names.flatMap((name) => ordersOf(names.filter((one) => one !== name)).map((rest) => [name, ...rest]));
}

/** Where a call that names nothing would go: `one > three`, or why not. */
async function directionOf(engine: Engine): Promise<string> {
  const { app, primary, secondary } = engine.fork();
  const before = { one: contentOf(primary), three: contentOf(secondary) };
  const begun = await beginRestore(app, { dryRun: true }).catch((error: { code: string }) => error);
  if (typeof begun !== 'string') return begun.code;
  const { snapshot, target } = await readRestoreView(app, begun);
  expect(before).toEqual({ one: contentOf(primary), three: contentOf(secondary) });
  return `${snapshot.hub.namespace} > ${target.namespace}`;
}

describe('after any order of a switch, a restore, a backup of the new hub and the return of the primary', () => {
  const allOrders = ordersOf(['switchRole', 'restore', 'backUp', 'primaryReturnsEmpty']);

  test.each(allOrders)(
    '%s, %s, %s, %s: the dry run and the restore go from the hub in use, or nowhere',
    async (...order) => {
      const engine = await aBackedUp(12);
      for (const deed of order) {
        engine.advance(60_000);
        await deeds[deed](engine);
        const { active, standby, since } = await readRoleView(engine.app);
        const direction = await directionOf(engine);
        const allowed = [`${active.namespace} > ${standby.namespace}`, 'NoGoodSnapshot', 'SnapshotOlderThanRole'];
        expect(allowed, `after ${deed}`).toContain(direction);
        const fork = engine.fork();
        const inUse = active.namespace === 'one' ? fork.primary : fork.secondary;
        const before = contentOf(inUse);
        const id = await beginRestore(fork.app).catch((error: { code: string }) => error);
        if (typeof id !== 'string') expect(id.code).toBe(direction);
        else {
          await fork.drain();
          const { snapshot, target, counts } = await readRestoreView(fork.app, id);
          expect(`${snapshot.hub.namespace} > ${target.namespace}`).toBe(direction);
          expect(counts.total).toBeGreaterThanOrEqual(12);
          expect(Date.parse(since)).toBeLessThan(fork.app.world.now());
        }
        expect(contentOf(inUse)).toEqual(before);
      }
    },
  );
});
