import { expect, test } from 'vitest';
import { type App, createMemory } from '../../src/app/app.ts';
import { startBackup } from '../../src/app/backup/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { renewAll } from '../../src/app/runs/lease.ts';
import { readLive } from '../../src/app/runs/living-steps.ts';
import { changeRun, findRun, readRun } from '../../src/app/runs/store.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import { watchRuns } from '../../src/app/watchdog.ts';
import { DrError } from '../../src/core/errors.ts';
import { isOver } from '../../src/core/run/run.ts';
import { parseStep, type Step } from '../../src/core/run/step.ts';
import { backUp, beginRestore, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const take = ({ queue }: Engine): Step[] => queue.take().map((text) => parseStep(JSON.parse(text)));
const away = (retryAfterMs?: number): DrError =>
  new DrError('HubUnavailable', 'The hub one/devices does not answer.', {
    retryable: true,
    hasNoEffect: true,
    target: 'hub one/devices',
    seen: 'ECONNREFUSED',
    retryAfterMs,
  });

/** Another process on the same storage, queue and clock. */
function anotherProcess({ app }: Engine): App {
  let suffix = 0;
  const newSuffix = (): string => `b${(++suffix).toString(16).padStart(5, '0')}`;
  return { ...app, memory: createMemory(), world: { ...app.world, newSuffix } };
}

async function toReconcile(engine: Engine): Promise<{ readonly id: string; readonly steps: readonly Step[] }> {
  seed(engine, 40);
  await backUp(engine);
  const id = await beginRestore(engine.app);
  for (;;) {
    const steps = take(engine);
    if (steps[0]?.phase === 'reconcile') return { id, steps };
    for (const step of steps) await runStep(engine.app, step);
  }
}

/** All shards but the last are done. */
async function toLastShard(
  engine: Engine,
): Promise<{ readonly id: string; readonly copied: Step; readonly last: Step }> {
  const { id, steps } = await toReconcile(engine);
  const [copied, ...others] = steps;
  const last = others.pop();
  if (copied === undefined || last === undefined) throw new Error('several shards');
  for (const step of [copied, ...others]) await runStep(engine.app, step);
  return { id, copied, last };
}

/** The process that moves the run on dies before it enqueues what comes next. */
async function dieBeforeSending(engine: Engine, last: Step): Promise<void> {
  const { promise: isSending, resolve: sending } = Promise.withResolvers<void>();
  const send: App['queue']['send'] = () => {
    sending();
    return new Promise(() => {});
  };
  void runStep({ ...anotherProcess(engine), queue: { ...engine.queue, send } }, last);
  await isSending;
}

/** Writes hang until they are released. */
function holdWrites(engine: Engine): { readonly release: () => void; readonly count: () => number } {
  const { promise: isReleased, resolve: release } = Promise.withResolvers<void>();
  const { putRegistration, putInstallation } = engine.secondary;
  let count = 0;
  engine.secondary.putRegistration = async (...args) => {
    count += 1;
    await isReleased;
    return putRegistration(...args);
  };
  engine.secondary.putInstallation = async (...args) => {
    count += 1;
    await isReleased;
    return putInstallation(...args);
  };
  return { release, count: () => count };
}

/** A step of a restore in the middle of its writing, until it is released. */
async function holdStep(engine: Engine) {
  const { id, steps } = await toReconcile(engine);
  const writes = holdWrites(engine);
  const [step] = steps;
  if (step === undefined) throw new Error('no step');
  const work = runStep(engine.app, step);
  while (writes.count() === 0) await turn();
  return { id, steps, step, work, ...writes };
}

test('a copy of a step that is in hand leaves, in the same process and in another', async () => {
  const engine = createEngine();
  const { id, step, work, release, count } = await holdStep(engine);
  const begun = count();
  await runStep(engine.app, step);
  await runStep(anotherProcess(engine), step);
  expect(count()).toBe(begun);
  expect(await readLive(engine.app, await findRun(engine.app, 'restore', id))).toMatchObject([{ kind: 'working' }]);
  release();
  await work;
  expect(await readLive(engine.app, await findRun(engine.app, 'restore', id))).toEqual([]);
});

test('a step that is renewed is not taken over however long it takes; one that is not is, and its holder stops without a trace', async () => {
  const engine = createEngine();
  const { id, steps, step, work, release, count } = await holdStep(engine);
  const other = anotherProcess(engine);
  for (let seconds = 0; seconds < 120; seconds += 15) {
    engine.advance(15_000);
    await renewAll(engine.app);
    const begun = count();
    await runStep(other, step);
    expect(count()).toBe(begun);
  }
  // Its process is frozen.
  engine.advance(21_000);
  const begun = count();
  const successor = runStep(other, step);
  while (count() === begun) await turn();
  await renewAll(engine.app);
  release();
  await Promise.all([work, successor]);
  for (const one of steps) await runStep(other, one);
  await engine.drain();
  expect(await readRestoreView(engine.app, id)).toMatchObject({ status: 'Succeeded', counts: { total: 40 } });
});

test('a step whose process was frozen does not enqueue itself beside the one that took it over', async () => {
  const engine = createEngine();
  const { step, work, release, count } = await holdStep(engine);
  engine.advance(30_000);
  const begun = count();
  const successor = runStep(anotherProcess(engine), step);
  while (count() === begun) await turn();
  release();
  await Promise.all([work, successor]);
  expect(take(engine)).toEqual([]);
});

test('a step whose lease was renewed too late leaves it to the watch to enqueue it', async () => {
  const engine = createEngine({ policy: { maxConcurrency: 1 } });
  const { id, step, work, release } = await holdStep(engine);
  engine.advance(30_000);
  await watchRuns(anotherProcess(engine));
  expect(await readRun(engine.app, 'restore', id)).toMatchObject({ kicks: 1 });
  expect(take(engine)).toContainEqual(step);
  await renewAll(engine.app);
  engine.advance(engine.app.policy.stepBudgetMs);
  release();
  await work;
  expect(take(engine)).toEqual([]);
});

test('a step that was frozen until its end, and was enqueued by the watch meanwhile, does not enqueue itself', async () => {
  const engine = createEngine({ policy: { maxConcurrency: 1 } });
  const { id, step, work, release } = await holdStep(engine);
  engine.advance(engine.app.policy.stepBudgetMs + 30_000);
  await watchRuns(anotherProcess(engine));
  expect(await readRun(engine.app, 'restore', id)).toMatchObject({ kicks: 1 });
  expect(take(engine)).toContainEqual(step);
  release();
  await work;
  expect(take(engine)).toEqual([]);
});

test('a step whose lease was renewed too late leaves it to the watch to enqueue it when it waits', async () => {
  const engine = createEngine();
  seed(engine);
  const { promise: isAsked, resolve: asked } = Promise.withResolvers<void>();
  const { promise: isAway, reject } = Promise.withResolvers<never>();
  const { listPage } = engine.primary;
  engine.primary.listPage = () => {
    asked();
    return isAway;
  };
  const { id } = await startBackup(engine.app, 'timer');
  const [step] = take(engine);
  if (step === undefined) throw new Error('no step');
  const work = runStep(engine.app, step);
  await isAsked;
  engine.advance(30_000);
  await watchRuns(anotherProcess(engine));
  expect(take(engine)).toEqual([step]);
  await renewAll(engine.app);
  reject(away());
  await work;
  expect(engine.queue.nextAt()).toBeUndefined();
  expect(await readLive(engine.app, await findRun(engine.app, 'backup', id))).toMatchObject([{ kind: 'waiting' }]);
  engine.primary.listPage = listPage;
  engine.advance(30_000);
  await watchRuns(engine.app);
  await engine.drain();
  expect(await findRun(engine.app, 'backup', id)).toMatchObject({ status: 'Succeeded' });
});

test('while the hub is away the step waits in the queue, says on what, and gets further when it is back', async () => {
  const engine = createEngine();
  seed(engine);
  const { listPage } = engine.primary;
  engine.primary.listPage = () => Promise.reject(away());
  const { id } = await startBackup(engine.app, 'timer');
  const run = await findRun(engine.app, 'backup', id);
  const delays: number[] = [];
  for (let tries = 1; tries <= 8; tries += 1) {
    for (const step of take(engine)) await runStep(engine.app, step);
    const at = engine.app.world.now();
    delays.push(((engine.queue.nextAt() ?? 0) - at) / 1000);
    expect(await readLive(engine.app, run)).toMatchObject([
      {
        kind: 'waiting',
        wait: { on: 'one/devices', code: 'HubUnavailable', cause: 'connection refused', attempt: tries },
      },
    ]);
    // A message of a dead host, and the watch, find nothing to do.
    await runStep(anotherProcess(engine), { ...parseStep({ ...firstStep(id) }) });
    await watchRuns(engine.app);
    engine.advance(Math.max(0, (engine.queue.nextAt() ?? 0) - engine.app.world.now()));
  }
  expect(delays).toEqual([2, 4, 8, 16, 32, 60, 60, 60]);
  engine.primary.listPage = listPage;
  await engine.drain();
  expect(await findRun(engine.app, 'backup', id)).toMatchObject({ status: 'Succeeded', kicks: 0 });
  expect(await readLive(engine.app, run)).toEqual([]);
});

const firstStep = (runId: string) => ({
  formatVersion: 1,
  kind: 'backup',
  runId,
  phase: 'scan',
  pass: 1,
  attempt: 0,
});

test('a step waits as long as the hub wants to be left alone', async () => {
  const engine = createEngine();
  seed(engine);
  engine.primary.listPage = () => Promise.reject(away(600_000));
  await startBackup(engine.app, 'timer');
  for (const step of take(engine)) await runStep(engine.app, step);
  expect((engine.queue.nextAt() ?? 0) - engine.app.world.now()).toBe(600_000);
});

test.each([
  [14, 'Succeeded'],
  [30, 'Succeeded'],
  [50, 'Succeeded'],
  [70, 'HubUnavailable'],
])('a hub that is away for %i minutes while it is listed: %s', async (minutes, end) => {
  const engine = createEngine();
  seed(engine);
  const backAt = engine.app.world.now() + minutes * 60_000;
  const { listPage } = engine.primary;
  engine.primary.listPage = (...args) => {
    if (engine.app.world.now() >= backAt) return listPage(...args);
    engine.advance(8000);
    return Promise.reject(away());
  };
  const { id } = await startBackup(engine.app, 'timer');
  let looks = 0;
  for (let nextAt = engine.queue.nextAt(); nextAt !== undefined; nextAt = engine.queue.nextAt()) {
    engine.advance(Math.max(0, nextAt - engine.app.world.now()));
    const steps = take(engine);
    const isAway = engine.app.world.now() < backAt;
    if (isAway) expect(steps).toHaveLength(1);
    for (const step of steps) await runStep(engine.app, step);
    if (isAway) await watchRuns(engine.app);
    looks += 1;
    expect(looks).toBeLessThan(200);
  }
  const { status, error } = await findRun(engine.app, 'backup', id);
  expect(error?.code ?? status).toBe(end);
  if (error !== undefined) expect(error.message).toContain('for an hour');
});

test('progress in between starts the hour again', async () => {
  const engine = createEngine();
  const { listPage } = engine.primary;
  seed(engine, 600);
  let pages = 0;
  let awayUntil = engine.app.world.now() + 40 * 60_000;
  engine.primary.listPage = (...args) => {
    if (engine.app.world.now() < awayUntil) return Promise.reject(away());
    pages += 1;
    if (pages % 3 === 0) awayUntil = engine.app.world.now() + 40 * 60_000;
    return listPage(...args);
  };
  const { id } = await startBackup(engine.app, 'timer');
  await engine.drain();
  expect(pages).toBeGreaterThan(5);
  expect(await findRun(engine.app, 'backup', id)).toMatchObject({ status: 'Succeeded' });
});

test('only the steps that are lost are enqueued again: not those in hand, waiting or queued', async () => {
  const engine = createEngine();
  const { id, steps } = await toReconcile(engine);
  const [inHand, waiting, queued, lost] = steps;
  if (inHand === undefined || waiting === undefined || queued === undefined) throw new Error('four shards');
  const { release, count } = holdWrites(engine);
  const work = runStep(engine.app, inHand);
  while (count() === 0) await turn();
  engine.secondary.putRegistration = () => Promise.reject(away());
  engine.secondary.putInstallation = () => Promise.reject(away());
  await runStep(engine.app, waiting);
  await engine.queue.send('restores', [JSON.stringify(queued)]);
  await watchRuns(engine.app);
  expect(take(engine)).toEqual(expect.arrayContaining([queued, { ...lost, span: undefined }].map(withoutGaps)));
  expect((await readRun(engine.app, 'restore', id))?.kicks).toBe(1);
  release();
  await work;
});

const withoutGaps = (step: object): object => JSON.parse(JSON.stringify(step));

test('a step that this process has taken from the queue is not lost before it has its lease', async () => {
  const engine = createEngine();
  const { last } = await toLastShard(engine);
  const { promise: isReleased, resolve: release } = Promise.withResolvers<void>();
  const { blobs } = engine.app;
  const put: App['blobs']['put'] = async (name, ...rest) => {
    if (name.includes('/live/')) await isReleased;
    return blobs.put(name, ...rest);
  };
  const working = runStep({ ...engine.app, blobs: { ...blobs, put } }, last);
  engine.advance(60_000);
  await watchRuns(engine.app);
  expect(take(engine)).toEqual([]);
  release();
  await working;
});

test('a run whose lost steps bring no progress ends after ten times, and one whose steps do does not', async () => {
  const engine = createEngine();
  const { id } = await toReconcile(engine);
  for (let looks = 0; looks < 12; looks += 1) {
    engine.advance(60_000);
    await watchRuns(engine.app);
    const [step] = take(engine);
    // Of four messages three are lost each time: shard by shard it gets there.
    if (looks % 8 === 7 && step !== undefined) await runStep(engine.app, step);
  }
  expect(await readRun(engine.app, 'restore', id)).toMatchObject({ status: 'Running' });
  for (let looks = 0; looks < 12; looks += 1) {
    engine.advance(60_000);
    await watchRuns(engine.app);
    engine.queue.take();
  }
  const run = await findRun(engine.app, 'restore', id);
  expect(isOver(run)).toBe(true);
  expect(run).toMatchObject({ status: 'Failed', error: { code: 'RunStuck' } });
});

test('of two processes that find the same steps lost at the same time one enqueues them', async () => {
  const engine = createEngine();
  const { id, steps } = await toReconcile(engine);
  const { promise: isStored, resolve: stored } = Promise.withResolvers<void>();
  const { promise: isLookedAt, resolve: lookedAt } = Promise.withResolvers<void>();
  const send: App['queue']['send'] = async (...message) => {
    stored();
    await isLookedAt;
    return engine.queue.send(...message);
  };
  const other = anotherProcess(engine);
  const second = watchRuns({ ...other, world: { ...other.world, sleep: () => isStored } });
  const first = watchRuns({ ...engine.app, queue: { ...engine.queue, send } });
  await second;
  lookedAt();
  await first;
  expect(take(engine)).toHaveLength(steps.length);
  expect(await readRun(engine.app, 'restore', id)).toMatchObject({ kicks: 1 });
});

test('a copy of a step of the phase before enqueues nothing while another process moves the run on', async () => {
  const engine = createEngine();
  const { copied, last } = await toLastShard(engine);
  const { promise: isTaken, resolve: taken } = Promise.withResolvers<void>();
  const { promise: isSending, resolve: sending } = Promise.withResolvers<void>();
  const send: App['queue']['send'] = async (...message) => {
    sending();
    await isTaken;
    return engine.queue.send(...message);
  };
  const mover = runStep({ ...engine.app, queue: { ...engine.queue, send } }, last);
  await isSending;
  await runStep(anotherProcess(engine), copied);
  taken();
  await mover;
  engine.advance(60_000);
  expect(take(engine)).toMatchObject([{ phase: 'scan', pass: 2 }]);
});

test('a delayed step that was enqueued again and lost once more is not taken for delayed', async () => {
  const engine = createEngine();
  const { id, steps } = await toReconcile(engine);
  for (const step of steps) await runStep(engine.app, step);
  for (const kicks of [1, 2]) {
    // The message is lost.
    engine.advance(kicks === 1 ? 45_000 : 31_000);
    engine.queue.take();
    await watchRuns(engine.app);
    expect(await readRun(engine.app, 'restore', id)).toMatchObject({ phase: { name: 'scan', pass: 2 }, kicks });
  }
  const { listPage } = engine.secondary;
  engine.secondary.listPage = async (token, options) => {
    for (let seconds = 0; seconds < 300; seconds += 15) {
      engine.advance(15_000);
      await renewAll(engine.app);
    }
    const page = await listPage(token, options);
    return page === 'tokenLost' ? page : { rows: page.rows.slice(0, 10), nextToken: '10' };
  };
  for (const step of take(engine)) await runStep(engine.app, step);
  expect(await readRun(engine.app, 'restore', id)).toMatchObject({ phase: { name: 'scan', pass: 2 }, kicks: 0 });
  expect(take(engine)).toHaveLength(1);
  await watchRuns(engine.app);
  expect(take(engine)).toHaveLength(1);
});

test('a waiting step whose message is lost is enqueued again soon after its time, and one that is queued is not', async () => {
  const engine = createEngine();
  seed(engine);
  engine.primary.listPage = () => Promise.reject(away(60_000));
  await startBackup(engine.app, 'timer');
  for (const step of take(engine)) await runStep(engine.app, step);
  engine.advance(80_000);
  await watchRuns(engine.app);
  expect(take(engine)).toMatchObject([{ attempt: 1 }]);
  await watchRuns(engine.app);
  expect(take(engine)).toMatchObject([{ attempt: 0 }]);
});

test('a step that has begun and died is not delayed when its phase is dispatched again', async () => {
  const engine = createEngine();
  const { id, last } = await toLastShard(engine);
  const put: App['blobs']['put'] = async (name, bytes, ...args) => {
    const text = name.endsWith('run.json') ? Buffer.from(bytes).toString() : '';
    if (/"name":"scan","pass":2[^}]*"isDispatched":true/.test(text)) throw away();
    return engine.blobs.put(name, bytes, ...args);
  };
  const mover = { ...engine.app, blobs: { ...engine.blobs, put } };
  await runStep(mover, last);
  expect(await readRun(engine.app, 'restore', id)).toMatchObject({ phase: { name: 'scan', isDispatched: false } });
  engine.advance(10_000);
  const { listPage } = engine.secondary;
  engine.secondary.listPage = () => new Promise(() => {});
  for (const step of take(engine)) if (step.phase === 'scan') void runStep(anotherProcess(engine), step);
  await turn();
  engine.secondary.listPage = listPage;
  engine.advance(60_000);
  await runStep(engine.app, { ...last, attempt: 1 });
  expect(take(engine)).toMatchObject([{ phase: 'scan', pass: 2 }]);
});

