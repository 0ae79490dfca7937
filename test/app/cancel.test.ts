import { expect, test } from 'vitest';
import { createMemory } from '../../src/app/app.ts';
import { erase } from '../../src/app/erasure/erase.ts';
import { cancelRestore } from '../../src/app/restore/outcomes/cancel.ts';
import { startRetry } from '../../src/app/restore/retry.ts';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { readRun } from '../../src/app/runs/store.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import { watchRuns } from '../../src/app/watchdog.ts';
import { DrError } from '../../src/core/errors.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { parseStep, type Step } from '../../src/core/run/step.ts';
import { aBackedUp, backUp, codeOf } from '../support/drive.ts';
import { createEngine, type Engine, type EngineOptions } from '../support/engine.ts';
import { anAppleRow } from '../support/rows.ts';

async function aBackedUpEngine(devices: number, options: EngineOptions = {}): Promise<Engine> {
  const engine = createEngine(options);
  for (let index = 0; index < devices; index++) {
    const id = `${index}-5-1`;
    engine.primary.rows.set(id, anAppleRow({ id, tags: [`n${index}`] }));
  }
  await backUp(engine);
  return engine;
}

const begin = async ({ app }: Engine): Promise<string> => (await startRestore(app, parseRestoreRequest(''))).run.id;
const rollBack = (engine: Engine, id: string) => startRollback(engine.app, id, { confirm: 'three/devices' });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Writes take a moment, of real time and of the engine's. */
function slowDown(engine: Engine, milliseconds: number, onWrite: (count: number) => unknown = () => {}): void {
  const { putRegistration } = engine.secondary;
  let count = 0;
  engine.secondary.putRegistration = async (...args) => {
    count += 1;
    await onWrite(count);
    engine.advance(milliseconds);
    await turn();
    return putRegistration(...args);
  };
}

/** Drives a restore until its shards are to be written, and gives the steps that do it. */
async function toReconcile(engine: Engine): Promise<{ readonly id: string; readonly steps: readonly Step[] }> {
  const id = await begin(engine);
  for (;;) {
    const steps = engine.queue.take().map((text) => parseStep(JSON.parse(text)));
    if (steps[0]?.phase === 'reconcile') return { id, steps };
    for (const step of steps) await runStep(engine.app, step);
  }
}

test('a cancelled restore stops within a second, says what it wrote, and offers to take it back', async () => {
  const engine = await aBackedUpEngine(3000);
  const id = await begin(engine);
  slowDown(engine, 10, (count) => (count === 300 ? cancelRestore(engine.app, id) : undefined));
  await engine.drain();
  const written = engine.secondary.writes.length;
  expect(written).toBeGreaterThanOrEqual(300);
  expect(written).toBeLessThanOrEqual(300 + 100 + engine.app.policy.maxConcurrency);
  const view = await readRestoreView(engine.app, id);
  expect(view).toMatchObject({
    status: 'Canceled',
    counts: { total: 3000, created: written, pending: 3000 - written },
    attempted: 0,
  });
  expect(view.nextActions.map(({ name }) => name)).toContain('rollback');
  expect((await readRun(engine.app, 'restore', id))?.result?.counts.created).toBe(written);
  await rollBack(engine, id);
  await engine.drain();
  expect(engine.secondary.rows.size).toBe(0);
});

test('a process reads its run at most once a second, however many shards it writes', async () => {
  let reads = 0;
  const engine = await aBackedUpEngine(2000, {
    wrap: ({ blobs }) => ({
      blobs: {
        ...blobs,
        get: (name, ...rest) => {
          if (/_runs\/restore\/[^/]+\/run\.json$/.test(name)) reads += 1;
          return blobs.get(name, ...rest);
        },
      },
    }),
  });
  const { steps } = await toReconcile(engine);
  slowDown(engine, 10);
  reads = 0;
  const began = engine.app.world.now();
  await Promise.all(steps.map((step) => runStep(engine.app, step)));
  const seconds = (engine.app.world.now() - began) / 1000;
  expect(seconds).toBeGreaterThan(19);
  // A shard's begin, its saves and its end read it, too.
  expect(reads).toBeLessThanOrEqual(seconds + steps.length * 6);
});

test('until the writers of a cancelled restore have stopped, it is not rolled back, retried, or followed by another or an erasure', async () => {
  const engine = await aBackedUpEngine(40);
  const { id, steps } = await toReconcile(engine);
  const { promise: isReleased, resolve: release } = Promise.withResolvers<void>();
  slowDown(engine, 0, () => isReleased);
  const work = Promise.all(steps.map((step) => runStep(engine.app, step)));
  while ((await readRestoreView(engine.app, id)).attempted === 0) await turn();
  await cancelRestore(engine.app, id);
  const view = await readRestoreView(engine.app, id);
  expect(view).toMatchObject({ status: 'Canceled', counts: { created: 0, pending: 40 }, attempted: 40 });
  expect(view.nextActions.map(({ name }) => name)).toContain('rollback');
  const erasing = () => erase(engine.app, { kind: 'userId', value: 'ada' });
  for (const call of [() => rollBack(engine, id), () => startRetry(engine.app, id), () => begin(engine), erasing]) {
    const error: unknown = await call().catch((thrown: unknown) => thrown);
    if (!(error instanceof DrError)) throw error;
    expect(error).toMatchObject({ code: 'RunNotOver', target: id, retryable: true });
    expect(error.retryAfterMs).toBeGreaterThan(0);
    expect(error.message).toContain(new Date(engine.app.world.now() + (error.retryAfterMs ?? 0)).toISOString());
  }
  release();
  await work;
  const written = engine.secondary.rows.size;
  // What was under way, and no more.
  expect(written).toBeGreaterThan(0);
  expect(written).toBeLessThanOrEqual(engine.app.policy.maxConcurrency * steps.length);
  expect(await readRestoreView(engine.app, id)).toMatchObject({ counts: { created: written }, attempted: 0 });
  expect(await codeOf(erasing())).toBe('none');
  await rollBack(engine, id);
  await engine.drain();
  expect(engine.secondary.rows.size).toBe(0);
});

