import { expect, test } from 'vitest';
import { createApi } from '../../local/api.ts';
import { openStack } from '../support/stack.ts';
import { backUp, expectEachDeviceOnce, quickSettings, slowDown, until, untilWritten, watchWrites } from './drive.ts';

test('with messages hidden for 10 minutes and timers kept for one, a killed host costs a restore less than 45 s beside another, and less than 75 s when it is the only one', async () => {
  // Steps of minutes, which write 13 devices a second.
  const settings = { ...quickSettings, STEP_BUDGET_SECONDS: '240', MAX_CONCURRENCY: '4' };
  await using stack = await openStack({ devices: 600, seed: 25, settings });
  const api = createApi(() => stack.host);
  await backUp(api);
  await slowDown(stack, 300);
  const first = stack.host;
  const second = await stack.startHost();
  const { id } = await api.start('/api/restores');
  await untilWritten(api, id, 50);
  const writes = watchWrites(stack);

  const tellsLost = (): boolean => second.output().includes('lost steps are enqueued again');
  await first.kill();
  await until('the steps of the dead host are enqueued again', tellsLost, 45_000);
  await second.kill();
  expect(writes.count()).toBeLessThan(600);
  await stack.startHost();
  await slowDown(stack, 0);
  const restored = await api.finished('restore', id, { timeoutMs: 100_000 });
  expect(restored).toMatchObject({ status: 'Succeeded', counts: { failed: 0, pending: 0 } });
  expect(await writes.end()).toBeLessThan(75_000);
  await expectEachDeviceOnce(stack);
}, 300_000);
