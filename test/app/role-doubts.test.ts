import { describe, expect, it } from 'vitest';
import { readStatus } from '../../src/app/readiness/status.ts';
import { cancelRestore } from '../../src/app/restore/outcomes/cancel.ts';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { declareRole, readRoleView } from '../../src/app/runs/declare-role.ts';
import { watch } from '../../src/app/watchdog.ts';
import { aBackedUp, backUp, beginRestore, codeOf, restore, runUntilWritten } from '../support/drive.ts';
import { type Engine, one, three } from '../support/engine.ts';

const confirm = 'three/devices';
const TO_THREE = { activate: true, confirm };
const TO_ONE = { activate: true, confirm: 'one/devices' };

async function isUnsettled({ app }: Engine): Promise<boolean> {
  await watch(app);
  return (await readStatus(app)).findings.some(({ code }) => code === 'RoleUnsettled');
}

describe('a role that a restore left open stays a finding', () => {
  async function aRestored() {
    const engine = await aBackedUp(4);
    const { id } = await restore(engine);
    expect(await isUnsettled(engine)).toBe(true);
    engine.advance(60_000);
    return { engine, id };
  }

  it('whatever number of dry runs come after it, until it is declared', async () => {
    const { engine } = await aRestored();
    for (let count = 0; count < 9; count++) {
      await restore(engine, { dryRun: true });
      engine.advance(1000);
    }
    expect(await isUnsettled(engine)).toBe(true);
    await declareRole(engine.app, { active: 'primary', confirm: 'one/devices' });
    expect(await isUnsettled(engine)).toBe(false);
  });

  it('until it is declared, by a host that thinks it is earlier than the one that ended the restore', async () => {
    const engine = await aBackedUp(4);
    await restore(engine);
    expect(await isUnsettled(engine)).toBe(true);
    const { world } = engine.app;
    const behind = engine.fork(() => ({ world: { ...world, storageNow: () => world.storageNow() - 1500 } }));
    await declareRole(behind.app, { active: 'primary', confirm: 'one/devices' });
    expect(await isUnsettled(behind)).toBe(false);
  });

  it('after a repair of the hub in use', async () => {
    const { engine } = await aRestored();
    await restore(engine, { target: 'primary', confirm: 'one/devices' });
    expect(await isUnsettled(engine)).toBe(true);
  });

  it('until it is rolled back, which a rollback that was cancelled has not done', async () => {
    const { engine, id } = await aRestored();
    const rollback = await startRollback(engine.app, id, { confirm });
    await cancelRestore(engine.app, rollback.id);
    await engine.drain();
    engine.advance(60_000);
    expect(await isUnsettled(engine)).toBe(true);
    await startRollback(engine.app, id, { confirm });
    await engine.drain();
    expect(await isUnsettled(engine)).toBe(false);
  });
});

describe('a hub does not come into use', () => {
  it('by declaring it after a restore of some devices, or of its own snapshot', async () => {
    const engine = await aBackedUp(8);
    await restore(engine, { only: { tags: 'n1' } });
    engine.advance(1000);
    expect(await codeOf(declareRole(engine.app, { active: 'secondary', confirm }))).toBe('RoleContradicted');
  });

  it('when it takes none of the records', async () => {
    const engine = await aBackedUp(8);
    engine.secondary.intercept = () => ({ kind: 'rejected', status: 400, reason: 'Rejected' });
    const view = await restore(engine, TO_THREE);
    expect(view).toMatchObject({ status: 'Failed', error: { code: 'RestoreIncomplete' }, counts: { failed: 8 } });
    expect(view.activatedAt).toBeUndefined();
    expect(await readRoleView(engine.app)).toMatchObject({ active: one });
  });

  it('when the restore is cancelled while it counts', async () => {
    const engine = await aBackedUp(8);
    const ids: string[] = [];
    const fork: Engine = engine.fork(({ blobs }) => ({
      blobs: {
        ...blobs,
        put: async (name, ...rest) => {
          const stored = await blobs.put(name, ...rest);
          if (name.includes('/marks/')) for (const id of ids) await cancelRestore(fork.app, id);
          return stored;
        },
      },
    }));
    ids.push(await beginRestore(fork.app, TO_THREE));
    await fork.drain();
    expect(await readRestoreView(fork.app, ids[0] ?? '')).toMatchObject({ status: 'Canceled' });
    expect(await readRoleView(fork.app)).toMatchObject({ active: one });
  });

  it('late, after a failback that began and ended while the restore waited', async () => {
    const engine = await aBackedUp(8);
    const id = await beginRestore(engine.app, TO_THREE);
    await runUntilWritten(engine);
    engine.advance(60_000);
    const waiting = engine.queue.take();
    await declareRole(engine.app, { active: 'secondary', confirm });
    await backUp(engine);
    expect(await restore(engine, TO_ONE)).toMatchObject({ status: 'Succeeded', activatedAt: expect.any(String) });
    await engine.queue.putBack(waiting);
    await engine.drain();
    const late = await readRestoreView(engine.app, id);
    expect(late.status).toBe('Succeeded');
    expect(late.activatedAt).toBeUndefined();
    expect(await readRoleView(engine.app)).toMatchObject({ active: one });
  });
});

it('a switch needs a snapshot as new as the role, also where its target is named', async () => {
  const engine = await aBackedUp(8);
  await restore(engine, TO_THREE);
  await backUp(engine);
  await restore(engine, TO_ONE);
  await backUp(engine);
  await restore(engine, TO_THREE);
  engine.advance(60_000);
  expect(await codeOf(beginRestore(engine.app, TO_ONE))).toBe('SnapshotOlderThanRole');
  expect(await codeOf(beginRestore(engine.app, { ...TO_ONE, target: 'primary' }))).toBe('SnapshotOlderThanRole');
});

it('a rollback of the restore that switched says that the hub stays in use, before and in its run', async () => {
  const engine = await aBackedUp(8);
  const { id } = await restore(engine, TO_THREE);
  await expect(startRollback(engine.app, id, {})).rejects.toMatchObject({
    code: 'ConfirmationMissing',
    message: expect.stringContaining('three/devices, the hub in use'),
  });
  const { warnings } = await startRollback(engine.app, id, { confirm });
  expect(warnings).toEqual([
    expect.stringMatching(/does not change the roles.*Only where devices and backends use one\/devices again/),
  ]);
  await engine.drain();
  expect(await readRoleView(engine.app)).toMatchObject({ active: three });
});

it('a switch that an operator declared while the restore ran is no failed switch', async () => {
  const engine = await aBackedUp(8);
  const id = await beginRestore(engine.app, TO_THREE);
  engine.advance(1000);
  const { since } = await declareRole(engine.app, { active: 'secondary', confirm });
  await engine.drain();
  expect(await readRestoreView(engine.app, id)).toMatchObject({ status: 'Succeeded', activatedAt: since });
});
