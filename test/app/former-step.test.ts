import { expect, test } from 'vitest';
import { startBackup } from '../../src/app/backup/start.ts';
import { findRun } from '../../src/app/runs/store.ts';
import { runFormerStep } from '../../src/app/steps/former-step.ts';
import { parseStep } from '../../src/core/run/step.ts';
import { seed } from '../support/drive.ts';
import { createEngine } from '../support/engine.ts';

const foreign =
  '{"formatVersion":1,"kind":"backup","runId":"20261123T090000Z-00000f","phase":"scan","pass":1,"attempt":0}';

test('a step of an earlier version is done, and what follows goes into the lane of its run', async () => {
  const engine = createEngine();
  seed(engine);
  const { id } = await startBackup(engine.app, 'timer');
  for (const text of engine.queue.take()) await engine.queue.send('former', [text]);
  for (const text of engine.queue.take(1, 'former')) await runFormerStep(engine.app, parseStep(JSON.parse(text)));
  expect(engine.queue.take(undefined, 'former')).toEqual([]);
  expect(await engine.queue.peek('backups')).not.toEqual([]);
  await engine.drain();
  expect(await findRun(engine.app, 'backup', id)).toMatchObject({ status: 'Succeeded' });
});

test('a step of the run of another app goes back for it, ever later, and after an hour no more', async () => {
  const engine = createEngine();
  const { queue } = engine;
  const startedAt = engine.app.world.now();
  await queue.send('former', [foreign]);
  let returns = -1;
  for (let nextAt = queue.nextAt(); nextAt !== undefined; nextAt = queue.nextAt()) {
    engine.advance(Math.max(0, nextAt - engine.app.world.now()));
    const [text = ''] = queue.take(1, 'former');
    // Any version reads what comes back: nothing but the count of tries has changed.
    expect({ ...JSON.parse(text), attempt: 0 }).toEqual(JSON.parse(foreign));
    await runFormerStep(engine.app, parseStep(JSON.parse(text)));
    returns += 1;
  }
  expect(returns).toBe(60);
  expect(engine.app.world.now() - startedAt).toBeGreaterThan(50 * 60_000);
  expect(queue.take()).toEqual([]);
});
