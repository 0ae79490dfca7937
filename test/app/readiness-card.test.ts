import { expect, test } from 'vitest';
import { type App, createMemory } from '../../src/app/app.ts';
import { startBackup } from '../../src/app/backup/start.ts';
import { noteOnCard } from '../../src/app/readiness/card-store.ts';
import { reviewReadiness } from '../../src/app/readiness/review.ts';
import { readStatus } from '../../src/app/readiness/status.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { startVerification } from '../../src/app/snapshots/start-verification.ts';
import { findSnapshot } from '../../src/app/snapshots/store.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import { checksummed } from '../../src/app/stored/envelopes.ts';
import { watch } from '../../src/app/watchdog.ts';
import { DrError } from '../../src/core/errors.ts';
import type { Blobs } from '../../src/core/ports.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { parseStep } from '../../src/core/run/step.ts';
import { damages, flips, remembering, strike } from '../faults/damage.ts';
import { countingBlobs } from '../support/counting-blobs.ts';
import { backUp, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';

const CARD = '_status/one/devices/readiness.json';
const MINUTE_MS = 60_000;

/** An engine with a good snapshot at which the watchdog has just looked. */
async function aWatchedEngine(devices = 24, wrap?: (blobs: Blobs) => Blobs): Promise<Engine> {
  const engine = createEngine(wrap === undefined ? {} : { wrap: ({ blobs }) => ({ blobs: wrap(blobs) }) });
  seed(engine, devices);
  await backUp(engine);
  await watch(engine.app);
  return engine;
}

/** Without the card: as it is judged from where everything is kept. */
async function judgedAnew({ app }: Engine) {
  await noteOnCard(app, { kind: 'proof' });
  return readStatus(app);
}

async function isFromCard({ app }: Engine): Promise<boolean> {
  const { blobs, requestCount } = countingBlobs(app.blobs);
  await readStatus({ ...app, blobs });
  return requestCount() <= 3;
}

/** Delivers one message. */
async function step({ app, queue }: Engine): Promise<void> {
  const [first, ...others] = queue.take();
  if (first === undefined) throw new Error('There is no message.');
  await queue.putBack(others);
  await runStep(app, parseStep(JSON.parse(first)));
}

const codesOf = async ({ app }: Engine): Promise<string[]> => (await readStatus(app)).findings.map(({ code }) => code);

test('what the card shows is what would be judged again, at each step of a backup and a restore', async () => {
  const engine = await aWatchedEngine();
  const compare = async (): Promise<void> => {
    expect(await isFromCard(engine)).toBe(true);
    const { judgedAt: _, watchdog: __, ...shown } = await readStatus(engine.app);
    const { judgedAt: ___, watchdog: ____, ...again } = await judgedAnew(engine);
    expect(shown).toEqual(again);
  };
  engine.advance(1000);
  await startBackup(engine.app, 'http');
  await compare();
  while (engine.queue.nextAt() !== undefined) {
    await step(engine);
    await compare();
  }
  engine.advance(1000);
  await startRestore(engine.app, parseRestoreRequest(''));
  for (let nextAt = engine.queue.nextAt(); nextAt !== undefined; nextAt = engine.queue.nextAt()) {
    engine.advance(Math.max(0, nextAt - engine.app.world.now()));
    await compare();
    await step(engine);
  }
  await compare();
});

test('ages and what follows from them are those of the moment, not of the last look', async () => {
  const engine = await aWatchedEngine();
  const before = (await readStatus(engine.app)).latestGoodSnapshot?.ageSeconds ?? Number.NaN;
  engine.advance(100_000);
  const status = await readStatus(engine.app);
  expect(status.latestGoodSnapshot?.ageSeconds).toBe(before + 100);
  expect(status.atRisk?.minutes).toBeCloseTo((before + 100) / 60, 0);
  engine.advance(1.5 * 60 * MINUTE_MS - (before + 100) * 1000 - 30_000);
  await watch(engine.app);
  expect(await codesOf(engine)).toEqual(['NotProven']);
  engine.advance(MINUTE_MS);
  expect(await isFromCard(engine)).toBe(true);
  expect(await codesOf(engine)).toEqual(['SnapshotOld', 'BackupMissed', 'NotProven']);
});

test('a verification shows as soon as it is over', async () => {
  const engine = await aWatchedEngine();
  expect(await codesOf(engine)).toEqual(['NotProven']);
  await startVerification(engine.app, 'latest', 'http');
  await engine.drain();
  expect(await isFromCard(engine)).toBe(true);
  expect(await codesOf(engine)).toEqual([]);
});

test('a card older than three minutes is not believed, and one from a clock far ahead neither', async () => {
  for (const minutes of [3.1, -3.1]) {
    const engine = await aWatchedEngine();
    const manifest = await findSnapshot(engine.app, 'latest');
    engine.advance(minutes * MINUTE_MS);
    await engine.blobs.remove(`one/devices/snapshots/${manifest.id}/manifest.json`);
    expect((await readStatus(engine.app)).latestGoodSnapshot).toBeNull();
    expect(await isFromCard(engine), 'it is stored for those who ask next').toBe(true);
  }
});

test('a watchdog that is silent is reported, however often the status is read or a run ends, until it runs again', async () => {
  const engine = await aWatchedEngine();
  for (let minute = 0; minute < 5; minute += 1) {
    expect(await codesOf(engine)).toEqual(['NotProven']);
    engine.advance(MINUTE_MS);
  }
  engine.advance(MINUTE_MS);
  for (let asked = 0; asked < 3; asked += 1) {
    expect(await codesOf(engine)).toEqual(['NotProven', 'WatchdogSilent']);
    engine.advance(2 * MINUTE_MS);
  }
  await backUp(engine);
  const { verdict, findings } = await readStatus(engine.app);
  expect(verdict).toBe('AtRisk');
  expect(findings.at(-1)?.message).toContain('The watchdog has not looked for 13 minutes; it is due every 60 seconds.');
  await watch(engine.app);
  expect(await codesOf(engine)).toEqual(['NotProven']);
});

test.each([...damages, ...flips(1)])('a card that is damaged is judged and written again: %j', async (damage) => {
  let remembered = remembering(createEngine().blobs, new Map());
  const engine = await aWatchedEngine(24, (blobs) => {
    remembered = remembering(blobs, new Map());
    return remembered.blobs;
  });
  const older = remembered.history.get(CARD)?.slice(-1) ?? [];
  engine.advance(4 * MINUTE_MS);
  await watch(engine.app);
  await backUp(engine);
  const before = await readStatus(engine.app);
  const what = { name: /\/readiness\.json$/, sibling: /\/heartbeat-sent$/ };
  const history = new Map([...remembered.history, [CARD, [...older, ...older]]]);
  expect(await strike(engine.app.blobs, history, what, damage)).toContain(CARD);
  expect(await isFromCard(engine)).toBe(false);
  expect({ ...(await readStatus(engine.app)), watchdog: null }).toEqual({ ...before, watchdog: null });
  expect(await isFromCard(engine)).toBe(true);
});

test('a card of another version of the app, or for another target, is judged and written again', async () => {
  const engine = await aWatchedEngine();
  await engine.blobs.put(CARD, checksummed.wrap(CARD, { formatVersion: 2 }), 'any');
  expect(await codesOf(engine)).toEqual(['NotProven']);
  expect(await isFromCard(engine)).toBe(true);
  const other: App = { ...engine.app, secondary: { ...engine.secondary, ref: { namespace: 'four', hub: 'devices' } } };
  expect(await isFromCard({ ...engine, app: other })).toBe(false);
});

test('a run that moves on while the card is judged is not shown as it was before', async () => {
  const engine = await aWatchedEngine();
  const { id } = await startBackup(engine.app, 'http');
  let isFirst = true;
  const slow: Blobs = {
    ...engine.app.blobs,
    list: async (prefix) => {
      const entries = await engine.app.blobs.list(prefix);
      if (isFirst && prefix.startsWith('_alerts/')) {
        isFirst = false;
        await engine.drain();
      }
      return entries;
    },
  };
  await reviewReadiness({ ...engine.app, blobs: slow });
  expect(isFirst).toBe(false);
  expect(await isFromCard(engine)).toBe(true);
  const { lastBackup, latestGoodSnapshot } = await readStatus(engine.app);
  expect([lastBackup?.status, latestGoodSnapshot?.id]).toEqual(['Succeeded', id]);
});

test('a storage that takes no card costs the answer more requests, and no run anything', async () => {
  const warnings: string[] = [];
  const refuse = (name: string): void => {
    if (name === CARD) throw new DrError('StorageUnavailable', 'No.', { retryable: true });
  };
  const engine = createEngine({
    wrap: ({ blobs }) => ({
      blobs: {
        ...blobs,
        put: async (name, ...rest) => {
          refuse(name);
          return blobs.put(name, ...rest);
        },
      },
      log: { info: () => {}, warn: (message) => warnings.push(message), error: () => {} },
    }),
  });
  seed(engine);
  await backUp(engine);
  expect(await readStatus(engine.app)).toMatchObject({ verdict: 'AtRisk', lastBackup: { status: 'Succeeded' } });
  expect(warnings).toContain('readiness card not written');
});

test('the card is not read by the process that wrote it last, and is by another one', async () => {
  const engine = await aWatchedEngine();
  const other: App = { ...engine.app, memory: createMemory() };
  const { run } = await startRestore(engine.app, parseRestoreRequest(''));
  const note = async (app: App, pass: number): Promise<number> => {
    const { blobs, requestCount } = countingBlobs(app.blobs);
    await noteOnCard({ ...app, blobs }, { kind: 'run', run: { ...run, phase: { ...run.phase, pass } } });
    return requestCount();
  };
  expect(await note(engine.app, 2), 'a write').toBe(1);
  expect(await note(other, 3), 'a read and a write').toBe(2);
  expect(await note(engine.app, 4), 'a write in vain, a read and a write').toBe(3);
  expect(await note(engine.app, 5)).toBe(1);
  expect((await readStatus(other)).lastRestore).toMatchObject({ pass: 5 });
});
