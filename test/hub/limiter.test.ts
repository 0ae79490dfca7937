import { describe, expect, test } from 'vitest';
import { Limiter, type Permit } from '../../src/hub/pace/limiter.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';

const NEVER = Number.POSITIVE_INFINITY;

function start(options: { maxConcurrency?: number; maxRequestsPerSecond?: number } = {}) {
  const clock = createFakeClock({ startAt: 0 });
  const limiter = new Limiter({ maxConcurrency: 64, clock, ...options });
  return { clock, limiter };
}

async function take(limiter: Limiter, count: number): Promise<Permit[]> {
  const permits = await Promise.all(Array.from({ length: count }, () => limiter.acquire(NEVER)));
  return permits.filter((permit) => permit !== undefined);
}

/** Asks without waiting for the answer. */
function ask(limiter: Limiter, deadlineAt = NEVER) {
  const state: { permit?: Permit | undefined; isAnswered: boolean } = { isAnswered: false };
  void limiter.acquire(deadlineAt).then((permit) => {
    state.permit = permit;
    state.isAnswered = true;
  });
  return state;
}

describe('requests in flight', () => {
  test('are never more than the maximum', async () => {
    const { clock, limiter } = start({ maxConcurrency: 20 });
    const asked = Array.from({ length: 40 }, () => ask(limiter));
    await clock.advance(10_000);
    expect(asked.filter(({ permit }) => permit !== undefined)).toHaveLength(20);
  });

  test('begin slowly and follow each other ever faster while none is refused', async () => {
    const { clock, limiter } = start();
    const sentAt = await sendAll(clock, limiter, { seconds: 1, latencyMs: 5, serve: () => undefined });
    const sent = (from: number, to: number) => sentAt.filter((at) => at >= from && at < to).length;
    expect(sent(0, 100)).toBeLessThan(80);
    expect(sent(200, 300)).toBeGreaterThan(1.5 * sent(100, 200));
    expect(sent(900, 1000)).toBeGreaterThan(1000);
  });

  test('are no burst after a lull, also where one is under way all the time', async () => {
    const { clock, limiter } = start({ maxRequestsPerSecond: 200 });
    await take(limiter, 1);
    await clock.advance(5000);
    const asked = Array.from({ length: 40 }, () => ask(limiter));
    await clock.advance(0);
    // What 20 ms are worth, and one.
    expect(asked.filter(({ permit }) => permit !== undefined)).toHaveLength(5);
  });

  test('are given out in the order they were asked for', async () => {
    const { clock, limiter } = start({ maxConcurrency: 1 });
    const [first] = await take(limiter, 1);
    const order: number[] = [];
    for (const number of [1, 2, 3]) {
      void limiter.acquire(NEVER).then((permit) => {
        order.push(number);
        permit?.release('accepted');
      });
    }
    first?.release('accepted');
    await clock.advance(0);
    expect(order).toEqual([1, 2, 3]);
  });
});

describe('a throttle answer', () => {
  test('makes everybody wait as long as the hub asked', async () => {
    const { clock, limiter } = start();
    const [permit] = await take(limiter, 1);
    permit?.release('throttled', 3000);
    const asked = [ask(limiter), ask(limiter)];
    await clock.advance(2999);
    expect(asked.every(({ isAnswered }) => !isAnswered)).toBe(true);
    await clock.advance(5000);
    expect(asked.every(({ permit: given }) => given !== undefined)).toBe(true);
  });

  test('is obeyed for a moment even when it names no time, or none', async () => {
    for (const retryAfterMs of [undefined, 0]) {
      const { clock, limiter } = start();
      const [permit] = await take(limiter, 1);
      permit?.release('throttled', retryAfterMs);
      const asked = ask(limiter);
      await clock.advance(249);
      expect(asked.isAnswered).toBe(false);
      await clock.advance(1);
      expect(asked.permit).toBeDefined();
    }
  });

  test('tells those at once whose deadline comes before their turn', async () => {
    const { clock, limiter } = start();
    const [permit] = await take(limiter, 1);
    const patient = ask(limiter, 10_000);
    permit?.release('throttled', 5000);
    const hasty = ask(limiter, 4000);
    await clock.advance(0);
    expect(hasty).toEqual({ isAnswered: true, permit: undefined });
    await clock.advance(5000);
    expect(patient.permit).toBeDefined();
  });

  test('counts once for all requests that were under way together', async () => {
    const { clock, limiter } = start();
    const pending: Permit[] = [];
    for (let request = 0; request < 100; request++) {
      pending.push(...(await take(limiter, 1)));
      await clock.advance(10);
      if (request < 90) pending.shift()?.release('accepted');
    }
    for (const permit of pending) permit.release('throttled');
    await clock.advance(250);
    // A hundred a second were accepted: the next go out at half that pace or more, and not at a tenth part of it.
    const asked = Array.from({ length: 40 }, () => ask(limiter));
    await clock.advance(100);
    const sent = asked.filter(({ permit }) => permit !== undefined);
    expect(sent.length).toBeGreaterThanOrEqual(5);
    expect(sent.length).toBeLessThanOrEqual(12);
  });
});

describe('someone whose deadline has passed', () => {
  test('is reported when a request in flight ends, and leaves nothing behind', async () => {
    const { clock, limiter } = start({ maxConcurrency: 1 });
    const [permit] = await take(limiter, 1);
    const late = ask(limiter, 1000);
    const next = ask(limiter);
    await clock.advance(2000);
    permit?.release('accepted');
    await clock.advance(0);
    expect(late).toEqual({ isAnswered: true, permit: undefined });
    expect(next.permit).toBeDefined();
    expect(clock.sleeperCount).toBe(0);
  });
});

