import { describe, expect, it } from 'vitest';
import { startRetry } from '../../src/app/restore/retry.ts';
import { declareRole } from '../../src/app/runs/declare-role.ts';
import { listRuns } from '../../src/app/runs/store.ts';
import { advanceSync } from '../../src/app/standby-sync.ts';
import { watch } from '../../src/app/watchdog.ts';
import { DrError } from '../../src/core/errors.ts';
import { isSyncRunId } from '../../src/core/run/sync.ts';
import { backUp, codeOf, contentOf, restore } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { anAppleRow, anInstallation, register } from '../support/rows.ts';
import { aSyncingEngine, syncOnce } from '../support/sync.ts';

async function syncsOf({ app }: Engine) {
  return listRuns(app, 'restore', 100, isSyncRunId);
}

describe('a sync of the standby', () => {
  it('follows each good backup of the hub in use, once, where it is switched on', async () => {
    const off = aSyncingEngine(4, { policy: { standbySync: 'off' } });
    await backUp(off);
    expect(off.secondary.rows.size).toBe(0);

    const engine = aSyncingEngine();
    const first = await syncOnce(engine);
    expect(first).toMatchObject({ purpose: 'sync', status: 'Succeeded', counts: { created: 24 } });
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
    await Promise.all([advanceSync(engine.app), advanceSync(engine.app)]);
    await watch(engine.app);
    await engine.drain();
    expect(await syncsOf(engine)).toHaveLength(1);
    expect(await syncOnce(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 0, unchanged: 24 } });
  });

  it('takes over what was registered, changed, moved and removed', async () => {
    const engine = aSyncingEngine();
    await syncOnce(engine);
    register(engine.primary, '19-5-1', ['changed']);
    register(engine.primary, '39-5-1', ['plain', 'n3'], 'a-new-handle');
    register(engine.primary, '1009-5-1', ['new']);
    engine.primary.rows.delete('59-5-1');
    for (const [id] of anInstallation('device-4')) engine.primary.rows.delete(id);
    const view = await syncOnce(engine);
    expect(view).toMatchObject({ status: 'Succeeded', counts: { withdrawn: 3 } });
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  });

  it('never touches what a device wrote in the standby itself', async () => {
    const engine = aSyncingEngine();
    await syncOnce(engine);
    register(engine.secondary, '19-5-1', ['its-own']);
    register(engine.secondary, '2009-5-1', ['only-there']);
    const own = [engine.secondary.rows.get('19-5-1'), engine.secondary.rows.get('2009-5-1')];
    register(engine.primary, '19-5-1', ['changed-too']);
    engine.primary.rows.delete('39-5-1');
    const view = await syncOnce(engine);
    expect(view).toMatchObject({ status: 'Succeeded', counts: { conflict: 1, withdrawn: 1, onlyInTarget: 1 } });
    expect([engine.secondary.rows.get('19-5-1'), engine.secondary.rows.get('2009-5-1')]).toEqual(own);
  });

  it('changes nothing at all when more would be withdrawn than is allowed, and does when that is raised', async () => {
    const engine = aSyncingEngine(200);
    await syncOnce(engine);
    const before = contentOf(engine.secondary);
    const gone = [...engine.primary.rows.keys()].filter((id) => id.endsWith('9-5-1')).slice(0, 25);
    for (const id of gone) engine.primary.rows.delete(id);
    register(engine.primary, '9999-5-1', ['new']);
    const stopped = await syncOnce(engine);
    expect(stopped).toMatchObject({ status: 'Failed', error: { code: 'SyncStopped', target: 'three/devices' } });
    expect(stopped.error?.message).toContain('25 records of the standby are no longer in the snapshot');
    expect(contentOf(engine.secondary)).toEqual(before);
    expect(await syncOnce(engine)).toMatchObject({ error: { code: 'SyncStopped' } });
    const policy = { ...engine.app.policy, maxDeletePercent: 50 };
    expect(await syncOnce({ ...engine, app: { ...engine.app, policy } })).toMatchObject({ counts: { withdrawn: 25 } });
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  });

  it('changes nothing at all when others changed more of the standby than is allowed', async () => {
    for (const change of ['changed', 'added', 'removed'] as const) {
      const engine = aSyncingEngine(200);
      await syncOnce(engine);
      for (let index = 1; index < 50; index += 2) {
        const id = `${index}9-5-1`;
        if (change === 'changed') register(engine.secondary, id, ['its-own']);
        if (change === 'added') register(engine.secondary, `${index}8-5-1`, ['its-own']);
        if (change === 'removed') engine.secondary.rows.delete(id);
      }
      const before = contentOf(engine.secondary);
      register(engine.primary, '9999-5-1', ['new']);
      const stopped = await syncOnce(engine);
      expect(stopped, change).toMatchObject({ status: 'Failed', error: { code: 'SyncStopped' } });
      expect(stopped.error?.message).toContain('25 records were changed in the standby by others');
      expect(contentOf(engine.secondary), change).toEqual(before);
    }
  });

  it('fills a standby that was emptied', async () => {
    const engine = aSyncingEngine(60);
    await syncOnce(engine);
    engine.secondary.rows.clear();
    expect(await syncOnce(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 60 } });
  });

  it('starts by itself once what kept it from starting has passed', async () => {
    let isAway = true;
    const engine = aSyncingEngine(24, {
      wrap: ({ secondary }) => ({
        secondary: {
          ...secondary,
          probe: async (call) => {
            if (isAway) throw new DrError('HubUnavailable', 'away', { retryable: true });
            return secondary.probe(call);
          },
        },
      }),
    });
    await backUp(engine);
    await watch(engine.app);
    expect(await syncsOf(engine)).toEqual([]);
    isAway = false;
    await watch(engine.app);
    await engine.drain();
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  });

  it('is not retried by hand: the one after the next backup does what it left out', async () => {
    const engine = aSyncingEngine();
    engine.secondary.intercept = (_kind, id) =>
      id === '19-5-1' ? { kind: 'rejected', status: 400, reason: 'Rejected' } : undefined;
    const partly = await syncOnce(engine);
    expect(partly).toMatchObject({ status: 'Failed', error: { code: 'RestoreIncomplete' }, counts: { failed: 1 } });
    expect(await codeOf(startRetry(engine.app, partly.id))).toBe('NothingToRetry');
    engine.secondary.intercept = () => undefined;
    expect(await syncOnce(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 1 } });
  });

  it('resumes by itself after an hour in which the standby does not answer', async () => {
    let isAway = false;
    const engine = aSyncingEngine(24, {
      wrap: ({ secondary }) => ({
        secondary: {
          ...secondary,
          listPage: async (...args) => {
            if (isAway) throw new DrError('HubUnavailable', 'away', { retryable: true });
            return secondary.listPage(...args);
          },
        },
      }),
    });
    await syncOnce(engine);
    isAway = true;
    register(engine.primary, '1009-5-1', ['new']);
    expect(await syncOnce(engine)).toMatchObject({ status: 'Failed', error: { code: 'HubUnavailable' } });
    isAway = false;
    expect(await syncOnce(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 1 } });
  });
});

