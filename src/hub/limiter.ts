import type { Clock, HubPace } from '../core/ports.ts';

/** Shared by every call to one hub from this process. */
export interface Limiter {
  /** Waits for a free place. False when none came free before the deadline (epoch ms). */
  enter(deadlineAt: number): Promise<boolean>;
  /** Gives the place back and says how the request went. */
  leave(answer: 'ok' | 'throttled' | 'failed', retryAfterMs?: number): void;
  pace(): HubPace;
}

export interface LimiterOptions {
  readonly maxConcurrency: number;
  readonly maxRequestsPerSecond?: number | undefined;
  readonly clock: Clock;
}

const START_CONCURRENCY = 16;
/** A throttle without Retry-After stops all calls for this long. */
const DEFAULT_PAUSE_MS = 250;
/** Throttle answers of requests sent before the last cut say nothing about the new rate. */
const CUT_INTERVAL_MS = 500;

/**
 * Finds the rate the hub takes, since it publishes none: additive increase, multiplicative decrease of the number of
 * requests in flight; Retry-After pauses all of them; a token bucket keeps the configured cap.
 */
export function createLimiter(options: LimiterOptions): Limiter {
  const { clock, maxConcurrency, maxRequestsPerSecond } = options;
  const waiting: (() => void)[] = [];
  let window = Math.min(START_CONCURRENCY, maxConcurrency);
  let inFlight = 0;
  let pausedUntil = 0;
  let lastCutAt = Number.NEGATIVE_INFINITY;
  let nextSlotAt = 0;
  let requestCount = 0;
  let throttledCount = 0;
  let lostMs = 0;

  /** How long the caller whose turn it is must still wait; 0 when it may go. */
  const waitMs = (): number => {
    const now = clock.now();
    if (pausedUntil > now) return pausedUntil - now;
    return maxRequestsPerSecond === undefined ? 0 : Math.max(0, nextSlotAt - now);
  };
  const wakeNext = (): void => {
    if (inFlight < Math.floor(window)) waiting.shift()?.();
  };
  const takePlace = (): void => {
    inFlight += 1;
    requestCount += 1;
    if (maxRequestsPerSecond === undefined) return;
    // At most one second's worth may be saved up while idle.
    nextSlotAt = Math.max(nextSlotAt, clock.now() - 1000) + 1000 / maxRequestsPerSecond;
  };
  const freePlace = async (deadlineAt: number): Promise<boolean> => {
    while (inFlight >= Math.floor(window)) {
      if (clock.now() >= deadlineAt) return false;
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    return true;
  };

  return {
    async enter(deadlineAt) {
      for (;;) {
        if (!(await freePlace(deadlineAt))) {
          wakeNext();
          return false;
        }
        const wait = waitMs();
        if (wait === 0) {
          takePlace();
          wakeNext();
          return true;
        }
        if (clock.now() + wait >= deadlineAt) {
          wakeNext();
          return false;
        }
        await clock.sleep(wait);
      }
    },
    leave(answer, retryAfterMs) {
      inFlight -= 1;
      const now = clock.now();
      if (answer === 'throttled') {
        throttledCount += 1;
        if (now - lastCutAt >= CUT_INTERVAL_MS) {
          window = Math.max(1, window / 2);
          lastCutAt = now;
        }
        const until = now + (retryAfterMs ?? DEFAULT_PAUSE_MS);
        // Wall-clock time all callers stand still for: overlapping pauses count once.
        lostMs += Math.max(0, until - Math.max(now, pausedUntil));
        pausedUntil = Math.max(pausedUntil, until);
      } else if (answer === 'ok') {
        window = Math.min(maxConcurrency, window + 1 / window);
      }
      wakeNext();
    },
    pace: () => ({ requestCount, throttledCount, millisecondsLostToThrottling: Math.round(lostMs) }),
  };
}
