import { describe, expect, it } from 'vitest';
import { startRetry } from '../../src/app/restore/retry.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { declareRole } from '../../src/app/runs/declare-role.ts';
import { advanceSync } from '../../src/app/standby-sync.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import { parseStep } from '../../src/core/run/step.ts';
import { backUp, contentOf, restore } from '../support/drive.ts';
import type { Engine, EngineOptions } from '../support/engine.ts';
import type { MemoryHub } from '../support/memory-hub.ts';
import { register } from '../support/rows.ts';
import { aSyncingEngine, HOUR_MS, syncOnce, withoutSyncs } from '../support/sync.ts';

const TO_THREE = { activate: true, confirm: 'three/devices' };
const TO_ONE = { activate: true, confirm: 'one/devices' };
const REJECTED = { kind: 'rejected', status: 400, reason: 'Rejected' } as const;

async function doNextStep(engine: Engine): Promise<void> {
  engine.advance(Math.max(0, (engine.queue.nextAt() ?? 0) - engine.app.world.now()));
  for (const text of engine.queue.take(1)) await runStep(engine.app, parseStep(JSON.parse(text)));
}

/** Each write into the hub takes so long. */
function takingTime({ advance }: Engine, hub: MemoryHub, ms: number): void {
  const { putRegistration, putInstallation } = hub;
  hub.putRegistration = (...args) => {
    advance(ms);
    return putRegistration(...args);
  };
  hub.putInstallation = (...args) => {
    advance(ms);
    return putInstallation(...args);
  };
}

/** Both hubs held all devices, the second one is in use, and the first one is empty. */
async function aReturnedPrimary(devices?: number, options?: EngineOptions): Promise<Engine> {
  const engine = aSyncingEngine(devices, options);
  await syncOnce(engine);
  engine.advance(60_000);
  await restore(engine, TO_THREE);
  engine.primary.rows.clear();
  return engine;
}

describe('an old primary that returned empty and is not filled to its end', () => {
  it('a failback that ends the sync in its middle brings all devices', async () => {
    const engine = await aReturnedPrimary(400, { policy: { stepBudgetMs: 5000, maxConcurrency: 1 } });
    const { primary, secondary } = engine;
    engine.advance(HOUR_MS);
    await backUp(withoutSyncs(engine));
    await advanceSync(engine.app);
    takingTime(engine, primary, 100);
    while (primary.rows.size < 550) await doNextStep(engine);
    // Succeeded, activated: 373 unchanged, 27 goneInTarget.
    expect(await restore(engine, TO_ONE)).toMatchObject({ status: 'Succeeded', counts: { goneInTarget: 0 } });
    expect(contentOf(primary)).toEqual(contentOf(secondary));
  });

  it('the sync after the next backup tries again what was refused', async () => {
    const engine = await aReturnedPrimary(400);
    const { primary, secondary } = engine;
    let writes = 0;
    primary.intercept = () => (writes++ < 15 ? REJECTED : undefined);
    expect(await syncOnce(engine)).toMatchObject({ counts: { created: 385, failed: 15 } });
    primary.intercept = () => undefined;
    expect(await syncOnce(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 15, goneInTarget: 0 } });
    expect(contentOf(primary)).toEqual(contentOf(secondary));
  });
});

describe('an old primary that returned empty, of which a restore was asked for some devices only', () => {
  it('gets the others by a failback', async () => {
    const engine = await aReturnedPrimary();
    const { primary, secondary } = engine;
    engine.advance(HOUR_MS);
    await backUp(withoutSyncs(engine));
    const tags = Array.from({ length: 20 }, (_, index) => `n${index}`).join(' || ');
    expect(await restore(engine, { only: { tags } })).toMatchObject({ counts: { created: 20 } });
    expect(await restore(engine, TO_ONE)).toMatchObject({ counts: { created: 4, goneInTarget: 0 } });
    expect(contentOf(primary)).toEqual(contentOf(secondary));
  });
});

describe('roles that changed twice', () => {
  it('a failback writes what the sync that it ended had removed under its old id, and not yet written', async () => {
    const engine = aSyncingEngine(24, { policy: { stepBudgetMs: 5000, maxConcurrency: 1 } });
    const { primary, secondary } = engine;
    await syncOnce(engine);
    for (const switched of [TO_THREE, TO_ONE]) {
      engine.advance(60_000);
      await restore(engine, switched);
      if (switched === TO_THREE) {
        engine.advance(60_000);
        await backUp(withoutSyncs(engine));
      }
    }
    engine.advance(1000);
    await declareRole(engine.app, { active: 'secondary', confirm: 'three/devices', force: true });
    register(secondary, '19-5-1', ['x'], '39-5-1');
    register(secondary, '39-5-1', ['y'], '19-5-1');
    engine.advance(HOUR_MS);
    await backUp(withoutSyncs(engine));
    await advanceSync(engine.app);
    takingTime(engine, primary, 6000);
    while (primary.writes.length === 0) await doNextStep(engine);
    await restore(engine, TO_ONE);
    expect(contentOf(primary)).toEqual(contentOf(secondary));
  });
});

describe('a record that a failover could not write', () => {
  async function aFailoverWithout(id: string) {
    const engine = aSyncingEngine();
    const { primary, secondary } = engine;
    await syncOnce(engine);
    secondary.rows.delete(id);
    secondary.intercept = (_kind, one) => (one === id ? REJECTED : undefined);
    engine.advance(60_000);
    const failover = await restore(engine, TO_THREE);
    expect(failover).toMatchObject({ error: { code: 'RestoreIncomplete' }, counts: { failed: 1 } });
    secondary.intercept = () => undefined;
    return { engine, primary, secondary, failover };
  }

  it('is not removed from the old primary by the sync after it', async () => {
    const { engine, primary } = await aFailoverWithout('19-5-1');
    await syncOnce(engine);
    expect(primary.rows.has('19-5-1')).toBe(true);
  });

  it('is written by a retry after that sync', async () => {
    const { engine, secondary, failover } = await aFailoverWithout('19-5-1');
    await syncOnce(engine);
    engine.advance(60_000);
    const { id } = await startRetry(engine.app, failover.id);
    await engine.drain();
    // Succeeded, with goneInTarget 1: the device is in no hub any more.
    expect(await readRestoreView(engine.app, id)).toMatchObject({ counts: { created: 1 } });
    expect(secondary.rows.has('19-5-1')).toBe(true);
  });
});
