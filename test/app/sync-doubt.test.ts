import { describe, expect, it } from 'vitest';
import { readStatus } from '../../src/app/readiness/status.ts';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { declareRole } from '../../src/app/runs/declare-role.ts';
import { createRun, findRun, listRuns } from '../../src/app/runs/store.ts';
import { watch } from '../../src/app/watchdog.ts';
import { newRunId } from '../../src/core/run/run.ts';
import { isSyncRunId } from '../../src/core/run/sync.ts';
import { backUp, contentOf, restore } from '../support/drive.ts';
import type { Engine } from '../support/engine.ts';
import type { MemoryHub } from '../support/memory-hub.ts';
import { register } from '../support/rows.ts';
import { aSyncingEngine, HOUR_MS, syncOnce } from '../support/sync.ts';

const DAY_MS = 24 * HOUR_MS;

function registerMany(hub: MemoryHub, from: number, count: number, tag = 'own'): void {
  for (let n = from; n < from + count; n++) register(hub, `${n}-5-1`, [tag]);
}

describe('a role that is in doubt', () => {
  it('keeps syncs from writing, however many dry runs there were since', async () => {
    const engine = aSyncingEngine(4);
    const { app } = engine;
    await syncOnce(engine);
    engine.advance(60_000);
    await restore(engine);
    engine.advance(60_000);
    const dry = await findRun(app, 'restore', (await restore(engine, { dryRun: true })).id);
    for (let n = 1; n <= 51; n++) {
      const atMs = Date.parse(dry.createdAt) + n * 1000;
      await createRun(app, { ...dry, id: newRunId(atMs, 'dry'), createdAt: new Date(atMs).toISOString() });
    }
    engine.advance(HOUR_MS);
    await backUp(engine);
    await watch(app);
    expect((await readStatus(app)).findings.map(({ code }) => code)).toContain('RoleUnsettled');
    expect(await listRuns(app, 'restore', 200, isSyncRunId)).toHaveLength(1);
  });
});

describe('what others changed in the standby', () => {
  it('is not what expired there while syncs were off', async () => {
    const engine = aSyncingEngine(0);
    const { primary, secondary } = engine;
    const { putRegistration } = secondary;
    // As a hub does that gives its rows a shorter life.
    secondary.putRegistration = async (id, xml, options) => {
      const answer = await putRegistration(id, xml, options);
      const expiry = new Date(engine.app.world.now() + 40 * DAY_MS).toISOString();
      const row = secondary.rows.get(id)?.replace(/<ExpirationTime>[^<]+/, `<ExpirationTime>${expiry}`);
      if (row !== undefined) secondary.rows.set(id, row);
      return answer;
    };
    registerMany(primary, 1000, 30);
    await syncOnce(engine);
    engine.advance(20 * DAY_MS);
    registerMany(primary, 1030, 70);
    await syncOnce(engine);
    engine.advance(25 * DAY_MS);
    for (const [id, xml] of secondary.rows) {
      if (Date.parse(/<ExpirationTime>([^<]+)/.exec(xml)?.[1] ?? '') < engine.app.world.now())
        secondary.rows.delete(id);
    }
    expect(secondary.rows.size).toBe(70);
    expect(await syncOnce(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 30 } });
  });

  it('is counted from what this hub held before, not from what the other one did', async () => {
    const engine = aSyncingEngine(40);
    const { primary, secondary } = engine;
    await syncOnce(engine);
    registerMany(secondary, 5000, 15);
    await syncOnce(engine);
    engine.advance(60_000);
    const failover = await restore(engine, { activate: true, confirm: 'three/devices' });
    expect(failover).toMatchObject({ counts: { onlyInTarget: 15 } });
    // The old primary is alive.
    registerMany(primary, 7000, 30);
    expect(await syncOnce(engine)).toMatchObject({ error: { code: 'SyncStopped' } });
  });

  it('no longer stops syncs once a restore by hand has seen it, and stays until its devices change in the hub in use', async () => {
    const engine = aSyncingEngine(0);
    const { app, primary, secondary } = engine;
    registerMany(primary, 1000, 40);
    await syncOnce(engine);
    const ids = [...secondary.rows.keys()].slice(0, 25);
    for (const id of ids) register(secondary, id, ['standby']);
    expect(await syncOnce(engine)).toMatchObject({ error: { code: 'SyncStopped' } });
    engine.advance(60_000);
    const byHand = await restore(engine, { onConflict: 'overwrite', confirm: 'three/devices' });
    expect(byHand).toMatchObject({ counts: { keptLive: 25 } });
    engine.advance(60_000);
    await declareRole(app, { active: 'primary', confirm: 'one/devices' });
    expect(await syncOnce(engine)).toMatchObject({ status: 'Succeeded', counts: { keptLive: 25 } });
    for (const id of ids) register(primary, id, ['primary']);
    expect(await syncOnce(engine)).toMatchObject({ status: 'Succeeded', counts: { updated: 25, keptLive: 0 } });
  });
});