describe('the configured cap', () => {
  test('holds in every second, and is not counted as time lost to throttling', async () => {
    const { clock, limiter } = start({ maxRequestsPerSecond: 50 });
    const sentAt = await sendAll(clock, limiter, { seconds: 10, latencyMs: 5, serve: () => undefined });
    for (let from = 0; from < 9000; from += 100) {
      expect(sentAt.filter((at) => at >= from && at < from + 1000).length).toBeLessThanOrEqual(51);
    }
    expect(sentAt.length).toBeGreaterThanOrEqual(490);
    expect(limiter.pace()).toMatchObject({
      requestCount: sentAt.length,
      throttledCount: 0,
      millisecondsLostToThrottling: 0,
      requestsPerSecond: undefined,
    });
  });
});

describe('the pace', () => {
  test('counts requests, throttle answers, and by the wall clock the time a call waited for the hub', async () => {
    const { clock, limiter } = start();
    const [a, b, c] = await take(limiter, 3);
    a?.release('accepted');
    b?.release('throttled', 2000);
    await clock.advance(500);
    expect(limiter.pace().millisecondsLostToThrottling).toBe(0);
    const asked = [ask(limiter), ask(limiter)];
    await clock.advance(500);
    expect(limiter.pace().millisecondsLostToThrottling).toBe(500);
    c?.release('throttled', 2000);
    await clock.advance(10_000);
    expect(asked.every(({ permit }) => permit !== undefined)).toBe(true);
    const { requestCount, throttledCount, millisecondsLostToThrottling } = limiter.pace();
    expect([requestCount, throttledCount]).toEqual([5, 2]);
    expect(millisecondsLostToThrottling).toBeGreaterThanOrEqual(2500);
    expect(millisecondsLostToThrottling).toBeLessThan(4500);
  });
});

interface Sending {
  readonly seconds: number;
  readonly latencyMs: number;
  /** The server's answer: `undefined` accepts, else a refusal. */
  readonly serve: () => { retryAfterMs: number | undefined } | undefined;
}

/** Two hundred callers that always have something to send. Answers when each request was sent. */
async function sendAll(clock: FakeClock, limiter: Limiter, { seconds, latencyMs, serve }: Sending): Promise<number[]> {
  const sentAt: number[] = [];
  const caller = async (): Promise<void> => {
    for (;;) {
      const permit = await limiter.acquire(seconds * 1000);
      if (permit === undefined) return;
      sentAt.push(clock.now());
      await clock.sleep(latencyMs / 2);
      const refusal = serve();
      await clock.sleep(latencyMs / 2);
      permit.release(refusal === undefined ? 'accepted' : 'throttled', refusal?.retryAfterMs);
    }
  };
  await clock.advanceUntil(Promise.all(Array.from({ length: 200 }, caller)));
  return sentAt;
}

describe('a hub that answers no call', () => {
  const silent = async () => {
    const { clock, limiter } = start();
    const permits = await take(limiter, 1);
    await clock.advance(1000);
    permits.push(...(await take(limiter, 1)));
    await clock.advance(30_000);
    for (const permit of permits) permit.release('failed');
    return { clock, limiter };
  };

  test('is left alone by all calls, which come again later', async () => {
    const { clock, limiter } = await silent();
    expect(await limiter.acquire(NEVER)).toBe(undefined);
    expect(limiter.refusal()).toEqual({ seen: 'no answer in time', retryAfterMs: 10_000 });
    await clock.advance(9999);
    expect(await limiter.acquire(NEVER)).toBe(undefined);
  });

  test('is tried by one call, and by all once that is answered', async () => {
    for (const answer of ['accepted', 'throttled', 'failed'] as const) {
      const { clock, limiter } = await silent();
      await clock.advance(10_000);
      const trial = await limiter.acquire(NEVER);
      expect(trial).not.toBe(undefined);
      expect(await limiter.acquire(NEVER)).toBe(undefined);
      await clock.advance(30_000);
      trial?.release(answer);
      expect(limiter.refusal() === undefined).toBe(answer !== 'failed');
    }
  });

  test('is asked by a look whether it answers, and serves all at once when it does', async () => {
    const { limiter } = await silent();
    expect(await limiter.acquire(NEVER)).toBe(undefined);
    const look = await limiter.acquire(NEVER, 'look');
    expect(look).not.toBe(undefined);
    look?.release('accepted');
    expect(await limiter.acquire(NEVER)).not.toBe(undefined);
  });

  test('is not one that answers others while many of its calls are without an answer', async () => {
    const { clock, limiter } = start();
    const without = await take(limiter, 3);
    await clock.advance(25_000);
    const [other] = await take(limiter, 1);
    other?.release('accepted');
    await clock.advance(5000);
    for (const permit of without) permit.release('failed');
    expect(limiter.refusal()).toBe(undefined);
  });

  test('is not one that refuses or cuts connections at once, or answers other calls', async () => {
    const { clock, limiter } = start();
    for (const [answer, ms] of [
      ['failed', 30_000],
      ['failed', 7000],
      ['accepted', 5],
      ['failed', 30_000],
    ] as const) {
      const [permit] = await take(limiter, 1);
      await clock.advance(ms);
      permit?.release(answer);
      expect(limiter.refusal()).toBe(undefined);
    }
  });
});
