import { isOver, type Run } from '../../core/run/run.ts';
import type { App, HeldStep } from '../app.ts';
import { mayBeLost } from './lease.ts';
import { readRun } from './store.ts';
import { isAgainstRole, isSync } from './sync-rests.ts';

/**
 * Tells the writers of one step whether its run is over, or they must stop: another took it over, or the host stops. A sync
 * is over, too, when its target came into use.
 */
export interface EndWatch {
  /** Reads the run: whether it is over. */
  look(): Promise<boolean>;
  /** By what the last look found. One that is older than a second is repeated meanwhile. */
  mustStop(): boolean;
  /** By what a look of the last second found, or a new one: before a write that had to wait for something else. */
  mustStopNow(): Promise<boolean>;
}

const LOOK_EVERY_MS = 1000;
/** Runs remembered by one process. */
const REMEMBERED = 8;

/** All shards of the run that this process works on share its looks. */
export function watchEnd(app: App, { kind, id }: Run, held: Pick<HeldStep, 'isLost' | 'renewedAtMs'>): EndWatch {
  const { endLooks } = app.memory;
  const last = endLooks.get(id) ?? {
    isOver: false,
    atMs: Number.NEGATIVE_INFINITY,
    found: Promise.resolve(false),
  };
  // Set again, so that the first in the map is the one longest unused.
  endLooks.delete(id);
  endLooks.set(id, last);
  for (const oldest of [...endLooks.keys()].slice(0, -REMEMBERED)) endLooks.delete(oldest);

  const readEnd = async (): Promise<boolean> => {
    const run = await readRun(app, kind, id);
    last.isOver ||= run === undefined || isOver(run);
    last.isOver ||= run !== undefined && isSync(run) && (await isAgainstRole(app, run));
    return last.isOver;
  };
  const look = (): Promise<boolean> => {
    last.atMs = app.world.now();
    last.found = readEnd();
    return last.found;
  };
  const isOld = (): boolean => !last.isOver && app.world.now() - last.atMs >= LOOK_EVERY_MS;
  const isStopped = (): boolean => mayBeLost(app, held) || app.memory.isStopping;
  return {
    look,
    mustStop() {
      // What keeps the run from being read also fails the step's next save, which is awaited.
      if (isOld()) look().catch(() => {});
      return last.isOver || isStopped();
    },
    mustStopNow: async () => (await (isOld() ? look() : last.found)) || isStopped(),
  };
}
