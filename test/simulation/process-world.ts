import type { World } from '../../src/core/ports.ts';
import { type Process, runAs } from './net.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

const SAME_CLOCK_MS = 2000;

/** How far the storage's clock is ahead, as its answers tell a process; less is no difference, since it says whole seconds. */
export function aheadOf(storageMs: number, ownMs: number): number {
  const ms = storageMs - ownMs;
  return Math.abs(ms) > SAME_CLOCK_MS ? ms : 0;
}

/** The `World` of one life of a process: nothing happens in it any more once that has died, or while it is frozen. */
export function createProcessWorld(
  process: Process,
  { scheduler, random, aheadMs }: { scheduler: Scheduler; random: Random; aheadMs: () => number },
): World {
  const { epoch } = process;
  const wake = (resolve: () => void): void => {
    if (process.epoch !== epoch) return;
    if (process.pausedUntil > scheduler.now) scheduler.at(process.pausedUntil, () => wake(resolve));
    else resolve();
  };
  const repeat: World['repeat'] = (everyMs, work) => {
    let isStopped = false;
    const next = (): void => scheduler.after(everyMs, () => wake(act));
    const act = (): void => {
      if (!isStopped) runAs({ process, epoch, runId: undefined, pass: 0 }, work).then(next);
    };
    next();
    return () => {
      isStopped = true;
    };
  };
  return {
    repeat,
    now: () => scheduler.now + process.skewMs,
    storageNow: () => scheduler.now + process.skewMs + aheadMs(),
    sleep: (milliseconds) => new Promise((resolve) => scheduler.after(milliseconds, () => wake(resolve))),
    nextTurn: () => Promise.resolve(),
    newSuffix: () => random.below(0x1000000).toString(16).padStart(6, '0'),
    // As they are: compressed bytes differ from one version of zlib to the next, and cost most of the time.
    gzip: (bytes) => Promise.resolve(bytes),
    gunzip: (bytes) => Promise.resolve(bytes),
  };
}
