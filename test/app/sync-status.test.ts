import { describe, expect, it } from 'vitest';
import { reviewReadiness } from '../../src/app/readiness/review.ts';
import { readStatus } from '../../src/app/readiness/status.ts';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { declareRole } from '../../src/app/runs/declare-role.ts';
import { watch } from '../../src/app/watchdog.ts';
import { syncRunId } from '../../src/core/run/sync.ts';
import { aBackedUp, backUp, restore } from '../support/drive.ts';
import type { Engine } from '../support/engine.ts';
import { anAppleRow } from '../support/rows.ts';
import { aSyncingEngine, HOUR_MS } from '../support/sync.ts';

async function syncOnce(engine: Engine): Promise<string> {
  engine.advance(HOUR_MS - 60_000);
  return syncRunId(await backUp(engine));
}

async function codesOf({ app }: Engine): Promise<readonly string[]> {
  return (await readStatus(app)).findings.map(({ code }) => code);
}

/** As they were sent. */
function alertsOf({ notifier }: Engine, code: string): readonly string[] {
  return notifier.alerts.filter((one) => one.code === code).map(({ state }) => state);
}

describe('the status of a standby that is kept in step', () => {
  it('says nothing where syncs are off', async () => {
    const engine = await aBackedUp();
    expect((await readStatus(engine.app)).standbySync).toBeNull();
  });

  it('says how far behind it is, and that a switch takes no time while it is not', async () => {
    const engine = aSyncingEngine();
    await watch(engine.app);
    const id = await syncOnce(engine);
    const { standbySync, lastRestore } = await readStatus(engine.app);
    expect(standbySync).toMatchObject({
      isInStep: true,
      switchSeconds: 0,
      lagSeconds: 0,
      synced: { runId: id, failed: 0 },
      last: { id, status: 'Succeeded', counts: { created: 24 } },
    });
    expect(lastRestore).toBeNull();
    engine.secondary.intercept = () => ({ kind: 'rejected', status: 400, reason: 'Rejected' });
    engine.primary.rows.set('999-5-1', anAppleRow({ id: '999-5-1' }));
    await syncOnce(engine);
    expect((await readStatus(engine.app)).standbySync).toMatchObject({ isInStep: true, synced: { failed: 1 } });
  });

  it('counts a sync as the proof of its snapshot', async () => {
    const engine = aSyncingEngine();
    const id = await syncOnce(engine);
    const { provenSnapshot, findings } = await readStatus(engine.app);
    expect(provenSnapshot).toMatchObject({ how: 'sync' });
    expect(id).toBe(syncRunId(provenSnapshot?.id ?? ''));
    expect(findings.map(({ code }) => code)).not.toContain('NotProven');
  });

  it('alerts once when no sync was done for one and a half intervals, until one is', async () => {
    const engine = aSyncingEngine();
    await syncOnce(engine);
    engine.advance(60_000);
    await restore(engine);
    await syncOnce(engine);
    await watch(engine.app);
    expect((await readStatus(engine.app)).standbySync).toMatchObject({
      isInStep: false,
      lagSeconds: HOUR_MS / 1000 + 70,
    });
    expect(await codesOf(engine)).not.toContain('StandbyOutOfStep');
    await syncOnce(engine);
    await syncOnce(engine);
    await watch(engine.app);
    expect(await codesOf(engine)).toContain('StandbyOutOfStep');
    expect(alertsOf(engine, 'StandbyOutOfStep')).toEqual(['open']);
    engine.advance(60_000);
    await declareRole(engine.app, { active: 'primary', confirm: 'one/devices' });
    await watch(engine.app);
    await engine.drain();
    expect((await readStatus(engine.app)).standbySync).toMatchObject({ isInStep: true });
    expect(alertsOf(engine, 'StandbyOutOfStep')).toEqual(['open', 'resolved']);
  });

  it('alerts when a sync has stopped itself, until one is done', async () => {
    const engine = aSyncingEngine(200);
    await syncOnce(engine);
    const gone = [...engine.primary.rows].filter(([id]) => id.endsWith('9-5-1')).slice(0, 25);
    for (const [id] of gone) engine.primary.rows.delete(id);
    const id = await syncOnce(engine);
    const { findings, standbySync } = await readStatus(engine.app);
    expect(findings).toContainEqual(expect.objectContaining({ code: 'SyncStopped', runId: id, level: 'risk' }));
    expect(standbySync).toMatchObject({ isInStep: false, stopped: { runId: id } });
    await syncOnce(engine);
    await syncOnce(engine);
    expect(await codesOf(engine)).not.toContain('StandbyOutOfStep');
    expect(alertsOf(engine, 'SyncStopped')).toEqual(['open']);
    for (const [row, xml] of gone) engine.primary.rows.set(row, xml);
    await syncOnce(engine);
    expect(alertsOf(engine, 'SyncStopped')).toEqual(['open', 'resolved']);
  });

  it('is out of step when its sync was rolled back', async () => {
    const engine = aSyncingEngine();
    const id = await syncOnce(engine);
    engine.advance(60_000);
    await startRollback(engine.app, id, { confirm: 'three/devices' });
    await engine.drain();
    expect(engine.secondary.rows.size).toBe(0);
    expect((await readStatus(engine.app)).standbySync).toMatchObject({ isInStep: false });
  });

  it('leaves what operators restored in sight, however many syncs came since', async () => {
    const engine = aSyncingEngine(4);
    await syncOnce(engine);
    const { id } = await restore(engine, { only: { platforms: ['apple'] } });
    await declareRole(engine.app, { active: 'primary', confirm: 'one/devices' });
    for (let syncs = 0; syncs < 10; syncs++) await syncOnce(engine);
    await reviewReadiness(engine.app);
    expect((await readStatus(engine.app)).lastRestore).toMatchObject({ id });
  });
});
