import { seededRandom } from '../../local/emulator/random.ts';
import type { Clock } from '../../src/core/ports.ts';
import { Limiter } from '../../src/hub/pace/limiter.ts';

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
  /** This many requests, then it is over. */
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
  const { seconds, processCount = 1, seed = 1, total = Number.POSITIVE_INFINITY } = options;
  const time = createTimeline();
  const random = seededRandom(seed);
  const model = createModel(hub, time.clock, random);
  let open = total;
  let endedAt = 0;
  const call = async (limiter: Limiter): Promise<void> => {
    const permit = open > 0 ? await limiter.acquire(seconds * 1000) : undefined;
    if (permit === undefined) return;
    open -= 1;
    time.after((hub.latencyMs / 2) * (0.8 + 0.4 * random()), () => {
      const isAccepted = model.takes();
      time.after(hub.latencyMs / 2, () => {
        if (!isAccepted) open += 1;
        else endedAt = time.clock.now();
        permit.release(isAccepted ? 'accepted' : 'throttled', isAccepted ? undefined : hub.retryAfterMs);
        void call(limiter);
        return settle();
      });
    });
  };
  for (let process = 0; process < processCount; process += 1) {
    const limiter = new Limiter({ maxConcurrency: MAX_CONCURRENCY, clock: time.clock });
    for (let caller = 0; caller < CALLERS; caller += 1) void call(limiter);
  }
  await time.run();
  return {
    accepted: (from, to) => model.acceptedAt.filter((at) => at >= from * 1000 && at < to * 1000).length / (to - from),
    refusedShare: model.refused() / (model.acceptedAt.length + model.refused()),
    endedAtSeconds: endedAt / 1000,
  };
}

type Work = () => Promise<void> | undefined;

interface Timeline {
  readonly clock: Clock;
  /** What `work` gives is awaited before time moves on. */
  after(milliseconds: number, work: Work): void;
  /** Runs what is due, in the order of time, until nothing is left. */
  run(): Promise<void>;
}

/** Callbacks instead of promises: there are millions of them, and the limiter alone needs its microtasks run. */
function createTimeline(): Timeline {
  let now = 0;
  const events: { readonly at: number; readonly work: Work }[] = [];
  const after = (milliseconds: number, work: Work): void => {
    const at = now + Math.max(0, milliseconds);
    events.splice(events.findLastIndex((event) => event.at <= at) + 1, 0, { at, work });
  };
  return {
    clock: {
      now: () => now,
      sleep: (milliseconds) =>
        new Promise((resolve) =>
          after(milliseconds, () => {
            resolve();
            return settle();
          }),
        ),
    },
    after,
    async run() {
      await settle();
      for (let next = events.shift(); next !== undefined; next = events.shift()) {
        now = next.at;
        const settled = next.work();
        if (settled !== undefined) await settled;
      }
    },
  };
}

/** A limiter that wakes lets callers go, who then send: a few turns of the microtask queue. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await null;
}

/** What an ideal client gets through a hub that refuses at random, when each refusal makes it pause: a second. */
export function forcedRate({ randomShare = 0, latencyMs, retryAfterMs = 250 }: HubModel): number {
  return 1 / (latencyMs / 1000 / MAX_CONCURRENCY + (randomShare * retryAfterMs) / 1000);
}

function createModel(hub: HubModel, clock: Clock, random: () => number) {
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