describe('a standby whose rows live shorter than those of the hub in use', () => {
  const DAY_MS = 86_400_000;

  it('is not renewed with each sync, and before a row ends', async () => {
    const engine = createEngine({
      policy: { standbySync: 'afterBackup' },
      wrap: ({ secondary }) => ({
        secondary: {
          ...secondary,
          putRegistration: async (id, xml, options) => {
            const answer = await secondary.putRegistration(id, xml, options);
            const expiry = new Date(engine.app.world.now() + 20 * DAY_MS).toISOString();
            const row = secondary.rows.get(id) ?? '';
            secondary.rows.set(id, row.replace(/<ExpirationTime>[^<]+</, `<ExpirationTime>${expiry}<`));
            return answer;
          },
        },
      }),
    });
    for (let index = 0; index < 5; index++) {
      const expirationTime = new Date(engine.app.world.now() + 90 * DAY_MS).toISOString();
      engine.primary.rows.set(`${index}-5-1`, anAppleRow({ id: `${index}-5-1`, expirationTime }));
    }
    const renewed: number[] = [];
    for (let day = 0; day < 15; day++) {
      const { counts } = await syncOnce(engine);
      renewed.push(counts.renewed);
      engine.advance(DAY_MS);
    }
    expect(renewed.filter((count) => count > 0)).toEqual([5, 5]);
    expect(renewed[1]).toBe(0);
  });
});

describe('the role of the hubs and a sync', () => {
  it('rests after a restore into the standby until the role is declared, and follows that', async () => {
    const engine = aSyncingEngine();
    await syncOnce(engine);
    engine.advance(60_000);
    await restore(engine);
    register(engine.primary, '1009-5-1', ['new']);
    engine.advance(3_600_000);
    await backUp(engine);
    await watch(engine.app);
    expect(await syncsOf(engine)).toHaveLength(1);
    await declareRole(engine.app, { active: 'primary', confirm: 'one/devices' });
    await watch(engine.app);
    await engine.drain();
    expect(await syncsOf(engine)).toHaveLength(2);
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  });

  it('runs the other way after a failover, from the first backup of the hub in use on', async () => {
    const engine = aSyncingEngine();
    await syncOnce(engine);
    engine.advance(60_000);
    await restore(engine, { activate: true, confirm: 'three/devices' });
    const before = contentOf(engine.primary);
    await watch(engine.app);
    await engine.drain();
    expect(await syncsOf(engine)).toHaveLength(1);
    expect(contentOf(engine.primary)).toEqual(before);
    register(engine.secondary, '1009-5-1', ['new']);
    engine.secondary.rows.delete('19-5-1');
    expect(await syncOnce(engine)).toMatchObject({
      status: 'Succeeded',
      target: { namespace: 'one' },
      counts: { created: 1, withdrawn: 1 },
    });
    expect(contentOf(engine.primary)).toEqual(contentOf(engine.secondary));
  });

  it('a standby that is in step can be declared to be in use without another restore', async () => {
    const engine = aSyncingEngine();
    await syncOnce(engine);
    const declared = declareRole(engine.app, { active: 'secondary', confirm: 'three/devices' });
    expect(await declared).toMatchObject({ active: { namespace: 'three' } });
  });
});