test('a delayed phase that is dispatched late is delayed by what is left, and missed soon after its time', async () => {
  const engine = createEngine({ policy: { settleSeconds: 60 } });
  const { id, last } = await toLastShard(engine);
  await dieBeforeSending(engine, last);
  const dueAt = engine.app.world.now() + 60_000;
  engine.advance(40_000);
  await runStep(engine.app, last);
  expect(engine.queue.nextAt()).toBe(dueAt);
  // The message is lost.
  engine.advance(20_000);
  engine.queue.take();
  engine.advance(25_000);
  await watchRuns(engine.app);
  expect(await readRun(engine.app, 'restore', id)).toMatchObject({ phase: { name: 'scan', pass: 2 }, kicks: 0 });
  engine.advance(6000);
  await watchRuns(engine.app);
  expect(await readRun(engine.app, 'restore', id)).toMatchObject({ phase: { name: 'scan', pass: 2 }, kicks: 1 });
});

test('of a copy of a step of the phase before and the watch one enqueues the phase that both find not enqueued', async () => {
  const engine = createEngine();
  const { last } = await toLastShard(engine);
  await dieBeforeSending(engine, last);
  engine.advance(60_000);
  const { promise: isReleased, resolve: release } = Promise.withResolvers<void>();
  const { promise: isSending, resolve: sending } = Promise.withResolvers<void>();
  const send: App['queue']['send'] = async (...message) => {
    sending();
    await isReleased;
    return engine.queue.send(...message);
  };
  let looks = 0;
  let copy: Promise<void> | undefined;
  const peek: App['queue']['peek'] = async (lane) => {
    const texts = await engine.queue.peek(lane);
    looks += 1;
    if (looks === 2) {
      copy = runStep({ ...anotherProcess(engine), queue: { ...engine.queue, send } }, last);
      await isSending;
    }
    return texts;
  };
  await watchRuns({ ...engine.app, queue: { ...engine.queue, peek } });
  release();
  await copy;
  engine.advance(60_000);
  expect(take(engine)).toMatchObject([{ phase: 'scan', pass: 2 }]);
});

