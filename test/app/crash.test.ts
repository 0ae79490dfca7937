import { expect, test } from 'vitest';
import { startBackup } from '../../src/app/backup/start.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { searchLatest } from '../../src/app/snapshots/store.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { contentOf } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { ignoreRunning, type Progress, persist, rehearse } from '../support/mortal-engine.ts';
import { deaths } from '../support/property-runs.ts';
import { anAppleRow, anInstallation } from '../support/rows.ts';

function seed(engine: Engine): void {
  for (let index = 0; index < 6; index++) {
    for (const [id, xml] of anInstallation(`device-${index}`)) engine.primary.rows.set(id, xml);
    engine.primary.rows.set(`${index}9-5-1`, anAppleRow({ id: `${index}9-5-1`, tags: ['plain'] }));
  }
  engine.secondary.refusesForeignIds = true;
}

function backUp(engine: Engine, progress: Progress): Promise<void> {
  const { app } = engine;
  const isDone = async () => (await searchLatest(app, app.primary.ref)).manifest !== undefined;
  return persist(engine, progress, () => startBackup(app, 'timer').catch(ignoreRunning), isDone);
}

function restore(engine: Engine, progress: Progress): Promise<void> {
  return persist(engine, progress, () => startRestore(engine.app, parseRestoreRequest(''), { id: 'drill' }));
}

test('dying at any write of a backup and a restore ends in the same hub', async () => {
  const seeded = createEngine();
  seed(seeded);
  const backup = await rehearse(seeded, backUp);
  const calm = await rehearse(backup.engine, restore);
  const expected = contentOf(calm.engine.secondary);
  expect(expected).toEqual(contentOf(calm.engine.primary));
  const boundaries = backup.writeCount + calm.writeCount;
  for (let at = 1; at <= boundaries; at++) {
    for (const isApplied of deaths()) {
      const isBackup = at <= backup.writeCount;
      const engine = await (isBackup ? backup.dieAt(at, isApplied) : calm.dieAt(at - backup.writeCount, isApplied));
      if (isBackup) await restore(engine, { isStarted: false });
      const where = `write ${at} of ${boundaries}, ${isApplied ? 'applied' : 'not applied'}`;
      expect(contentOf(engine.secondary), where).toEqual(expected);
      const view = await readRestoreView(engine.app, 'drill');
      expect(view, where).toMatchObject({ status: 'Succeeded', counts: { total: 12, pending: 0, failed: 0 } });
    }
  }
  console.log(`write boundaries covered: ${boundaries}`);
}, 120_000);
