import { expect, test } from 'vitest';
import { findRun } from '../../src/app/runs/store.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import { parseStep } from '../../src/core/run/step.ts';
import { aBackedUp, beginRestore } from '../support/drive.ts';

test('a run moves on at once though each of its messages came twice, whichever copy ends last', async () => {
  const engine = await aBackedUp(40);
  const id = await beginRestore(engine.app);
  const began = engine.app.world.now();
  for (let nextAt = engine.queue.nextAt(); nextAt !== undefined; nextAt = engine.queue.nextAt()) {
    engine.advance(Math.max(0, nextAt - engine.app.world.now()));
    const steps = engine.queue.take().map((text) => parseStep(JSON.parse(text)));
    await Promise.all([...steps, ...steps.toReversed()].map((step) => runStep(engine.app, step)));
  }
  expect(await findRun(engine.app, 'restore', id)).toMatchObject({ status: 'Succeeded', kicks: 0 });
  // The time that the target gets to settle, and no wait for a watch.
  expect(engine.app.world.now() - began).toBeLessThan(60_000);
  expect(engine.secondary.writes).toHaveLength(40);
});