test('a step that died while it wrote is waited for until its deadline', async () => {
  const engine = await aBackedUpEngine(40);
  const { id, steps } = await toReconcile(engine);
  const { putRegistration } = engine.secondary;
  // Its host hangs: the call is never answered, and takes effect late.
  const late: (() => unknown)[] = [];
  engine.secondary.putRegistration = (...args) => {
    late.push(() => putRegistration(...args));
    return new Promise(() => {});
  };
  for (const step of steps) void runStep({ ...engine.app, memory: createMemory() }, step);
  while (late.length < 8) await turn();
  await cancelRestore(engine.app, id);
  const { stepBudgetMs } = engine.app.policy;
  for (const waitMs of [0, stepBudgetMs / 2, stepBudgetMs / 2]) {
    engine.advance(waitMs);
    await watchRuns(engine.app);
    expect(await codeOf(rollBack(engine, id))).toBe('RunNotOver');
    expect(await codeOf(begin(engine))).toBe('RunNotOver');
    expect(await codeOf(erase(engine.app, { kind: 'userId', value: 'ada' }))).toBe('RunNotOver');
  }
  for (const write of late) await write();
  engine.secondary.putRegistration = putRegistration;
  engine.advance(120_000);
  await watchRuns(engine.app);
  await rollBack(engine, id);
  await engine.drain();
  expect(engine.secondary.rows.size).toBe(0);
  await begin(engine);
  await engine.drain();
  expect(engine.secondary.rows.size).toBe(40);
});

test('the writers of a restore that failed in another process are waited for, too, and their work is counted', async () => {
  const engine = await aBackedUpEngine(2000);
  const { id, steps } = await toReconcile(engine);
  const [last, ...others] = steps.toReversed();
  if (last === undefined) throw new Error('no steps');
  const { promise: isReleased, resolve: release } = Promise.withResolvers<void>();
  const { putRegistration } = engine.secondary;
  engine.secondary.putRegistration = async (...args) => {
    await isReleased;
    return putRegistration(...args);
  };
  const writer = runStep({ ...engine.app, memory: createMemory() }, last);
  while ((await readRestoreView(engine.app, id)).attempted === 0) await turn();
  engine.secondary.putRegistration = async () => ({ kind: 'rejected', status: 400, reason: 'Rejected' });
  for (const step of others) await runStep(engine.app, step);
  expect(await readRestoreView(engine.app, id)).toMatchObject({ status: 'Failed', error: { code: 'TooManyFailures' } });
  expect(await codeOf(rollBack(engine, id))).toBe('RunNotOver');
  expect(await codeOf(begin(engine))).toBe('RunNotOver');
  release();
  await writer;
  engine.secondary.putRegistration = putRegistration;
  const written = engine.secondary.rows.size;
  expect(written).toBeGreaterThan(0);
  expect(await readRestoreView(engine.app, id)).toMatchObject({ status: 'Failed', counts: { created: written } });
  await rollBack(engine, id);
  await engine.drain();
  expect(engine.secondary.rows.size).toBe(0);
});

test('a step that reads its run just before the cancel writes nothing after it', async () => {
  const engine = await aBackedUp(20);
  const { id, steps } = await toReconcile(engine);
  const { put } = engine.blobs;
  let isCancelled = false;
  const blobs = {
    ...engine.blobs,
    put: async (...args: Parameters<typeof put>) => {
      // Right before the step stores what it is about to write.
      if (args[0].includes('/reconcile/pass-1/0') && !isCancelled) {
        isCancelled = true;
        await cancelRestore(engine.app, id);
      }
      return put(...args);
    },
  };
  for (const step of steps) await runStep({ ...engine.app, blobs }, step);
  expect(isCancelled).toBe(true);
  expect(engine.secondary.writes).toEqual([]);
  expect(await readRestoreView(engine.app, id)).toMatchObject({ counts: { created: 0, pending: 20 }, attempted: 0 });
  expect(await codeOf(rollBack(engine, id))).toBe('NothingToRollBack');
});

test('a restore that is cancelled while the hub is slow to answer a question writes nothing after it', async () => {
  const engine = await aBackedUpEngine(300);
  engine.secondary.rows.set('own', anAppleRow({ id: 'own', tags: ['own'] }));
  const id = await begin(engine);
  const { findRegistration } = engine.secondary;
  let canceled: Promise<unknown> | undefined;
  engine.secondary.findRegistration = async (...args) => {
    canceled ??= cancelRestore(engine.app, id);
    await canceled;
    engine.advance(2000);
    return findRegistration(...args);
  };
  await engine.drain();
  expect(canceled).toBeDefined();
  expect(engine.secondary.writes).toEqual([]);
  expect(await readRestoreView(engine.app, id)).toMatchObject({ status: 'Canceled', counts: { created: 0 } });
});

test('a restore that is cancelled during its first writes, which take long, sends no others', async () => {
  const engine = await aBackedUpEngine(100);
  const id = await begin(engine);
  slowDown(engine, 20_000, (count) => (count === 1 ? cancelRestore(engine.app, id) : undefined));
  await engine.drain();
  expect(engine.secondary.writes.length).toBe(engine.app.policy.maxConcurrency);
});
