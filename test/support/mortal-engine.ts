import type { App } from '../../src/app/app.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import { watchRuns } from '../../src/app/watchdog.ts';
import { parseStep } from '../../src/core/run/step.ts';
import { createEngine, type Engine } from './engine.ts';

/** The process dies here: nothing of the engine may catch this and go on. */
class Crash extends Error {}

export interface CrashPoint {
  /** The write at which to die, counted from 1; 0 never dies. May be set while the engine runs. */
  at: number;
  /** Another one. */
  readonly again?: number;
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
    if (count !== point.at && count !== point.again) return write();
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
      queue: { ...queue, send: (...args) => mortal(() => queue.send(...args)) },
      primary,
      secondary: {
        ...secondary,
        putRegistration: (...args) => mortal(() => secondary.putRegistration(...args)),
        putInstallation: (...args) => mortal(() => secondary.putInstallation(...args)),
        deleteRegistration: (...args) => mortal(() => secondary.deleteRegistration(...args)),
        patchInstallation: (...args) => mortal(() => secondary.patchInstallation(...args)),
        deleteInstallation: (...args) => mortal(() => secondary.deleteInstallation(...args)),
        createRegistrationId: (...args) => mortal(() => secondary.createRegistrationId(...args)),
      },
    }),
  );
  return { engine, writeCount: () => count, hasDied: () => hasDied };
}

export interface Progress {
  /** The engine begins between two messages of the first delivery. */
  readonly isStarted: boolean;
  /** Comes before each message of the first delivery. */
  readonly onMessage?: () => void;
}

export interface Rehearsal {
  /** As it ended without a crash. */
  readonly engine: Engine;
  readonly writeCount: number;
  /** What becomes of the engine that dies at this write, counted from 1, and at another one that many writes later. */
  readonly dieAt: (at: number, isApplied: boolean, gap?: number) => Promise<Engine>;
}

/**
 * Does the work without a crash, and then with one at any of its writes. What comes before the step that dies is done
 * once for all of them.
 */
export async function rehearse(
  from: Engine,
  work: (engine: Engine, progress: Progress) => Promise<void>,
): Promise<Rehearsal> {
  const calm = createMortalEngine({ at: 0, isApplied: false }, from);
  const checkpoints = [{ engine: from, writes: 0, isStarted: false }];
  const onMessage = (): void =>
    void checkpoints.push({ engine: calm.engine.fork(), writes: calm.writeCount(), isStarted: true });
  await work(calm.engine, { isStarted: false, onMessage });
  return {
    engine: calm.engine,
    writeCount: calm.writeCount(),
    async dieAt(at, isApplied, gap) {
      const before = checkpoints.findLast(({ writes }) => writes < at);
      if (before === undefined) throw new Error(`There is no write ${at}.`);
      const point = { at: at - before.writes, isApplied };
      const again = gap === undefined ? {} : { again: point.at + gap };
      const { engine, hasDied } = createMortalEngine({ ...point, ...again }, before.engine);
      await work(engine, { isStarted: before.isStarted });
      if (!hasDied()) throw new Error(`Nothing died at write ${at}.`);
      return engine;
    },
  };
}

/** Delivers messages as the host does: one whose step died comes again. The watchdog ticks when all is quiet. */
export async function deliverAll(engine: Engine, onMessage?: () => void): Promise<void> {
  for (let round = 0; round < 4; round++) {
    await deliverWaiting(engine, round === 0 ? onMessage : undefined);
    engine.advance(100_000);
    await survive(() => watchRuns(engine.app));
  }
}

export async function deliverWaiting({ app, queue, advance }: Engine, onMessage?: () => void): Promise<void> {
  for (let nextAt = queue.nextAt(); nextAt !== undefined; nextAt = queue.nextAt()) {
    advance(Math.max(0, nextAt - app.world.now()));
    onMessage?.();
    for (const text of queue.take(1)) {
      await runStep(app, parseStep(JSON.parse(text))).catch(async (error: unknown) => {
        if (!(error instanceof Crash)) throw error;
        await queue.putBack([text]);
      });
    }
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

/** The caller repeats what got no answer, as a timer or a person does, until it is done. */
export async function persist(
  engine: Engine,
  { isStarted, onMessage }: Progress,
  start: () => Promise<unknown>,
  isDone = async (): Promise<boolean> => false,
): Promise<void> {
  for (let tries = 0; !(await isDone()) && tries < 3; tries++) {
    const isResumed = isStarted && tries === 0;
    if (!isResumed) await survive(start);
    await deliverAll(engine, tries === 0 ? onMessage : undefined);
  }
}

/** Asking again for what is under way already is no fault of a caller that got no answer. */
export function ignoreRunning(error: unknown): void {
  if (error instanceof Error && 'code' in error && error.code === 'RunInProgress') return;
  throw error;
}
