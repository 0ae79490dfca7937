import { seededRandom } from '../../local/emulator/random.ts';
import { createLimiter } from '../../src/hub/limiter.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';

export interface HubModel {
  /** Requests a second it takes, as a token bucket; none when absent. May change at a time. */
  readonly limit?: number | ((nowMs: number) => number);
  readonly burst?: number;
  /** Share of the requests refused whatever the rate. */
  readonly randomShare?: number;
  readonly latencyMs: number;
  readonly retryAfterMs: number | undefined;
}

export interface DriveOptions {
  readonly seconds: number;
  /** Limiters with a process's worth of callers each. */
  readonly processCount?: number;
  /** So many requests, then it is over. */
  readonly total?: number;
  readonly seed?: number;
}

export interface Drive {
  /** Accepted a second, between two times in seconds. */
  accepted(from: number, to: number): number;
  readonly refusedShare: number;
  readonly endedAtSeconds: number;
}

const MAX_CONCURRENCY = 64;
/** More callers than may have a request under way: there is always something to send. */
const CALLERS = 100;

/** Callers that always have something to send, through one limiter or several, against one hub; time is simulated. */
export async function drive(hub: HubModel, options: DriveOptions): Promise<Drive> {
  const { seconds, processCount = 1, seed = 1 } = options;
  const clock = createFakeClock({ startAt: 0 });
  const random = seededRandom(seed);
  const model = createModel(hub, clock, random);
  let open = options.total ?? Number.POSITIVE_INFINITY;
  let endedAt = 0;
  const limiters = Array.from({ length: processCount }, () =>
    createLimiter({ maxConcurrency: MAX_CONCURRENCY, clock }),
  );
  const callers = limiters.flatMap((limiter) =>
    Array.from({ length: CALLERS }, async () => {
      while (open > 0) {
        const permit = await limiter.acquire(seconds * 1000);
        if (permit === undefined) return;
        open -= 1;
        await clock.sleep((hub.latencyMs / 2) * (0.8 + 0.4 * random()));
        const isAccepted = model.takes();
        await clock.sleep(hub.latencyMs / 2);
        if (!isAccepted) open += 1;
        else endedAt = clock.now();
        permit.release(isAccepted ? 'accepted' : 'throttled', isAccepted ? undefined : hub.retryAfterMs);
      }
    }),
  );
  await clock.advanceUntil(Promise.all(callers));
  return {
    accepted: (from, to) => model.acceptedAt.filter((at) => at >= from * 1000 && at < to * 1000).length / (to - from),
    refusedShare: model.refused() / (model.acceptedAt.length + model.refused()),
    endedAtSeconds: endedAt / 1000,
  };
}

/** What an ideal client gets through a hub that refuses at random, when each refusal makes it pause: a second. */
export function forcedRate({ randomShare = 0, latencyMs, retryAfterMs = 250 }: HubModel): number {
  return 1 / (latencyMs / 1000 / MAX_CONCURRENCY + (randomShare * retryAfterMs) / 1000);
}

function createModel(hub: HubModel, clock: FakeClock, random: () => number) {
  const { limit = Number.POSITIVE_INFINITY, burst = 1, randomShare = 0 } = hub;
  const acceptedAt: number[] = [];
  let refusedCount = 0;
  let tokens = burst;
  let filledAt = 0;
  const takesToken = (): boolean => {
    const now = clock.now();
    const perSecond = typeof limit === 'number' ? limit : limit(now);
    tokens = Math.min(burst, tokens + ((now - filledAt) * perSecond) / 1000 || burst);
    filledAt = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
  return {
    acceptedAt,
    refused: () => refusedCount,
    takes(): boolean {
      const isAccepted = random() >= randomShare && takesToken();
      if (isAccepted) acceptedAt.push(clock.now());
      else refusedCount += 1;
      return isAccepted;
    },
  };
}
