import { expect, test } from 'vitest';
import { rehearseWorstNight } from '../../local/worst-night.ts';
import { openStack } from '../support/stack.ts';
import { quickSettings } from './drive.ts';

/** `npm run soak` does the same with 20,000 devices, and compares the time with that of a calm night. */
test('a backup is in flight when the primary dies: the restore into a slow secondary begins at once', async () => {
  const { STEP_BUDGET_SECONDS: _, ...settings } = quickSettings;
  const options = { devices: 300, seed: 12, writesPerSecond: 50, say: () => {} };
  await using stack = await openStack({ ...options, settings });
  const night = await rehearseWorstNight(stack, options);
  expect(night).toMatchObject({ verdict: 'pass', devices: { never: 0, moreThanOnce: 0, unexpected: 0 } });
  expect(night.firstWriteSeconds).toBeLessThan(10);
  // The floor is 300 devices at 50 a second.
  expect(night.restoreSeconds).toBeLessThan(60);
}, 180_000);
