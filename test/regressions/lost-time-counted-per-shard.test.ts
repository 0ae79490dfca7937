import { expect, test } from 'vitest';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { aBackedUp } from '../support/drive.ts';

test('time lost to throttling is counted once, however many shards wait for the same target', async () => {
  const engine = await aBackedUp(200);
  let lostMs = 90_000; // By an earlier run.
  engine.secondary.pace = () => ({ requestCount: 0, throttledCount: 0, millisecondsLostToThrottling: lostMs });
  engine.secondary.intercept = () => {
    lostMs += 50;
    return undefined;
  };
  const { run } = await startRestore(engine.app, parseRestoreRequest('{}'));
  // The messages of a phase are delivered side by side, as a host does.
  await engine.drainTogether();
  expect(await readRestoreView(engine.app, run.id)).toMatchObject({
    status: 'Succeeded',
    counts: { created: 200 },
    secondsLostToThrottling: 10,
  });
});
