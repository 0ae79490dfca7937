import type { Clock, HubPace } from '../core/ports.ts';
import { createRateFinder } from './rate-finder.ts';

/** Shared by every call to one hub from this process. Callers are served in the order they came. */
export interface Limiter {
  /** Waits until a request may be sent; `undefined` when that is not before the deadline (epoch ms). */
  acquire(deadlineAt: number): Promise<Permit | undefined>;
  pace(): HubPace;
}

/** Leave for one request; to be released exactly once, with what the hub answered. */
export interface Permit {
  release(answer: 'accepted' | 'throttled' | 'failed', retryAfterMs?: number): void;
}

export interface LimiterOptions {
  /** Most requests in flight. */
  readonly maxConcurrency: number;
  /** A cap on top of what the hub takes. */
  readonly maxRequestsPerSecond?: number | undefined;
  readonly clock: Clock;
}

const START_CONCURRENCY = 16;
/** All wait this long after a throttle answer that names no time. */
const DEFAULT_PAUSE_MS = 250;
/** What timers that fire late may catch up: more would be a burst. */
const CATCH_UP_MS = 20;
/** Without a request for this long, earlier answers tell nothing of the limit. */
const IDLE_MS = 1000;

interface Waiter {
  readonly deadlineAt: number;
  readonly resolve: (permit: Permit | undefined) => void;
}

/**
 * Finds the rate the hub takes, since it publishes none. Requests in flight begin at 16 and grow by one a round trip
 * up to the maximum. Once the hub throttles, requests are also spaced in time at the rate it is found to accept;
 * Retry-After makes all callers wait. Spacing rather than fewer in flight is what settles: at a few milliseconds a
 * call even a single request in flight can be more than a hub allows.
 */
export function createLimiter({ maxConcurrency, maxRequestsPerSecond, clock }: LimiterOptions): Limiter {
  const cap = maxRequestsPerSecond ?? Number.POSITIVE_INFINITY;
  const finder = createRateFinder(clock.now());
  const waiting: Waiter[] = [];
  let window = Math.min(START_CONCURRENCY, maxConcurrency);
  let inFlight = 0;
  let pausedUntil = Number.NEGATIVE_INFINITY;
  /** When the next request may be sent, by the rate. */
  let nextAt = Number.NEGATIVE_INFINITY;
  let wakeAt = Number.POSITIVE_INFINITY;
  let lastReleaseAt = clock.now();
  let requestCount = 0;
  let throttledCount = 0;
  let lostMs = 0;
  /** Since when the first in line waits for the hub's sake. */
  let heldSince: number | undefined;

  const stopHolding = (now: number): void => {
    if (heldSince !== undefined) lostMs += now - heldSince;
    heldSince = undefined;
  };

  const send = (now: number): Permit => {
    inFlight += 1;
    requestCount += 1;
    const rate = Math.min(cap, finder.rateAt(now));
    nextAt = Math.max(nextAt, now - CATCH_UP_MS) + 1000 / rate;
    return {
      release(answer, retryAfterMs) {
        inFlight -= 1;
        lastReleaseAt = clock.now();
        if (answer === 'accepted') accepted();
        else if (answer === 'throttled') throttled(now, retryAfterMs);
        serve();
      },
    };
  };

  const accepted = (): void => {
    finder.accepted(lastReleaseAt);
    window = Math.min(maxConcurrency, window + 1 / window);
  };

  const throttled = (sentAt: number, retryAfterMs: number | undefined): void => {
    throttledCount += 1;
    const now = clock.now();
    pausedUntil = Math.max(pausedUntil, now + (retryAfterMs || DEFAULT_PAUSE_MS));
    finder.throttled(sentAt, now, pausedUntil);
    nextAt = Math.max(nextAt, pausedUntil);
  };

  /** Lets those go whose turn it is, and sees to it that the next ones are looked at in time. */
  const serve = (): void => {
    const now = clock.now();
    while (waiting.length > 0 && inFlight < Math.floor(window)) {
      const dueAt = Math.max(pausedUntil, nextAt);
      if (dueAt > now) {
        hold(now, dueAt);
        return;
      }
      stopHolding(now);
      const next = waiting.shift();
      next?.resolve(next.deadlineAt <= now ? undefined : send(now));
    }
    stopHolding(now);
  };

  const hold = (now: number, dueAt: number): void => {
    // Nobody waits for a turn that comes too late for him.
    for (let index = waiting.length - 1; index >= 0; index--) {
      if ((waiting[index]?.deadlineAt ?? 0) <= dueAt) waiting.splice(index, 1)[0]?.resolve(undefined);
    }
    const isForTheHub = pausedUntil > now || finder.rateAt(now) < cap;
    if (waiting.length === 0 || !isForTheHub) stopHolding(now);
    else heldSince ??= now;
    if (waiting.length === 0 || wakeAt <= dueAt) return;
    wakeAt = dueAt;
    void clock.sleep(Math.ceil(dueAt - now)).then(() => {
      wakeAt = Number.POSITIVE_INFINITY;
      serve();
    });
  };

  return {
    acquire(deadlineAt) {
      const now = clock.now();
      if (inFlight === 0 && waiting.length === 0 && now - lastReleaseAt > IDLE_MS) finder.resample(now);
      return new Promise((resolve) => {
        waiting.push({ deadlineAt, resolve });
        serve();
      });
    },
    pace() {
      const held = heldSince === undefined ? 0 : clock.now() - heldSince;
      return { requestCount, throttledCount, millisecondsLostToThrottling: Math.round(lostMs + held) };
    },
  };
}
