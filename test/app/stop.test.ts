import { expect, test } from 'vitest';
import { createMemory } from '../../src/app/app.ts';
import { startBackup } from '../../src/app/backup/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { readRun } from '../../src/app/runs/store.ts';
import { stopSteps } from '../../src/app/steps/host-stop.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import { parseStep, type Step } from '../../src/core/run/step.ts';
import { backUp, beginRestore } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { anAppleRow } from '../support/rows.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function fill(engine: Engine, devices: number): void {
  for (let index = 0; index < devices; index++) {
    const id = `${index}-5-1`;
    engine.primary.rows.set(id, anAppleRow({ id, tags: [`n${index}`] }));
  }
}

/** The clock of an engine moves with each call: what sleeps gives the others their turn. */
function yieldInSleep({ app, advance }: Engine): void {
  Object.assign(app.world, {
    sleep: async (milliseconds: number) => {
      advance(milliseconds);
      await turn();
    },
  });
}

const take = ({ queue }: Engine): Step[] => queue.take().map((text) => parseStep(JSON.parse(text)));

/** Another host, which remembers nothing of the one that stopped. */
function replaceHost({ app }: Engine): void {
  Object.assign(app.memory, createMemory());
}

/** Drives a restore until its shards are to be written, and gives the steps that do it. */
async function toReconcile(engine: Engine): Promise<{ readonly id: string; readonly steps: readonly Step[] }> {
  const id = await beginRestore(engine.app);
  for (;;) {
    const steps = take(engine);
    if (steps[0]?.phase === 'reconcile') return { id, steps };
    await runAll(engine, steps);
  }
}

const runAll = async ({ app }: Engine, steps: readonly Step[]): Promise<unknown> =>
  Promise.all(steps.map((step) => runStep(app, step)));

test('a host that stops saves what it has written and enqueues the rest, and another writes no device twice', async () => {
  const engine = createEngine();
  fill(engine, 1200);
  await backUp(engine);
  const { id, steps } = await toReconcile(engine);
  yieldInSleep(engine);
  const { putRegistration } = engine.secondary;
  let stopped: Promise<void> | undefined;
  const warnings: string[] = [];
  Object.assign(engine.app.log, { warn: (message: string) => warnings.push(message) });
  engine.secondary.putRegistration = async (...args) => {
    engine.advance(10);
    await turn();
    const answer = await putRegistration(...args);
    if (engine.secondary.writes.length === 100) stopped = stopSteps(engine.app);
    return answer;
  };
  await runAll(engine, steps);
  await stopped;
  expect(warnings).toEqual([]);
  const written = engine.secondary.writes.length;
  // A second and a half of work.
  expect(written).toBeLessThan(300);
  expect((await readRestoreView(engine.app, id)).counts).toMatchObject({ created: written, pending: 1200 - written });
  const again = take(engine);
  expect(again).toHaveLength(steps.length);
  expect(again).toEqual(expect.arrayContaining([...steps]));
  replaceHost(engine);
  await runAll(engine, again);
  await engine.drain();
  expect(await readRestoreView(engine.app, id)).toMatchObject({ status: 'Succeeded', counts: { created: 1200 } });
  expect(engine.secondary.writes).toHaveLength(1200);
});

test('a listing ends with the page under way when its host stops, and another continues after it', async () => {
  const engine = createEngine();
  fill(engine, 2000);
  const { id } = await startBackup(engine.app, 'timer');
  yieldInSleep(engine);
  const { listPage } = engine.primary;
  let pages = 0;
  let stopped: Promise<void> | undefined;
  engine.primary.listPage = async (...args) => {
    pages += 1;
    engine.advance(300);
    await turn();
    if (pages === 5) stopped = stopSteps(engine.app);
    return listPage(...args);
  };
  const [step] = take(engine);
  if (step === undefined) throw new Error('The backup has no step.');
  await runStep(engine.app, step);
  await stopped;
  expect(pages).toBeLessThan(20);
  expect(take(engine)).toEqual([step]);
  replaceHost(engine);
  await runStep(engine.app, step);
  await engine.drain();
  expect(await readRun(engine.app, 'backup', id)).toMatchObject({ status: 'Succeeded', result: { recordCount: 2000 } });
  // What was asked for ahead, and dropped.
  expect(pages).toBeLessThanOrEqual(20 + 16);
});

test('a step that does not end within 4 s is enqueued for another host, and once only', async () => {
  const engine = createEngine();
  fill(engine, 20);
  await backUp(engine);
  const { id, steps } = await toReconcile(engine);
  const { putRegistration } = engine.secondary;
  const { promise: isReleased, resolve: release } = Promise.withResolvers<void>();
  engine.secondary.putRegistration = async (...args) => {
    await isReleased;
    return putRegistration(...args);
  };
  const work = runAll(engine, steps);
  while ((await readRestoreView(engine.app, id)).attempted === 0) await turn();
  const beganAt = engine.app.world.now();
  await stopSteps(engine.app);
  expect(engine.app.world.now() - beganAt).toBeLessThan(4000);
  expect(take(engine)).toEqual(steps);
  release();
  await work;
  expect(take(engine)).toEqual([]);
});

test('a step that enqueues itself while the time runs out is not enqueued by the hook, too', async () => {
  const engine = createEngine();
  fill(engine, 400);
  await backUp(engine);
  const { steps } = await toReconcile(engine);
  const [step] = steps;
  if (step === undefined) throw new Error('no step');
  yieldInSleep(engine);
  const { promise: isOver, resolve: over } = Promise.withResolvers<void>();
  let sends = 0;
  const send: Engine['queue']['send'] = async (...message) => {
    sends += 1;
    if (sends === 1) await isOver;
    return engine.queue.send(...message);
  };
  const app = { ...engine.app, queue: { ...engine.queue, send } };
  const { putRegistration } = engine.secondary;
  let stopped: Promise<void> | undefined;
  engine.secondary.putRegistration = async (...args) => {
    stopped ??= stopSteps(app);
    engine.advance(200);
    await turn();
    return putRegistration(...args);
  };
  const work = runStep(app, step);
  while (stopped === undefined) await turn();
  await stopped;
  over();
  await work;
  expect(take(engine)).toEqual([step]);
});