test('a copy of a step of the phase before enqueues only what is not queued, where the messages were sent but not noted', async () => {
  const engine = createEngine();
  const { id, steps } = await toReconcile(engine);
  const [done, queued, ...others] = steps;
  if (done === undefined || queued === undefined) throw new Error('four shards');
  await changeRun(engine.app, 'restore', id, (run) => ({ ...run, phase: { ...run.phase, isDispatched: false } }));
  await runStep(engine.app, done);
  await engine.queue.send('restores', [JSON.stringify(queued)]);
  engine.advance(10_000);
  await runStep(anotherProcess(engine), parseStep({ ...done, phase: 'seal', shard: 0, span: 4 }));
  expect(take(engine)).toEqual([queued, ...others]);
});

test('what a run that has just moved on is to do is left to who moved it', async () => {
  const engine = createEngine();
  const { id, copied, last } = await toLastShard(engine);
  const { promise: isReleased, resolve: release } = Promise.withResolvers<void>();
  const { promise: isNoted, resolve: noted } = Promise.withResolvers<void>();
  // Between two leases, or before a run that it started has its messages.
  const put: App['blobs']['put'] = async (name, bytes, ...args) => {
    const stored = await engine.blobs.put(name, bytes, ...args);
    if (!name.endsWith('run.json') || !Buffer.from(bytes).toString().includes('"name":"scan","pass":2')) return stored;
    for (const { name: lease } of await readLive(engine.app, await findRun(engine.app, 'restore', id)))
      await engine.blobs.remove(lease);
    noted();
    await isReleased;
    return stored;
  };
  const mover = runStep({ ...engine.app, blobs: { ...engine.blobs, put } }, last);
  await isNoted;
  await runStep(anotherProcess(engine), copied);
  await watchRuns(anotherProcess(engine));
  expect(engine.queue.nextAt()).toBeUndefined();
  release();
  await mover;
  engine.advance(60_000);
  expect(take(engine)).toMatchObject([{ phase: 'scan', pass: 2 }]);
});

