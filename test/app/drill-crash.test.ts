import { expect, test } from 'vitest';
import { startBackup } from '../../src/app/backup/start.ts';
import { advanceDrills } from '../../src/app/drill/advance.ts';
import { startDrill } from '../../src/app/drill/start.ts';
import { listDrillViews } from '../../src/app/drill/view.ts';
import { watchRuns } from '../../src/app/watchdog.ts';
import { seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { deliverWaiting, type Progress, rehearse, survive } from '../support/mortal-engine.ts';
import { deaths } from '../support/property-runs.ts';

/** The watchdog and a second try bring a drill to its end whose process dies. */
async function drillToEnd(engine: Engine, { isStarted, onMessage }: Progress): Promise<void> {
  const { app } = engine;
  if (!isStarted) await survive(() => startDrill(app, 'timer'));
  for (let tick = 0; tick < 12; tick += 1) {
    await deliverWaiting(engine, onMessage);
    const [newest] = (await listDrillViews(app)).value;
    if (newest?.verdict !== undefined) break;
    engine.advance(100_000);
    await survive(() => watchRuns(app));
    await survive(() => advanceDrills(app));
    if (newest === undefined) await survive(() => startDrill(app, 'timer'));
  }
}

test('dying at any write of a drill ends in a passed drill and an empty hub', async () => {
  const backedUp = createEngine({ hasScratchHub: true });
  seed(backedUp, 2);
  await startBackup(backedUp.app, 'http');
  await backedUp.drain();
  const { writeCount, dieAt } = await rehearse(backedUp, drillToEnd);
  expect(writeCount).toBeGreaterThan(60);
  for (let at = 1; at <= writeCount; at += 1) {
    for (const isApplied of deaths()) {
      const where = `write ${at} of ${writeCount}, ${isApplied ? 'applied' : 'not applied'}`;
      const engine = await dieAt(at, isApplied);
      expect(
        (await listDrillViews(engine.app)).value.map(({ verdict }) => verdict),
        where,
      ).toEqual(['Passed']);
      expect(engine.scratch.rows.size, where).toBe(0);
    }
  }
}, 120_000);
