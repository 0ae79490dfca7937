import { expect, test } from 'vitest';
import { createMemory } from '../../src/app/app.ts';
import { watchActiveRuns } from '../../src/app/steps/keep-moving.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import { parseStep } from '../../src/core/run/step.ts';
import { aBackedUp, beginRestore } from '../support/drive.ts';
import type { Engine } from '../support/engine.ts';

/** A new process, and what it does again and again. */
function startProcess({ app }: Engine): (() => Promise<void>)[] {
  const works: (() => Promise<void>)[] = [];
  const repeat = (_: number, work: () => Promise<void>) => {
    works.push(work);
    return () => {};
  };
  Object.assign(app.world, { repeat });
  Object.assign(app.memory, createMemory());
  return works;
}

test('a process that starts watches the run of one that died with all its steps, and no timer is needed', async () => {
  const engine = await aBackedUp();
  await beginRestore(engine.app);
  // Steps that hang until their process is dead.
  engine.secondary.listPage = () => new Promise(() => {});
  for (const text of engine.queue.take()) void runStep(engine.app, parseStep(JSON.parse(text)));
  while (engine.app.memory.held.size === 0) await new Promise((resolve) => setImmediate(resolve));
  const [look] = await startedLooks(engine);
  await look?.();
  expect(engine.queue.take()).toEqual([]);
  engine.advance(20_000);
  await look?.();
  expect(engine.queue.take()).toHaveLength(1);
});

test('a process that starts when no run is active watches none', async () => {
  const engine = await aBackedUp();
  expect(await startedLooks(engine)).toEqual([]);
});

async function startedLooks(engine: Engine): Promise<(() => Promise<void>)[]> {
  const works = startProcess(engine);
  await watchActiveRuns(engine.app);
  return works;
}