describe('the status of a standby that was changed since its last sync', () => {
  async function statusOf(engine: Engine) {
    await watch(engine.app);
    const { standbySync, findings } = await readStatus(engine.app);
    return { ...standbySync, codes: findings.map(({ code }) => code) };
  }

  it('is not in step after an operator restored an older snapshot into it, until the next sync', async () => {
    const engine = aSyncingEngine(40);
    const { app, primary, secondary } = engine;
    registerMany(primary, 5000, 5);
    const old = await backUp(engine);
    registerMany(primary, 5000, 5, 'newer');
    await syncOnce(engine);
    engine.advance(600_000);
    const { id } = await restore(engine, {
      snapshot: old,
      onConflict: 'overwrite',
      confirm: 'three/devices',
    });
    engine.advance(1000);
    await declareRole(app, { active: 'primary', confirm: 'one/devices' });
    await engine.drain();
    const isAlike = () => JSON.stringify(contentOf(secondary)) === JSON.stringify(contentOf(primary));
    expect({ isAlike: isAlike(), status: await statusOf(engine), id }).toMatchObject({
      status: { isInStep: false, switchSeconds: null, lagSeconds: null, changedBy: { runId: id } },
    });
    await syncOnce(engine);
    expect(await statusOf(engine)).toMatchObject({ isInStep: true, changedBy: null, switchSeconds: 0 });
    expect(isAlike()).toBe(true);
  });

  it('is not in step after a sync before the last one was rolled back', async () => {
    const engine = aSyncingEngine(40);
    const { app, primary, secondary } = engine;
    await syncOnce(engine);
    registerMany(primary, 3000, 5);
    const second = await syncOnce(engine);
    await syncOnce(engine);
    engine.advance(600_000);
    const { id } = await startRollback(app, second.id, { confirm: 'three/devices', keepNewer: true });
    await engine.drain();
    expect(secondary.rows.size).toBe(primary.rows.size - 5);
    expect(await statusOf(engine)).toMatchObject({ isInStep: false, changedBy: { runId: id } });
  });

  it('says how many records a sync left different, and is not in step where these are more than the drift allowed', async () => {
    const engine = aSyncingEngine(0);
    const { primary, secondary, blobs } = engine;
    registerMany(primary, 1000, 60);
    await syncOnce(engine);
    for (const { name } of await blobs.list('')) if (name.includes('baseline')) await blobs.remove(name);
    registerMany(primary, 1000, 10, 'new');
    expect(await syncOnce(engine)).toMatchObject({ counts: { unknownOrigin: 10 } });
    const few = await statusOf(engine);
    expect(few).toMatchObject({ isInStep: true, synced: { different: 10, records: 60 } });
    expect(few.codes).not.toContain('StandbyDiffers');
    for (const { name } of await blobs.list('')) if (name.includes('baseline')) await blobs.remove(name);
    registerMany(primary, 1020, 20, 'new');
    await syncOnce(engine);
    const many = await statusOf(engine);
    expect(many).toMatchObject({ isInStep: false, synced: { different: 30 } });
    expect(many.codes).toContain('StandbyDiffers');
    expect(engine.notifier.alerts.map(({ code }) => code)).toContain('StandbyDiffers');
    // As the finding says.
    registerMany(primary, 1000, 60, 'newest');
    await syncOnce(engine);
    expect(await statusOf(engine)).toMatchObject({ isInStep: true, synced: { different: 0 } });
    expect(contentOf(secondary)).toEqual(contentOf(primary));
  });
});
