import { expect, test } from 'vitest';
import type { App } from '../../src/app/app.ts';
import { startBackup } from '../../src/app/backup/start.ts';
import { runStep } from '../../src/app/run-step.ts';
import { renewAll } from '../../src/app/runs/lease.ts';
import { readLive } from '../../src/app/runs/live.ts';
import { findRun } from '../../src/app/runs/store.ts';
import { watchRuns } from '../../src/app/watchdog.ts';
import { DrError } from '../../src/core/errors.ts';
import { parseStep, type Step } from '../../src/core/run/step.ts';
import { backUp, beginRestore, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const take = ({ queue }: Engine): Step[] => queue.take().map((text) => parseStep(JSON.parse(text)));
const storageAway = () => new DrError('StorageUnavailable', 'Could not write.', { retryable: true });

async function toReconcile(engine: Engine, devices: number): Promise<readonly Step[]> {
  seed(engine, devices);
  await backUp(engine);
  await beginRestore(engine.app);
  for (;;) {
    const steps = take(engine);
    if (steps[0]?.phase === 'reconcile') return steps;
    for (const step of steps) await runStep(engine.app, step);
  }
}

/** An app whose background work is done when the test says so. */
function withBackground({ app }: Engine): { readonly app: App; readonly works: readonly (() => Promise<void>)[] } {
  const works: (() => Promise<void>)[] = [];
  const repeat: App['world']['repeat'] = (_, work) => {
    works.push(work);
    return () => {};
  };
  return { app: { ...app, world: { ...app.world, repeat } }, works };
}

test('a step that cannot store its end, for the storage is away, leaves no lease that is renewed', async () => {
  const engine = createEngine();
  seed(engine);
  engine.primary.listPage = () => Promise.reject(new DrError('HubUnauthorized', 'The key is refused.'));
  const { id } = await startBackup(engine.app, 'timer');
  const [step] = take(engine);
  if (step === undefined) throw new Error('no step');
  let isAway = true;
  const blobs: App['blobs'] = {
    ...engine.blobs,
    put: async (name, ...args) => {
      if (isAway && name.endsWith('run.json')) throw storageAway();
      return engine.blobs.put(name, ...args);
    },
  };
  const app = { ...engine.app, blobs };
  await expect(runStep(app, step)).rejects.toThrow('Could not write.');
  isAway = false;
  // The host delivers the message again.
  await runStep(app, step);
  expect(await findRun(app, 'backup', id)).toMatchObject({ status: 'Failed', error: { code: 'HubUnauthorized' } });
});

test('a fault of ours in the background ends no process', async () => {
  const engine = createEngine();
  seed(engine);
  await startBackup(engine.app, 'timer');
  const [step] = take(engine);
  if (step === undefined) throw new Error('no step');
  const { app: base, works } = withBackground(engine);
  const faults: unknown[] = [];
  const backgroundLog = { ...engine.app.backgroundLog, error: (message: string) => void faults.push(message) };
  const app = { ...base, backgroundLog };
  const { promise: isReleased, resolve: release } = Promise.withResolvers<void>();
  const { listPage } = engine.primary;
  engine.primary.listPage = async (...args) => {
    await isReleased;
    return listPage(...args);
  };
  const work = runStep(app, step);
  while (works.length < 2) await turn();
  const put = engine.blobs.put;
  const get = engine.blobs.get;
  Object.assign(app.blobs, {
    put: () => Promise.reject(new TypeError('put')),
    get: () => Promise.reject(new TypeError('get')),
  });
  await Promise.all(works.map((one) => one()));
  await turn();
  Object.assign(app.blobs, { put, get });
  expect(faults.toSorted()).toEqual(['lease not renewed', 'look at a run failed']);
  release();
  await work;
});

test('a renewal without an answer keeps no other lease from being renewed, and is sent again', async () => {
  const engine = createEngine();
  const [first, second] = await toReconcile(engine, 40);
  if (first === undefined || second === undefined) throw new Error('no steps');
  const { promise: isReleased, resolve: release } = Promise.withResolvers<void>();
  const { putRegistration, putInstallation } = engine.secondary;
  engine.secondary.putRegistration = (...args) => isReleased.then(() => putRegistration(...args));
  engine.secondary.putInstallation = (...args) => isReleased.then(() => putInstallation(...args));
  const { app: base, works } = withBackground(engine);
  const lost: string[] = [];
  let isLosing = false;
  const put: App['blobs']['put'] = async (name, ...args) => {
    if (!isLosing || !name.includes('/live/') || lost.length > 0) return base.blobs.put(name, ...args);
    lost.push(name);
    return new Promise<never>(() => {});
  };
  const app = { ...base, blobs: { ...base.blobs, put } };
  const work = Promise.all([runStep(app, first), runStep(app, second)]);
  const run = await findRun(app, 'restore', first.runId);
  const ages = async () => (await readLive(app, run)).map(({ ageMs }) => ageMs);
  while (app.memory.held.size < 2) await turn();
  isLosing = true;
  const background = async () => {
    engine.advance(5000);
    for (const one of works) void one();
    for (let turns = 0; turns < 5; turns += 1) await turn();
  };
  await background();
  expect((await ages()).toSorted()).toEqual([0, 5000]);
  await background();
  await background();
  expect(Math.max(...(await ages()))).toBeLessThanOrEqual(5000);
  release();
  await work;
});

test('a step whose lease is not renewed writes no more when another process may have taken it over', async () => {
  const engine = createEngine();
  const [step] = await toReconcile(engine, 2000);
  if (step === undefined) throw new Error('no step');
  const { putRegistration, putInstallation } = engine.secondary;
  const beganAt = engine.app.world.now();
  let lastAt = beganAt;
  const pass = async <T>(write: () => Promise<T>): Promise<T> => {
    lastAt = engine.app.world.now();
    engine.advance(500);
    await turn();
    return write();
  };
  engine.secondary.putRegistration = (...args) => pass(() => putRegistration(...args));
  engine.secondary.putInstallation = (...args) => pass(() => putInstallation(...args));
  await runStep(engine.app, step);
  expect(lastAt - beganAt).toBeLessThanOrEqual(20_000);
  expect(take(engine)).toEqual([step]);
});

test('a hub that stays away ends the run after an hour or two, though many steps wait for few places', async () => {
  const engine = createEngine();
  seed(engine);
  engine.primary.listPage = () =>
    Promise.reject(new DrError('HubUnavailable', 'The hub does not answer.', { retryable: true }));
  const { id } = await startBackup(engine.app, 'timer');
  const beganAt = engine.app.world.now();
  for (let nextAt = engine.queue.nextAt(); nextAt !== undefined; nextAt = engine.queue.nextAt()) {
    engine.advance(Math.max(0, nextAt - engine.app.world.now()) + 15 * 60_000);
    for (const step of take(engine)) await runStep(engine.app, step);
  }
  expect(await findRun(engine.app, 'backup', id)).toMatchObject({ error: { code: 'HubUnavailable' } });
  expect(engine.app.world.now() - beganAt).toBeLessThanOrEqual(2 * 3_600_000);
});

test('a run that cannot be looked at keeps no other from being moved on', async () => {
  const engine = createEngine();
  await toReconcile(engine, 40);
  const { id } = await startBackup(engine.app, 'timer');
  engine.queue.take();
  const list: App['blobs']['list'] = async (prefix) => {
    if (prefix.includes(`backup/${id}/`)) throw storageAway();
    return engine.blobs.list(prefix);
  };
  await expect(watchRuns({ ...engine.app, blobs: { ...engine.blobs, list } })).rejects.toThrow('Could not write.');
  expect(take(engine).map(({ phase }) => phase)).toEqual(Array(4).fill('reconcile'));
});

test('a step that fails by a fault of ours each time, though after a while, ends its run', async () => {
  const engine = createEngine();
  const [step, ...others] = await toReconcile(engine, 40);
  if (step === undefined) throw new Error('no step');
  for (const other of others) await runStep(engine.app, other);
  const fail = async (): Promise<never> => {
    engine.advance(7000);
    await renewAll(engine.app);
    await watchRuns(engine.app);
    throw new TypeError('a fault of ours');
  };
  engine.secondary.putRegistration = fail;
  engine.secondary.putInstallation = fail;
  let kicks = 0;
  for (; kicks < 40; kicks += 1) {
    engine.advance(60_000);
    await watchRuns(engine.app);
    const again = take(engine);
    if (again.length === 0) break;
    for (const one of again) await runStep(engine.app, one).catch(() => {});
  }
  expect(await findRun(engine.app, 'restore', step.runId)).toMatchObject({ error: { code: 'RunStuck' } });
});
