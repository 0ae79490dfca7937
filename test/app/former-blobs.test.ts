import { expect, test } from 'vitest';
import { startBackup } from '../../src/app/backup/start.ts';
import { prune } from '../../src/app/prune.ts';
import { findRun, listRuns, readRun } from '../../src/app/runs/store.ts';
import { runFormerStep } from '../../src/app/steps/former-step.ts';
import { watch, watchRuns } from '../../src/app/watchdog.ts';
import { parseStep } from '../../src/core/run/step.ts';
import { codeOf, runToEnd, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';

/** An engine before whose first look an earlier version has begun a backup, which holds its lock. */
async function aFormerBackup(): Promise<{ readonly former: Engine; readonly id: string }> {
  const former = createEngine({ wrap: ({ container: blobs }) => ({ blobs }) });
  seed(former);
  const { id } = await startBackup(former.app, 'timer');
  return { former, id };
}

test('a run of an earlier version is found, holds its hub, and ends by the steps in the former queue', async () => {
  const { former, id } = await aFormerBackup();
  const engine = former.fork();
  expect(await codeOf(startBackup(engine.app, 'http'))).toBe('RunInProgress');
  const texts = engine.queue.take();
  await engine.queue.send('former', texts);
  for (const text of engine.queue.take()) await runFormerStep(engine.app, parseStep(JSON.parse(text)));
  await engine.drain();
  expect(await findRun(engine.app, 'backup', id)).toMatchObject({ status: 'Succeeded' });
  const { id: next } = await startBackup(engine.app, 'http');
  expect((await listRuns(engine.app, 'backup', 9)).map((run) => run.id)).toEqual([next, id]);
});

test('its lost steps are enqueued again', async () => {
  const { former, id } = await aFormerBackup();
  const engine = former.fork();
  engine.queue.take();
  expect(await runToEnd(engine, 'backup', id)).toMatchObject({ status: 'Succeeded' });
  engine.advance(120_000);
  await watchRuns(engine.app);
  expect(await engine.container.list('_locks/')).toEqual([]);
});

test('one that an earlier version begins beside this one is found, too', async () => {
  const { former, id: first } = await aFormerBackup();
  await former.drain();
  const engine = former.fork();
  await watch(engine.app);
  const beside = { ...former.app, blobs: engine.container };
  const { id } = await startBackup(beside, 'timer');
  expect(await findRun(engine.app, 'backup', id)).toMatchObject({ status: 'Running' });
  expect(await runToEnd(engine, 'backup', id)).toMatchObject({ status: 'Succeeded' });
  expect((await listRuns(engine.app, 'backup', 9)).map((run) => run.id).sort()).toEqual([first, id].sort());
});

test('its records are removed when they are old, from where they are', async () => {
  const { former, id } = await aFormerBackup();
  await former.drain();
  const engine = former.fork();
  engine.advance(40 * 86_400_000);
  await prune(engine.app);
  expect(await readRun(engine.app, 'backup', id)).toBeUndefined();
  expect(await engine.container.list('_runs/')).toEqual([]);
});

test('a run of another pair of hubs is not taken for one of this', async () => {
  const { former, id } = await aFormerBackup();
  const engine = former.fork();
  const elsewhere = { ...engine.app, primary: { ...engine.primary, ref: { namespace: 'five', hub: 'devices' } } };
  expect(await readRun(elsewhere, 'backup', id)).toBeUndefined();
  expect(await listRuns(elsewhere, 'backup', 9)).toEqual([]);
});
