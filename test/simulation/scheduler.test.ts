import { expect, test } from 'vitest';
import { randomOf } from './random.ts';
import { Scheduler } from './scheduler.ts';

test('virtual time is in whole milliseconds, like that of clocks, and no timer ends early', async () => {
  const scheduler = new Scheduler(1000, randomOf(1, 'test'));
  const times: number[] = [];
  scheduler.after(708.25, () => {
    times.push(scheduler.now);
    scheduler.after(0.5, () => times.push(scheduler.now));
  });
  await scheduler.run(() => false);
  expect(times).toEqual([1709, 1710]);
});
