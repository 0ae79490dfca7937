import { expect, test } from 'vitest';
import type { App } from '../../src/app/app.ts';
import { startBackup } from '../../src/app/backup/start.ts';
import { renewAll } from '../../src/app/runs/lease.ts';
import { readLive } from '../../src/app/runs/living-steps.ts';
import { findRun } from '../../src/app/runs/store.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import { watchRuns } from '../../src/app/watchdog.ts';
import { DrError } from '../../src/core/errors.ts';
import { leaseName, runName } from '../../src/core/paths.ts';
import { isOver } from '../../src/core/run/run.ts';
import { formatStep, parseStep, type Step } from '../../src/core/run/step.ts';
import { backUp, beginRestore, contentOf, seed } from '../support/drive.ts';
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
  for (const _ of 'twice') await Promise.all(works.map((one) => one()));
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
  expect(take(engine)).toEqual([]);
  await watchRuns(engine.app);
  expect(take(engine)).toContainEqual(step);
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

/** The lease of one step, and of others none. */
async function onlyLive(engine: Engine, step: Step) {
  return (await readLive(engine.app, await findRun(engine.app, 'restore', step.runId)))[0];
}

test('a step whose wait is stored, but whose message is not, is taken up when that comes again', async () => {
  const engine = createEngine();
  const [step] = await toReconcile(engine, 40);
  if (step === undefined) throw new Error('no step');
  const { putRegistration, putInstallation } = engine.secondary;
  const away = async () => {
    throw new DrError('HubUnavailable', 'No.', { retryable: true, hasNoEffect: true, retryAfterMs: 60_000 });
  };
  Object.assign(engine.secondary, { putRegistration: away, putInstallation: away });
  const send = async () => {
    throw storageAway();
  };
  await expect(runStep({ ...engine.app, queue: { ...engine.queue, send } }, step)).rejects.toThrow('Could not write.');
  Object.assign(engine.secondary, { putRegistration, putInstallation });
  engine.advance(10_000);
  await runStep(engine.app, step);
  expect(await onlyLive(engine, step)).toBe(undefined);
  expect(engine.secondary.writes).not.toEqual([]);
});

test.each(['release', 'wait'])(
  'a renewal whose answer is lost right before the %s leaves no lease behind',
  async (end) => {
    const engine = createEngine();
    const [step] = await toReconcile(engine, 40);
    if (step === undefined) throw new Error('no step');
    const put: App['blobs']['put'] = async (name, bytes, condition, facts) => {
      const stored = await engine.blobs.put(name, bytes, condition, facts);
      if (Number(facts?.['lived_ms'] ?? 0) > 0) throw storageAway();
      return stored;
    };
    const app = { ...engine.app, blobs: { ...engine.blobs, put } };
    const renewed = async (): Promise<void> => {
      engine.advance(5000);
      await renewAll(app);
      if (end === 'wait') throw new DrError('HubUnavailable', 'No.', { retryable: true, hasNoEffect: true });
    };
    const { putRegistration, putInstallation } = engine.secondary;
    engine.secondary.putRegistration = (...args) => renewed().then(() => putRegistration(...args));
    engine.secondary.putInstallation = (...args) => renewed().then(() => putInstallation(...args));
    await runStep(app, step);
    expect((await onlyLive(engine, step))?.kind).toBe(end === 'wait' ? 'waiting' : undefined);
  },
);

const damages: readonly (readonly [string, Uint8Array, Record<string, string>])[] = [
  ['empty', new Uint8Array(), {}],
  ['garbage', Buffer.from('\u0000{'), { shard: 'x', span: '-1', attempt: 'NaN', delay_ms: 'soon', waits: '1' }],
  ['of another schema', Buffer.from('{"formatVersion":9}'), { phase: 'paint#1', on: 'x', code: 'y', cause: 'z' }],
  ['a wait without end', new Uint8Array(), waitFor('9e99')],
  ['a wait that is over', new Uint8Array(), waitFor('-5')],
];

