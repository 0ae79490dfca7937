import { expect, test } from 'vitest';
import { RateFinder } from '../../src/hub/pace/rate-finder.ts';
import { drive } from '../hub/limiter-drive.ts';

test('refusals at random are not read as a low limit: 2,000 writes, 1 % refused, are through in little more than their pauses', async () => {
  const hub = { randomShare: 0.01, latencyMs: 20, retryAfterMs: 1000 };
  const run = await drive(hub, { seconds: 600, total: 2000 });
  // About twenty refusals, a second each; read as a limit they cost two minutes.
  expect(run.endedAtSeconds).toBeLessThan(2000 * 0.01 * 1.6);
});

test('a refused burst after a lull does not set the rate to what was sent in the lull', () => {
  const finder = new RateFinder(0);
  let now = 0;
  const send = (count: number, perSecond: number): void => {
    for (let request = 0; request < count; request++) {
      now += 1000 / perSecond;
      finder.accepted(now);
    }
  };
  send(400, 800);
  finder.throttled(now + 1, now + 1, 250);
  now += 300;
  const held = finder.rate();
  finder.waited(10_000);
  // Little is asked for, though more would be let through.
  send(300, 50);
  finder.throttled(now + 1, now + 1, 250);
  expect(finder.rate()).toBeGreaterThanOrEqual(held);
});
