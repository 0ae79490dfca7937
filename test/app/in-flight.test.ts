import { expect, test } from 'vitest';
import { type App, createMemory } from '../../src/app/app.ts';
import { startBackup } from '../../src/app/backup/start.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRun } from '../../src/app/runs/store.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import { watchRuns } from '../../src/app/watchdog.ts';
import type { Blobs } from '../../src/core/ports.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { parseStep, type Step } from '../../src/core/run/step.ts';
import { backUp, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';

/** Counts listings of all results of a phase, and fails the first write of one shard's result if asked to. */
function watched(isFailing: () => boolean) {
  const seen = { listings: 0 };
  const engine: Engine = createEngine({
    wrap: ({ blobs }) => ({
      blobs: {
        ...blobs,
        list: (prefix) => {
          if (prefix.includes('/reconcile/') && prefix.endsWith('/')) seen.listings += 1;
          return blobs.list(prefix);
        },
        put: async (...args: Parameters<Blobs['put']>) => {
          if (args[0].endsWith('/reconcile/pass-1/0003.json') && args[2] !== 'new' && isFailing()) {
            throw new Error('the process dies');
          }
          return blobs.put(...args);
        },
      },
    }),
  });
  seed(engine, 40);
  return { engine, seen };
}

const stepsOf = (texts: readonly string[]): Step[] => texts.map((text) => parseStep(JSON.parse(text)));

/** Drives a restore until its shards are to be written, and gives the steps that do it. */
async function toReconcile(engine: Engine): Promise<{ readonly id: string; readonly steps: readonly Step[] }> {
  await backUp(engine);
  const { run } = await startRestore(engine.app, parseRestoreRequest(''));
  for (;;) {
    const steps = stepsOf(engine.queue.take());
    if (steps[0]?.phase === 'reconcile') return { id: run.id, steps };
    for (const step of steps) await runStep(engine.app, step);
  }
}

test('of shards that are worked at together only the last one asks whether the phase is over', async () => {
  const { engine, seen } = watched(() => false);
  const { id, steps } = await toReconcile(engine);
  expect(steps).toHaveLength(4);
  seen.listings = 0;
  await Promise.all(steps.map((step) => runStep(engine.app, step)));
  expect((await readRun(engine.app, 'restore', id))?.phase).toMatchObject({ name: 'scan', pass: 2 });
  expect(seen.listings).toBe(1);
  await engine.drain();
  expect((await readRun(engine.app, 'restore', id))?.status).toBe('Succeeded');
});

test('shards that are done one after the other list all results only at the end', async () => {
  const { engine, seen } = watched(() => false);
  const { id, steps } = await toReconcile(engine);
  seen.listings = 0;
  for (const step of steps) await runStep(engine.app, step);
  expect((await readRun(engine.app, 'restore', id))?.phase).toMatchObject({ name: 'scan', pass: 2 });
  expect(seen.listings).toBe(1);
  await engine.drain();
  expect((await readRun(engine.app, 'restore', id))?.status).toBe('Succeeded');
});

test('a process that does only some of the shards, the last one not among them, ends no phase, and the other one does', async () => {
  const { engine, seen } = watched(() => false);
  const { id, steps } = await toReconcile(engine);
  const [last, ...others] = steps.toReversed();
  // Another process knows nothing of what this one has listed.
  const other: App = { ...engine.app, memory: createMemory() };
  seen.listings = 0;
  for (const step of others) await runStep(engine.app, step);
  expect(seen.listings).toBe(0);
  if (last !== undefined) await runStep(other, last);
  expect(seen.listings).toBe(1);
  expect((await readRun(engine.app, 'restore', id))?.phase).toMatchObject({ name: 'scan', pass: 2 });
  await engine.drain();
  expect((await readRun(engine.app, 'restore', id))?.status).toBe('Succeeded');
});

test('a shard that fails while the others rely on it asks when it comes again', async () => {
  let failures = 1;
  const { engine } = watched(() => failures-- > 0);
  const { id, steps } = await toReconcile(engine);
  const ends = await Promise.allSettled(steps.map((step) => runStep(engine.app, step)));
  const failed = steps.filter((_, index) => ends[index]?.status === 'rejected');
  expect(failed).toHaveLength(1);
  for (const step of failed) await runStep(engine.app, step);
  await engine.drain();
  expect((await readRun(engine.app, 'restore', id))?.status).toBe('Succeeded');
});

test('neighbouring shards are sealed by one step, and those that are left when some are done', async () => {
  const engine = createEngine();
  seed(engine, 40);
  const { id } = await startBackup(engine.app, 'http');
  for (const step of stepsOf(engine.queue.take())) await runStep(engine.app, step);
  const [step, ...others] = stepsOf(engine.queue.take());
  expect(others).toEqual([]);
  expect(step).toMatchObject({ phase: 'seal', shard: 0, span: 4 });
  // One of another process, that had been given one shard.
  if (step !== undefined) await runStep(engine.app, { ...step, shard: 1, span: undefined });
  engine.advance(120_000);
  await watchRuns(engine.app);
  const left = stepsOf(engine.queue.take()).map(({ shard, span }) => [shard, span]);
  expect(left).toEqual([
    [0, undefined],
    [2, 2],
  ]);
  // The message that was lost comes late and does it all.
  if (step !== undefined) await runStep(engine.app, step);
  await engine.drain();
  expect((await readRun(engine.app, 'backup', id))?.status).toBe('Succeeded');
});
