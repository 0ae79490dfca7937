import { expect, test } from 'vitest';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { renewAll } from '../../src/app/runs/lease.ts';
import { DrError } from '../../src/core/errors.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { backUp } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { anAppleRow } from '../support/rows.ts';

interface Look {
  readonly atMs: number;
  readonly percent: number;
  readonly etaSeconds: number | undefined;
  readonly isWaiting: boolean;
}

interface Weather {
  readonly devices: number;
  /** Writes a second once that number was made. */
  readonly rate: (writes: number) => number;
  /** After that number of writes the hub is away for a while. */
  readonly away?: { readonly after: number; readonly seconds: number };
}

async function aBackedUpEngine(devices: number): Promise<Engine> {
  const engine = createEngine();
  for (let index = 0; index < devices; index++) {
    const id = `${index}-5-1`;
    engine.primary.rows.set(id, anAppleRow({ id, tags: [`n${index}`] }));
  }
  await backUp(engine);
  return engine;
}

/** What a restore shows each twentieth of its way, and when it was over. */
async function looksAt({ devices, rate, away }: Weather): Promise<{ looks: Look[]; endMs: number }> {
  const engine = await aBackedUpEngine(devices);
  const { app, secondary } = engine;
  const { run } = await startRestore(app, parseRestoreRequest(''));
  const looks: Look[] = [];
  const look = async (): Promise<void> => {
    const { percent, waiting, ...view } = await readRestoreView(app, run.id);
    const etaSeconds = 'etaSeconds' in view ? view.etaSeconds : undefined;
    looks.push({ atMs: app.world.now(), percent, etaSeconds, isWaiting: waiting !== undefined });
  };
  const { putRegistration, listPage } = secondary;
  let writes = 0;
  let backAtMs: number | undefined;
  secondary.putRegistration = async (...args) => {
    if (writes === away?.after) backAtMs ??= app.world.now() + away.seconds * 1000;
    if (backAtMs !== undefined && app.world.now() < backAtMs) {
      engine.advance(1000);
      await renewAll(app);
      throw new DrError('HubUnavailable', 'Away.', {
        retryable: true,
        seen: 'ECONNREFUSED',
        target: 'hub three/devices',
      });
    }
    writes += 1;
    // Whole milliseconds, as clocks give them.
    engine.advance(Math.round(1000 / rate(writes)));
    await renewAll(app);
    if (writes % Math.ceil(devices / 20) === 0) await look();
    return putRegistration(...args);
  };
  secondary.listPage = async (...args) => {
    engine.advance(40);
    return listPage(...args);
  };
  await engine.drain();
  const { finishedAt = '', status } = await readRestoreView(app, run.id);
  expect(status).toBe('Succeeded');
  return { looks, endMs: Date.parse(finishedAt) };
}

/** How far the shown time is from the truth, as a factor, at its worst. */
function worstOf(looks: readonly Look[], endMs: number): number {
  const factors = looks
    .filter(({ percent, isWaiting }) => percent >= 20 && !isWaiting)
    .map(({ etaSeconds = Number.NaN, atMs }) => etaSeconds / ((endMs - atMs) / 1000));
  expect(factors.length).toBeGreaterThan(8);
  return Math.max(...factors.map((factor) => Math.max(factor, 1 / factor)));
}

const steady = (perSecond: number) => () => perSecond;

test.each<[string, Weather]>([
  ['1 a second', { devices: 400, rate: steady(1) }],
  ['4 a second', { devices: 600, rate: steady(4) }],
  ['5 a second after a burst', { devices: 800, rate: (writes) => (writes < 60 ? 200 : 5) }],
  ['20 a second', { devices: 1500, rate: steady(20) }],
  ['50 a second', { devices: 3000, rate: steady(50) }],
  ['50 a second with bursts', { devices: 3000, rate: (writes) => (writes % 100 < 50 ? 500 : 27) }],
  ['125 a second', { devices: 3000, rate: steady(125) }],
  ['500 a second', { devices: 3000, rate: steady(500) }],
  ['a hub that grows slower', { devices: 2000, rate: (writes) => (writes < 300 ? 40 : 25) }],
  ['a hub that is away for four minutes', { devices: 2000, rate: steady(20), away: { after: 700, seconds: 240 } }],
])('the time left that is shown is within a factor of two of the truth from a fifth on: %s', async (_, weather) => {
  const { looks, endMs } = await looksAt(weather);
  // Before an outage its end is not known.
  const { away } = weather;
  const foreseeable = looks.filter(
    ({ percent }) => away === undefined || percent > (100 * away.after) / weather.devices,
  );
  expect(worstOf(foreseeable, endMs)).toBeLessThan(2);
});
