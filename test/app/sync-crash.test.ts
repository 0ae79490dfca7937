import { expect, inject, test } from 'vitest';
import { listRuns } from '../../src/app/runs/store.ts';
import { advanceSync } from '../../src/app/standby-sync.ts';
import { isOver } from '../../src/core/run/run.ts';
import { isSyncRunId } from '../../src/core/run/sync.ts';
import { aBackedUp, backUp, contentOf } from '../support/drive.ts';
import type { Engine } from '../support/engine.ts';
import { type Progress, persist, rehearse } from '../support/mortal-engine.ts';
import { anAppleRow, anInstallation, tokenOf } from '../support/rows.ts';

/** Started as the end of a backup does, and the watchdog, until the second one is over. */
function sync(engine: Engine, progress: Progress): Promise<void> {
  const isDone = async (): Promise<boolean> => (await syncsOf(engine)).filter(isOver).length === 2;
  return persist(engine, progress, () => advanceSync(engine.app), isDone);
}

const syncsOf = ({ app }: Engine) => listRuns(app, 'restore', 9, isSyncRunId);

test('dying at any write of a sync ends with the hub in use in the standby, and one sync', async () => {
  const engine = await aBackedUp(4, { policy: { standbySync: 'afterBackup' } });
  const { primary } = engine;
  primary.rows.set('19-5-1', anAppleRow({ id: '19-5-1', tags: ['changed'], etag: 2 }));
  primary.rows.set('39-5-1', anAppleRow({ id: '39-5-1', token: tokenOf('moved'), etag: 2 }));
  primary.rows.set('99-5-1', anAppleRow({ id: '99-5-1' }));
  for (const [id] of anInstallation('device-2')) primary.rows.delete(id);
  engine.advance(3_600_000);
  await backUp({ ...engine, app: { ...engine.app, policy: { ...engine.app.policy, standbySync: 'off' } } });
  const calm = await rehearse(engine, sync);
  const expected = contentOf(calm.engine.primary);
  expect(contentOf(calm.engine.secondary)).toEqual(expected);
  for (let at = 1; at <= calm.writeCount; at++) {
    // The engine's own crash test tries all of them, both ways.
    if (at % 3 !== 1 && !inject('isSoak')) continue;
    const dead = await calm.dieAt(at, at % 2 === 0);
    const where = `write ${at} of ${calm.writeCount}`;
    expect(contentOf(dead.secondary), where).toEqual(expected);
    const ends = (await syncsOf(dead)).map(({ status }) => status);
    expect(ends, where).toEqual(['Succeeded', 'Succeeded']);
  }
}, 120_000);
