import { describe, expect, it, test } from 'vitest';
import { readStatus } from '../../src/app/readiness/status.ts';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { declareRole, readRoleView } from '../../src/app/runs/declare-role.ts';
import { listRuns } from '../../src/app/runs/store.ts';
import { advanceSync } from '../../src/app/standby-sync.ts';
import { isSyncRunId } from '../../src/core/run/sync.ts';
import { type Deed, deeds } from '../support/deeds.ts';
import { backUp, contentOf, restore } from '../support/drive.ts';
import type { Engine } from '../support/engine.ts';
import type { MemoryHub } from '../support/memory-hub.ts';
import { anAppleRow, register, tokenOf } from '../support/rows.ts';
import { aSyncingEngine, HOUR_MS, syncOnce } from '../support/sync.ts';

const TO_THREE = { activate: true, confirm: 'three/devices' };
const TO_ONE = { activate: true, confirm: 'one/devices' };

async function tryAll(begun: Engine, left: readonly Deed[], done: readonly Deed[] = []): Promise<void> {
  for (const deed of left) {
    const engine = begun.fork();
    const where = [...done, deed].join(', ');
    engine.advance(60_000);
    await deeds[deed](engine);
    const { active } = await readRoleView(engine.app);
    const inUse = active.namespace === 'one' ? engine.primary : engine.secondary;
    const held = contentOf(inUse);
    await advanceSync(engine.app);
    await engine.drain();
    expect(contentOf(inUse), where).toEqual(held);
    expect(engine.secondary.rows.size, where).toBe(6);
    await tryAll(
      engine,
      left.filter((one) => one !== deed),
      [...done, deed],
    );
  }
}

test('after any order of a switch, a restore, a backup and the return of an empty primary, no sync writes into the hub in use or from an empty one', async () => {
  const engine = aSyncingEngine(4);
  await syncOnce(engine);
  await tryAll(engine, ['switchRole', 'restore', 'backUp', 'primaryReturnsEmpty']);
});

describe('with syncs', () => {
  it('a failover writes nothing, and the way back neither', async () => {
    const engine = aSyncingEngine();
    await syncOnce(engine);
    engine.advance(60_000);
    expect(await restore(engine, TO_THREE)).toMatchObject({ counts: { unchanged: 24, total: 24 }, passes: 1 });
    expect(await syncOnce(engine)).toMatchObject({
      counts: { unchanged: 24, total: 24 },
      target: { namespace: 'one' },
    });
    engine.advance(60_000);
    expect(await restore(engine, TO_ONE)).toMatchObject({ counts: { unchanged: 24, total: 24 } });
    expect(await readRoleView(engine.app)).toMatchObject({ active: { namespace: 'one' } });
    expect((await readStatus(engine.app)).findings.map(({ code }) => code)).not.toContain('RoleUnsettled');
  });

  it('what a restore wrote, or its rollback put back, is no change by others', async () => {
    const engine = aSyncingEngine(80);
    await syncOnce(engine);
    for (let index = 1; index < 60; index += 2) register(engine.primary, `${index}9-5-1`, ['changed']);
    for (let index = 200; index < 230; index++) register(engine.primary, `${index}9-5-1`, ['new']);
    engine.advance(HOUR_MS);
    await backUp({ ...engine, app: { ...engine.app, policy: { ...engine.app.policy, standbySync: 'off' } } });
    const { id, counts } = await restore(engine);
    expect(counts).toMatchObject({ updated: 30, created: 30 });
    const keptOpen = engine.fork();
    for (const one of [engine, keptOpen]) {
      one.advance(60_000);
      if (one === engine) await startRollback(one.app, id, { confirm: 'three/devices' });
      await one.drain();
      await declareRole(one.app, { active: 'primary', confirm: 'one/devices' });
      expect(await syncOnce(one)).toMatchObject({ status: 'Succeeded', counts: { unchanged: 110 } });
      const syncs = await listRuns(one.app, 'restore', 9, isSyncRunId);
      // The rollback settles which hub is in use, and so the sync of the same snapshot follows it.
      expect(syncs.map(({ status }) => status)).toEqual(
        Array.from({ length: one === engine ? 3 : 2 }, () => 'Succeeded'),
      );
      expect(contentOf(one.secondary)).toEqual(contentOf(one.primary));
    }
  });

  it('rows that a device has twice in the old primary are neither changes by others nor another form', async () => {
    const engine = aSyncingEngine(10);
    const { primary, secondary } = engine;
    for (let index = 100; index < 140; index++) {
      for (const id of [`${index}9-5-1`, `${index}9-5-2`]) {
        primary.rows.set(id, anAppleRow({ id, token: tokenOf(`${index}`), tags: ['twice'] }));
      }
    }
    await syncOnce(engine);
    engine.advance(60_000);
    await restore(engine, TO_THREE);
    const [id = '', xml = ''] = [...secondary.rows].find(([, row]) => row.includes('twice')) ?? [];
    secondary.rows.set(id, xml.replace('twice', 'once').replace('<ETag>1<', '<ETag>2<'));
    const view = await syncOnce(engine);
    expect(view).toMatchObject({ status: 'Succeeded', counts: { updated: 1, conflict: 0 }, warnings: [] });
    expect(new Set(contentOf(primary))).toEqual(new Set(contentOf(secondary)));
  });

  it.each(['full', 'empty', 'changed in its last minutes'] as const)(
    'the old primary that returns %s is kept in step, and one failback ends where the devices are',
    async (returns) => {
      const engine = aSyncingEngine();
      const { primary, secondary } = engine;
      await syncOnce(engine);
      if (returns === 'changed in its last minutes') {
        register(primary, '19-5-1', ['last minute']);
        register(primary, '59-5-1', ['last minute']);
        register(primary, '1009-5-1', ['last minute']);
        primary.rows.delete('79-5-1');
      }
      engine.advance(60_000);
      await restore(engine, TO_THREE);
      // Days in the secondary: devices change, join and leave.
      for (let day = 0; day < 3; day++) {
        register(secondary, '19-5-1', ['in the secondary', `${day}`]);
        register(secondary, `20${day}9-5-1`, ['joined']);
        secondary.rows.delete(`${11 + 2 * day}9-5-1`);
        if (returns === 'empty' && day === 1) primary.rows.clear();
        expect(await syncOnce(engine)).toMatchObject({ status: 'Succeeded', target: { namespace: 'one' } });
      }
      engine.advance(60_000);
      const back = await restore(engine, TO_ONE);
      expect(back).toMatchObject({ status: 'Succeeded' });
      expect(await readRoleView(engine.app)).toMatchObject({ active: { namespace: 'one' } });
      // Only the old primary heard these devices, in its last minutes: what they said there stays.
      const own = returns === 'changed in its last minutes' ? ['59-5-1', '79-5-1', '1009-5-1'] : [];
      const without = ({ rows }: MemoryHub) => ({ rows: new Map([...rows].filter(([id]) => !own.includes(id))) });
      expect(contentOf(without(primary))).toEqual(contentOf(without(secondary)));
      expect(own.map((id) => primary.rows.get(id)?.includes('last minute'))).toEqual(
        own.map((id) => (id === '79-5-1' ? undefined : true)),
      );
    },
  );
});
