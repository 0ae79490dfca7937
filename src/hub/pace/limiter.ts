import type { Clock, HubPace } from '../../core/ports.ts';
import { RateFinder } from './rate-finder.ts';

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

/** All wait this long after a throttle answer that names no time. */
const DEFAULT_PAUSE_MS = 250;
/** No call waits here for a longer pause: callers give their places to others, and come again. */
const MAX_PAUSE_MS = 8000;
/** A hub is silent when this many calls in a row had no answer, after at least the given time, in which no other had one. */
const SILENT_AFTER = 2;
const SILENCE_MS = 8000;
/** A silent hub is left alone for this long, then tried by one call; the others follow when that is answered. */
const SILENT_PAUSE_MS = 10_000;
/** What timers that fire late may catch up: more would be a burst. */
const CATCH_UP_MS = 50;
/** What may be sent at once after a lull, in time at the rate. */
const BURST_MS = 20;
/** Without a request for this long, earlier answers tell nothing of the limit. */
const IDLE_MS = 1000;
/** A hub that throttled is tried at a higher rate before this, and shows then whether it still does. */
const THROTTLED_MS = 60_000;

/** No call is let through for longer than it is worth waiting. */
interface Refusal {
  /** As causes are named. */
  readonly seen: string;
  readonly retryAfterMs: number;
}

interface Waiter {
  readonly deadlineAt: number;
  readonly resolve: (permit: Permit | undefined) => void;
}

/**
 * Shared by every call to one hub from this process. Callers are served in the order they came.
 *
 * Finds the rate the hub takes, since it publishes none. Requests are spaced in time, from the first on and ever closer
 * until the hub throttles, then at the rate it is found to accept; Retry-After makes all callers wait. Spacing rather
 * than fewer in flight is what settles: at a few milliseconds a call even a single one in flight can be more than a hub
 * allows.
 */
export class Limiter {
  readonly #clock: Clock;
  readonly maxConcurrency: number;
  readonly #cap: number;
  readonly #finder: RateFinder;
  readonly #waiting: Waiter[] = [];
  /** No waiting call's deadline is before this, so that most holds need not check every call. */
  #firstDeadlineAt = Number.POSITIVE_INFINITY;
  #inFlight = 0;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  /** When the next request may be sent, by the rate. */
  #nextAt = Number.NEGATIVE_INFINITY;
  /** When the queue of waiting calls is checked again. */
  #wakeAt = Number.POSITIVE_INFINITY;
  #lastReleaseAt: number;
  #requestCount = 0;
  #throttledCount = 0;
  #lostMs = 0;
  #lastAnswerAt: number | undefined;
  /** Since the last answer. */
  #silentCount = 0;
  #silentUntil = Number.NEGATIVE_INFINITY;
  #lastThrottledAt = Number.NEGATIVE_INFINITY;
  /** Since when the first in line waits for a pause or the rate. */
  #heldSince: number | undefined;

  constructor({ maxConcurrency, maxRequestsPerSecond, clock }: LimiterOptions) {
    this.#clock = clock;
    this.maxConcurrency = maxConcurrency;
    this.#cap = maxRequestsPerSecond ?? Number.POSITIVE_INFINITY;
    this.#finder = new RateFinder(clock.now());
    this.#lastReleaseAt = clock.now();
    this.#nextAt = clock.now() - BURST_MS;
  }

