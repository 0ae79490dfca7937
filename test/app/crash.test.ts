import { expect, test } from 'vitest';
import type { App } from '../../src/app/app.ts';
import { runStep } from '../../src/app/run-step.ts';
import { findLatestGood } from '../../src/app/snapshots.ts';
import { startBackup } from '../../src/app/start-backup.ts';
import { startRestore } from '../../src/app/start-restore.ts';
import { readRestoreView } from '../../src/app/view-restore.ts';
import { watchRuns } from '../../src/app/watch-runs.ts';
import { canonicalRow } from '../../src/core/registration.ts';
import { parseRestoreRequest } from '../../src/core/restore-request.ts';
import { parseStep } from '../../src/core/step.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { anAppleRow, anInstallation } from '../support/rows.ts';

/** The process dies here: nothing of the engine may catch this and go on. */
class Crash extends Error {}

interface CrashPoint {
  /** The write at which to die, counted from 1; 0 never dies. */
  readonly at: number;
  /** Whether that write still takes effect. */
  readonly isApplied: boolean;
}

/** An engine that dies at one of its writes: blob, queue or hub. */
function createMortalEngine({ at, isApplied }: CrashPoint): { engine: Engine; writeCount: () => number } {
  let count = 0;
  const mortal = async <T>(write: () => Promise<T>): Promise<T> => {
    count += 1;
    if (count !== at) return write();
    if (isApplied) await write();
    throw new Crash();
  };
  const engine = createEngine({
    wrap: ({ blobs, queue, primary, secondary }): Partial<App> => ({
      blobs: {
        ...blobs,
        put: (...args) => mortal(() => blobs.put(...args)),
        remove: (...args) => mortal(() => blobs.remove(...args)),
      },
      queue: { send: (...args) => mortal(() => queue.send(...args)) },
      primary,
      secondary: {
        ...secondary,
        putRegistration: (...args) => mortal(() => secondary.putRegistration(...args)),
        putInstallation: (...args) => mortal(() => secondary.putInstallation(...args)),
        createRegistrationId: (...args) => mortal(() => secondary.createRegistrationId(...args)),
      },
    }),
  });
  return { engine, writeCount: () => count };
}

/** Delivers messages as the host does: one whose step died comes again. The watchdog ticks when all is quiet. */
async function deliverAll(engine: Engine): Promise<void> {
  for (let round = 0; round < 4; round++) {
    for (let nextAt = engine.queue.nextAt(); nextAt !== undefined; nextAt = engine.queue.nextAt()) {
      engine.advance(Math.max(0, nextAt - engine.app.clock.now()));
      for (const text of engine.queue.take()) {
        await runStep(engine.app, parseStep(JSON.parse(text))).catch(async (error: unknown) => {
          if (!(error instanceof Crash)) throw error;
          await engine.queue.send([text]);
        });
      }
    }
    engine.advance(100_000);
    await survive(() => watchRuns(engine.app));
  }
}

async function survive<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Crash) return undefined;
    throw error;
  }
}

function seed(engine: Engine): void {
  for (let index = 0; index < 6; index++) {
    for (const [id, xml] of anInstallation(`device-${index}`)) engine.primary.rows.set(id, xml);
    engine.primary.rows.set(`${index}9-5-1`, anAppleRow({ id: `${index}9-5-1`, tags: ['plain'] }));
  }
  engine.secondary.refusesForeignIds = true;
}

function content(hub: { rows: Map<string, string> }): string[] {
  return [...hub.rows.values()].map(canonicalRow).sort();
}

/** Backs up and restores; whoever asks repeats what got no answer, as a timer and a person do. */
async function backUpAndRestore(engine: Engine): Promise<void> {
  seed(engine);
  const { primary } = engine.app;
  for (let tries = 0; (await findLatestGood(engine.app, primary.ref)) === undefined && tries < 3; tries++) {
    await survive(() => startBackup(engine.app, 'timer').catch(ignoreRunning));
    await deliverAll(engine);
  }
  const request = parseRestoreRequest('');
  for (let tries = 0; tries < 3; tries++) {
    await survive(() => startRestore(engine.app, request, { id: 'drill' }));
    await deliverAll(engine);
  }
}

function ignoreRunning(error: unknown): void {
  if (error instanceof Error && 'code' in error && error.code === 'RunInProgress') return;
  throw error;
}

test('dying at any write of a backup and a restore, before or after it takes effect, ends in the same hub', async () => {
  const calm = createMortalEngine({ at: 0, isApplied: false });
  await backUpAndRestore(calm.engine);
  const expected = content(calm.engine.secondary);
  expect(expected).toEqual(content(calm.engine.primary));
  const boundaries = calm.writeCount();
  for (let at = 1; at <= boundaries; at++) {
    for (const isApplied of [false, true]) {
      const { engine } = createMortalEngine({ at, isApplied });
      await backUpAndRestore(engine);
      const where = `write ${at} of ${boundaries}, ${isApplied ? 'applied' : 'not applied'}`;
      expect(content(engine.secondary), where).toEqual(expected);
      const view = await readRestoreView(engine.app, 'drill');
      expect(view, where).toMatchObject({ status: 'Succeeded', counts: { total: 12, pending: 0, failed: 0 } });
    }
  }
  console.log(`write boundaries covered: ${boundaries}, each before and after it takes effect`);
}, 120_000);
