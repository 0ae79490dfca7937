import { describe, expect, test } from 'vitest';
import { drive, forcedRate, type HubModel } from './limiter-drive.ts';

const MOST_REFUSED = 0.05;

describe('against a limit', () => {
  const buckets: HubModel[] = [
    { limit: 50, burst: 10, latencyMs: 1, retryAfterMs: undefined },
    { limit: 50, burst: 10, latencyMs: 200, retryAfterMs: 1000 },
    { limit: 50, burst: 50, latencyMs: 20, retryAfterMs: 1000 },
    { limit: 500, burst: 10, latencyMs: 1, retryAfterMs: 1000 },
    { limit: 500, burst: 10, latencyMs: 20, retryAfterMs: undefined },
    { limit: 500, burst: 10, latencyMs: 20, retryAfterMs: 1000 },
    { limit: 500, burst: 100, latencyMs: 1, retryAfterMs: 1000 },
    { limit: 500, burst: 100, latencyMs: 20, retryAfterMs: undefined },
    { limit: 500, burst: 500, latencyMs: 5, retryAfterMs: 1000 },
    { limit: 500, burst: 2500, latencyMs: 20, retryAfterMs: 1000 },
  ];

  test.each(buckets)('settles within a tenth of it, with few refused: %o', async (hub) => {
    const run = await drive(hub, { seconds: 90 });
    expectNear(run.accepted(30, 90), hub.limit);
    expect(run.refusedShare).toBeLessThan(MOST_REFUSED);
  });

  test.each([
    { limit: 5000, burst: 500, latencyMs: 5, retryAfterMs: undefined },
    { limit: 5000, burst: 1000, latencyMs: 5, retryAfterMs: 1000 },
  ])('settles within a tenth of a high one: %o', async (hub) => {
    const run = await drive(hub, { seconds: 45 });
    expectNear(run.accepted(15, 45), hub.limit);
    expect(run.refusedShare).toBeLessThan(MOST_REFUSED);
  });

  test.each([
    { limit: 50, burst: 50, latencyMs: 20, retryAfterMs: 5000 },
    { limit: 500, burst: 100, latencyMs: 20, retryAfterMs: 5000 },
  ])('takes its time when a refusal costs five seconds: %o', async (hub) => {
    const run = await drive(hub, { seconds: 200 });
    expectNear(run.accepted(100, 200), hub.limit);
    expect(run.refusedShare).toBeLessThan(MOST_REFUSED);
  });

  test.each([
    { limit: 500, burst: 10, latencyMs: 2, retryAfterMs: 1000 },
    { limit: 500, burst: 100, latencyMs: 2, retryAfterMs: 1000 },
    { limit: 500, burst: 500, latencyMs: 20, retryAfterMs: 1000 },
  ])('twenty thousand writes end within 12 % of the least time, finding the limit included: %o', async (hub) => {
    const run = await drive(hub, { seconds: 90, total: 20_000 });
    expect(run.endedAtSeconds).toBeLessThan(1.12 * 40);
    expect(run.refusedShare).toBeLessThan(MOST_REFUSED);
  });

  test.each([
    { before: 500, after: 150, retryAfterMs: undefined },
    { before: 500, after: 150, retryAfterMs: 1000 },
    { before: 150, after: 600, retryAfterMs: undefined },
    { before: 150, after: 600, retryAfterMs: 1000 },
  ])('follows one that changes within fifty seconds: %o', async ({ before, after, retryAfterMs }) => {
    const limit = (nowMs: number): number => (nowMs < 30_000 ? before : after);
    const run = await drive({ limit, burst: 50, latencyMs: 20, retryAfterMs }, { seconds: 110 });
    expectNear(run.accepted(80, 110), after);
    expect(run.refusedShare).toBeLessThan(MOST_REFUSED);
  });

  test.each([
    { limit: 500, burst: 10, latencyMs: 20, retryAfterMs: undefined },
    { limit: 500, burst: 100, latencyMs: 20, retryAfterMs: 1000 },
    { limit: 500, burst: 500, latencyMs: 20, retryAfterMs: 1000 },
  ])('two processes together come within 15 % of it: %o', async (hub) => {
    const run = await drive(hub, { seconds: 90, processCount: 2 });
    expect(run.accepted(30, 90) / hub.limit).toBeGreaterThan(0.85);
    expect(run.refusedShare).toBeLessThan(MOST_REFUSED);
  });
});

describe('refusals that come whatever the rate', () => {
  const hubs: HubModel[] = [0.005, 0.01, 0.02].flatMap((randomShare) =>
    [undefined, 1000].flatMap((retryAfterMs) => [2, 20].map((latencyMs) => ({ randomShare, retryAfterMs, latencyMs }))),
  );

  test.each(hubs)('cost their pauses and not much more: %o', async (hub) => {
    for (const seed of [1, 2]) {
      const run = await drive(hub, { seconds: 60, seed });
      expect(run.accepted(0, 60) / forcedRate(hub)).toBeGreaterThan(0.6);
    }
  });

  test('do not keep a hub from being found to have a limit, too', async () => {
    const hub = { limit: 500, burst: 100, randomShare: 0.005, latencyMs: 20, retryAfterMs: undefined };
    const run = await drive(hub, { seconds: 60 });
    expect(run.accepted(0, 60)).toBeGreaterThan(0.6 / (1 / 500 + 0.005 * 0.25));
    expect(run.refusedShare).toBeLessThan(MOST_REFUSED);
  });
});

test('a hub that refuses for a moment and then serves again is soon used in full', async () => {
  const limit = (nowMs: number): number => (nowMs > 5000 && nowMs < 7000 ? 10 : 100_000);
  const run = await drive({ limit, burst: 10, latencyMs: 20, retryAfterMs: 1000 }, { seconds: 40 });
  // 64 under way, 20 ms each.
  expect(run.accepted(25, 40)).toBeGreaterThan(0.9 * 3200);
});

function expectNear(rate: number, limit: HubModel['limit']): void {
  expect(rate / Number(limit)).toBeGreaterThanOrEqual(0.9);
  expect(rate / Number(limit)).toBeLessThanOrEqual(1.1);
}