  /** While the hub wants to be left alone for long, or is silent. */
  refusal(): Refusal | undefined {
    const now = this.#clock.now();
    const pauseMs = this.#pausedUntil - now;
    if (pauseMs > MAX_PAUSE_MS) return { seen: 'throttled', retryAfterMs: pauseMs };
    if (this.#silentCount < SILENT_AFTER || (now >= this.#silentUntil && this.#inFlight === 0)) return undefined;
    return { seen: 'no answer in time', retryAfterMs: Math.max(SILENT_PAUSE_MS, this.#silentUntil - now) };
  }

  /**
   * Waits until a request may be sent; `undefined` when that is not before the deadline (epoch ms), or for a refusal. A
   * `look` is to show whether the hub answers at all: it goes to one that is silent.
   */
  acquire(deadlineAt: number, purpose: 'work' | 'look' = 'work'): Promise<Permit | undefined> {
    const now = this.#clock.now();
    if (this.refusal() !== undefined) {
      const isSilent = this.#pausedUntil - now <= MAX_PAUSE_MS;
      return Promise.resolve(isSilent && purpose === 'look' ? this.#permit(now) : undefined);
    }
    const isIdle = this.#inFlight === 0 && this.#waiting.length === 0;
    if (isIdle && now - this.#lastReleaseAt > IDLE_MS) this.#finder.idle(now);
    // Also where the hub leaves others unanswered meanwhile.
    if (this.#waiting.length === 0) this.#nextAt = Math.max(this.#nextAt, now - BURST_MS);
    const isFree = this.#waiting.length === 0 && this.#inFlight < this.maxConcurrency;
    // No call is waiting, so there is nothing to do.
    if (isFree && Math.max(this.#pausedUntil, this.#nextAt) <= now && deadlineAt > now) {
      return Promise.resolve(this.#permit(now));
    }
    return new Promise((resolve) => {
      this.#waiting.push({ deadlineAt, resolve });
      this.#firstDeadlineAt = Math.min(this.#firstDeadlineAt, deadlineAt);
      this.#serve();
    });
  }

  pace(): HubPace {
    const held = this.#heldSince === undefined ? 0 : this.#lostSince(this.#heldSince, this.#clock.now());
    const isThrottled = this.#clock.now() - this.#lastThrottledAt < THROTTLED_MS;
    return {
      requestCount: this.#requestCount,
      throttledCount: this.#throttledCount,
      millisecondsLostToThrottling: Math.round(this.#lostMs + held),
      lastAnswerAt: this.#lastAnswerAt,
      requestsPerSecond: isThrottled ? this.#finder.rate() : undefined,
    };
  }

  /** Releases the calls whose turn it is, and schedules the next check. */
  #serve(): void {
    const now = this.#clock.now();
    this.#stopHolding(now);
    if (this.#waiting.length > 0 && this.refusal() !== undefined) this.#refuse(() => true);
    while (this.#waiting.length > 0 && this.#inFlight < this.maxConcurrency) {
      const dueAt = Math.max(this.#pausedUntil, this.#nextAt);
      if (dueAt > now) {
        this.#hold(now, dueAt);
        return;
      }
      const next = this.#waiting.shift();
      next?.resolve(next.deadlineAt <= now ? undefined : this.#permit(now));
    }
  }

  #permit(sentAt: number): Permit {
    this.#inFlight += 1;
    this.#requestCount += 1;
    const rate = Math.min(this.#cap, this.#finder.rate());
    this.#nextAt = Math.max(this.#nextAt, sentAt - CATCH_UP_MS) + 1000 / rate;
    return {
      release: (answer, retryAfterMs) => {
        this.#inFlight -= 1;
        this.#lastReleaseAt = this.#clock.now();
        this.#noteAnswer(answer, sentAt);
        // What the hub fails at it has not refused for the rate.
        if (answer === 'throttled') this.#throttled(sentAt, retryAfterMs);
        else this.#finder.accepted(sentAt);
        this.#serve();
      },
    };
  }

  #noteAnswer(answer: Parameters<Permit['release']>[0], sentAt: number): void {
    const now = this.#lastReleaseAt;
    if (answer !== 'failed') {
      this.#lastAnswerAt = now;
      this.#silentCount = 0;
    } else if (now - Math.max(sentAt, this.#lastAnswerAt ?? sentAt) >= SILENCE_MS) {
      this.#silentCount += 1;
      this.#silentUntil = now + SILENT_PAUSE_MS;
    }
  }

  #throttled(sentAt: number, retryAfterMs: number | undefined): void {
    const now = this.#lastReleaseAt;
    this.#stopHolding(now);
    this.#throttledCount += 1;
    this.#lastThrottledAt = now;
    this.#pausedUntil = Math.max(this.#pausedUntil, now + (retryAfterMs || DEFAULT_PAUSE_MS));
    this.#finder.throttled(sentAt, now, this.#pausedUntil - now);
    this.#nextAt = Math.max(this.#nextAt, this.#pausedUntil);
  }

  /** No call may go before `dueAt`. Those for which that is too late are refused now. */
  #hold(now: number, dueAt: number): void {
    if (this.#firstDeadlineAt <= dueAt) this.#refuse(({ deadlineAt }) => deadlineAt <= dueAt);
    if (this.#waiting.length === 0) return;
    this.#heldSince = now;
    this.#wakeAtLatest(dueAt, now);
  }

  #refuse(isRefused: (waiter: Waiter) => boolean): void {
    const refused = this.#waiting.filter(isRefused);
    const others = this.#waiting.filter((waiter) => !isRefused(waiter));
    this.#waiting.splice(0, this.#waiting.length, ...others);
    this.#firstDeadlineAt = Math.min(...others.map(({ deadlineAt }) => deadlineAt));
    for (const { resolve } of refused) resolve(undefined);
  }

  #wakeAtLatest(at: number, now: number): void {
    if (this.#wakeAt <= at) return;
    this.#wakeAt = at;
    void this.#clock.sleep(Math.ceil(at - now)).then(() => {
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.#serve();
    });
  }

  /** The first in line has waited until now: in a pause the hub made, or for the rate. */
  #stopHolding(now: number): void {
    if (this.#heldSince === undefined) return;
    const paced = now - Math.min(now, Math.max(this.#heldSince, this.#pausedUntil));
    if (this.#finder.rate() < this.#cap) this.#finder.waited(paced);
    this.#lostMs += this.#lostSince(this.#heldSince, now);
    this.#heldSince = undefined;
  }

  /** Waiting for the rate is the hub's doing once it has throttled, and while the cap allows more. */
  #lostSince(since: number, now: number): number {
    if (this.#throttledCount > 0 && this.#finder.rate() < this.#cap) return now - since;
    return Math.max(0, Math.min(now, this.#pausedUntil) - since);
  }
}