function waitFor(delay_ms: string): Record<string, string> {
  const wait = { on: 'x', code: 'y', cause: 'z', since: 'never', waits: '1', attempt: '7', waited_ms: '-1' };
  return { phase: 'reconcile#1', shard: '0', span: '1', holder: 'h', ...wait, delay_ms };
}

test.each(damages)('a lease that is %s keeps no run from its end', async (_, bytes, facts) => {
  const engine = createEngine();
  const steps = await toReconcile(engine, 40);
  for (const step of steps) {
    const part = facts['phase'] === 'reconcile#1' ? { shard: String(step.shard) } : {};
    await engine.blobs.put(leaseName(step), bytes, 'any', { ...facts, ...part });
  }
  await engine.queue.send('restores', steps.map(formatStep));
  const { runId } = steps[0] ?? {};
  if (runId === undefined) throw new Error('no step');
  const endBy = engine.app.world.now() + 65 * 60_000;
  while (engine.app.world.now() < endBy && !isOver(await findRun(engine.app, 'restore', runId))) {
    await engine.drain();
    engine.advance(60_000);
    await watchRuns(engine.app);
  }
  expect((await findRun(engine.app, 'restore', runId)).error).toBe(undefined);
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

test('a run document that cannot be read is logged once', async () => {
  const engine = createEngine();
  const [step] = await toReconcile(engine, 40);
  if (step === undefined) throw new Error('no step');
  await engine.blobs.put(runName('restore', step.runId), Buffer.from('{'), 'any');
  const logged: string[] = [];
  const log = { ...engine.app.log, error: (message: string) => void logged.push(message) };
  for (const _ of 'twice') await watchRuns({ ...engine.app, log });
  expect(logged).toEqual(['run document unreadable']);
});

test('what this process has in hand it does not enqueue again, though it was frozen', async () => {
  const engine = createEngine();
  const [step] = await toReconcile(engine, 40);
  if (step === undefined) throw new Error('no step');
  const { promise: isReleased, resolve: release } = Promise.withResolvers<void>();
  const { putRegistration } = engine.secondary;
  engine.secondary.putRegistration = (...args) => isReleased.then(() => putRegistration(...args));
  const work = runStep(engine.app, step);
  while (engine.app.memory.held.size === 0) await turn();
  engine.advance(40_000);
  await watchRuns(engine.app);
  expect(take(engine).map(({ shard }) => shard)).not.toContain(step.shard);
  release();
  await work;
});

test('a run whose process was frozen before it could store it has its lock again', async () => {
  const engine = createEngine();
  const put: App['blobs']['put'] = async (name, ...args) => {
    if (name.endsWith('run.json')) {
      engine.advance(100_000);
      await watchRuns(engine.app);
    }
    return engine.blobs.put(name, ...args);
  };
  const { id } = await startBackup({ ...engine.app, blobs: { ...engine.blobs, put } }, 'timer');
  await expect(startBackup(engine.app, 'timer')).rejects.toMatchObject({ code: 'RunInProgress', target: id });
});

test('a run whose process was frozen before it could store it, and died right after, is watched all the same', async () => {
  const engine = createEngine();
  const { promise: isStored, resolve: stored } = Promise.withResolvers<void>();
  let wasFrozen = false;
  const put: App['blobs']['put'] = async (name, ...args) => {
    const answer = await engine.blobs.put(name, ...args);
    if (name.startsWith('_locks/') && !wasFrozen) {
      wasFrozen = true;
      engine.advance(100_000);
      await watchRuns(engine.app);
    }
    if (!name.endsWith('run.json')) return answer;
    stored();
    return new Promise(() => {});
  };
  void startBackup({ ...engine.app, blobs: { ...engine.blobs, put } }, 'timer');
  await isStored;
  engine.advance(10_000);
  await watchRuns(engine.app);
  expect(take(engine)).toMatchObject([{ kind: 'backup', phase: 'scan' }]);
});
