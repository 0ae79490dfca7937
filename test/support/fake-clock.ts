import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../src/core/ports.ts';

export interface FakeClock extends Clock {
  /** Moves time on by so much, waking sleepers in the order of their times; each may sleep again on the way. */
  advance(milliseconds: number): Promise<void>;
  /** Moves time on to the next sleeper, again and again, until `work` is settled. Throws when nothing sleeps any more. */
  advanceUntil<T>(work: Promise<T>): Promise<T>;
  /** How many sleep at the moment. */
  readonly sleeperCount: number;
}

export interface FakeClockOptions {
  /** Epoch ms at the start. */
  readonly startAt?: number;
  /** Sleeping takes no real time: the clock jumps on by itself. For code whose waits do not matter to the test. */
  readonly isAutomatic?: boolean;
}

interface Sleeper {
  readonly wakeAt: number;
  readonly wake: () => void;
}

/** Time that only the test moves. */
export function createFakeClock(options: FakeClockOptions = {}): FakeClock {
  let now = options.startAt ?? Date.UTC(2026, 0, 1);
  /** By time, then by who slept first. */
  const sleepers: Sleeper[] = [];

  const sleep = (milliseconds: number): Promise<void> => {
    const wakeAt = now + Math.max(0, milliseconds);
    if (options.isAutomatic) {
      now = wakeAt;
      return Promise.resolve();
    }
    return new Promise((wake) => {
      const after = sleepers.findLastIndex((sleeper) => sleeper.wakeAt <= wakeAt);
      sleepers.splice(after + 1, 0, { wakeAt, wake });
    });
  };

  /** Wakes everybody due at the next time there is, and lets what they do come to rest. */
  const wakeNext = async (): Promise<void> => {
    now = Math.max(now, sleepers[0]?.wakeAt ?? now);
    while (sleepers[0] !== undefined && sleepers[0].wakeAt <= now) sleepers.shift()?.wake();
    await setImmediate();
  };

  return {
    now: () => now,
    sleep,
    get sleeperCount() {
      return sleepers.length;
    },
    async advance(milliseconds) {
      const until = now + milliseconds;
      await setImmediate();
      while (sleepers[0] !== undefined && sleepers[0].wakeAt <= until) await wakeNext();
      now = until;
    },
    async advanceUntil(work) {
      let isSettled = false;
      const settle = (): void => {
        isSettled = true;
      };
      work.then(settle, settle);
      await setImmediate();
      while (!isSettled) {
        if (sleepers.length === 0) throw new Error('everything waits, and nothing for the clock');
        await wakeNext();
      }
      return work;
    },
  };
}
