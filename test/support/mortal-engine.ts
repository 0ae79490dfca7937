import type { App } from '../../src/app/app.ts';
import { runStep } from '../../src/app/run-step.ts';
import { watchRuns } from '../../src/app/watchdog.ts';
import { parseStep } from '../../src/core/run/step.ts';
import { createEngine, type Engine } from './engine.ts';

/** The process dies here: nothing of the engine may catch this and go on. */
class Crash extends Error {}

export interface CrashPoint {
  /** The write at which to die, counted from 1; 0 never dies. May be set while the engine runs. */
  at: number;
  /** Whether that write still takes effect. */
  readonly isApplied: boolean;
}

export interface MortalEngine {
  readonly engine: Engine;
  readonly writeCount: () => number;
  readonly hasDied: () => boolean;
}

/** An engine that dies at one of its writes: blob, queue or hub. It begins where `from` is. */
export function createMortalEngine(point: CrashPoint, from: Engine = createEngine()): MortalEngine {
  let count = 0;
  let hasDied = false;
  const mortal = async <T>(write: () => Promise<T>): Promise<T> => {
    count += 1;
    if (count !== point.at) return write();
    hasDied = true;
    if (point.isApplied) await write();
    throw new Crash();
  };
  const engine = from.fork(
    ({ blobs, queue, primary, secondary }): Partial<App> => ({
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
        deleteRegistration: (...args) => mortal(() => secondary.deleteRegistration(...args)),
        deleteInstallation: (...args) => mortal(() => secondary.deleteInstallation(...args)),
        createRegistrationId: (...args) => mortal(() => secondary.createRegistrationId(...args)),
      },
    }),
  );
  return { engine, writeCount: () => count, hasDied: () => hasDied };
}

/** Delivers messages as the host does: one whose step died comes again. The watchdog ticks when all is quiet. */
export async function deliverAll(engine: Engine): Promise<void> {
  for (let round = 0; round < 4; round++) {
    for (let nextAt = engine.queue.nextAt(); nextAt !== undefined; nextAt = engine.queue.nextAt()) {
      engine.advance(Math.max(0, nextAt - engine.app.world.now()));
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

/** `undefined` when the process died. */
export async function survive<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Crash) return undefined;
    throw error;
  }
}

/** Asking again for what is under way already is no fault of a caller that got no answer. */
export function ignoreRunning(error: unknown): void {
  if (error instanceof Error && 'code' in error && error.code === 'RunInProgress') return;
  throw error;
}