test('of a process that was frozen as it moved a run on and one that took its step over one enqueues the phase', async () => {
  const engine = createEngine();
  const { copied, last } = await toLastShard(engine);
  const put: App['blobs']['put'] = async (name, bytes, ...args) => {
    const stored = await engine.blobs.put(name, bytes, ...args);
    if (!name.endsWith('run.json') || !Buffer.from(bytes).toString().includes('"name":"scan","pass":2')) return stored;
    engine.advance(60_000);
    await runStep(anotherProcess(engine), copied);
    return stored;
  };
  await runStep({ ...engine.app, blobs: { ...engine.blobs, put } }, last);
  engine.advance(60_000);
  expect(take(engine)).toMatchObject([{ phase: 'scan', pass: 2 }]);
});

test('a process that is frozen as it notes that it enqueues a phase leaves that to the watch', async () => {
  const engine = createEngine();
  const { last } = await toLastShard(engine);
  const other = anotherProcess(engine);
  const put: App['blobs']['put'] = async (name, bytes, ...args) => {
    const stored = await engine.blobs.put(name, bytes, ...args);
    if (!name.endsWith('run.json') || !Buffer.from(bytes).toString().includes('"name":"scan","pass":2')) return stored;
    // First as it moves the run on, then as it notes that it will enqueue the phase.
    engine.advance(25_000);
    if (Buffer.from(bytes).toString().includes('"isDispatched":true')) {
      engine.advance(60_000);
      await watchRuns(other);
    }
    return stored;
  };
  await runStep({ ...engine.app, blobs: { ...engine.blobs, put } }, last);
  engine.advance(60_000);
  expect(take(engine)).toMatchObject([{ phase: 'scan', pass: 2 }]);
});

test('a wait that took long to store has its message at the time it names', async () => {
  const engine = createEngine();
  seed(engine);
  engine.primary.listPage = () => Promise.reject(away(60_000));
  const put: App['blobs']['put'] = async (name, bytes, condition, facts) => {
    if (facts?.['waits'] === '1') engine.advance(45_000);
    return engine.blobs.put(name, bytes, condition, facts);
  };
  await startBackup(engine.app, 'timer');
  for (const step of take(engine)) await runStep({ ...engine.app, blobs: { ...engine.blobs, put } }, step);
  expect((engine.queue.nextAt() ?? 0) - engine.app.world.now()).toBe(15_000);
});
