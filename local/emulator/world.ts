import { type Random, seededRandom, seedOf } from './random.ts';

/** All that a namespace takes from outside: time, delays and chance. A simulation brings its own. */
export interface World {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Calls back once this much of its time has passed. */
  readonly after: (milliseconds: number, run: () => void) => void;
  /** A stream of chance for one concern; streams of different names are independent. */
  readonly random: (name: string) => Random;
}

/** The machine's clock and timers, which keep no process alive; chance follows from the name alone. */
export const realWorld: World = {
  now: Date.now,
  after: (milliseconds, run) => {
    setTimeout(run, milliseconds).unref();
  },
  random: (name) => seededRandom(seedOf(name)),
};
