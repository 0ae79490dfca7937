import { describe, expect, it, test } from 'vitest';
import { type App, createMemory } from '../../src/app/app.ts';
import { startBackup } from '../../src/app/backup/start.ts';
import { startDrill } from '../../src/app/drill/start.ts';
import { listDrillViews } from '../../src/app/drill/view.ts';
import { prune } from '../../src/app/prune.ts';
import { readStatus } from '../../src/app/readiness/status.ts';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { findRun, listRuns, readRun } from '../../src/app/runs/store.ts';
import { listSnapshotIds } from '../../src/app/snapshots/store.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import { withFormer } from '../../src/app/stored/former-blobs.ts';
import { pairBlobs } from '../../src/app/stored/pair-blobs.ts';
import { watch } from '../../src/app/watchdog.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { parseStep } from '../../src/core/run/step.ts';
import { backUp, beginRestore, codeOf, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { createMemoryHub } from '../support/memory-hub.ts';
import { createMemoryNotifier, type MemoryNotifier } from '../support/memory-notifier.ts';
import { createMemoryQueue, type MemoryQueue } from '../support/memory-queue.ts';

interface OtherApp {
  readonly app: App;
  readonly queue: MemoryQueue;
  readonly notifier: MemoryNotifier;
  drain(): Promise<void>;
}

/** An app for other hubs on the storage account and the clock of this one; its queues have other names. */
function anotherApp(engine: Engine, pair: 'disjoint' | 'shared primary' | 'shared secondary'): OtherApp {
  const { app, container, primary, secondary } = engine;
  const sharesPrimary = pair === 'shared primary';
  const from = sharesPrimary ? primary : createMemoryHub({ ref: { namespace: 'five', hub: 'devices' } });
  if (!sharesPrimary) for (const [id, xml] of primary.rows) from.rows.set(id, xml);
  const sharesSecondary = pair === 'shared secondary';
  const to = sharesSecondary ? secondary : createMemoryHub({ ref: { namespace: 'seven', hub: 'devices' } });
  const queue = createMemoryQueue(app.world.now);
  const notifier = createMemoryNotifier();
  const blobs = withFormer(container, pairBlobs(container, from.ref, to.ref), [from.ref, to.ref]);
  const other = { ...app, blobs, queue, notifier, memory: createMemory(), primary: from, secondary: to };
  return {
    app: other,
    queue,
    notifier,
    async drain() {
      for (let texts = queue.take(); texts.length > 0; texts = queue.take()) {
        for (const text of texts) await runStep(other, parseStep(JSON.parse(text)));
      }
    },
  };
}

const MINUTE_MS = 60_000;
const pairs = ['disjoint', 'shared primary'] as const;

function anEngine(): Engine {
  const engine = createEngine();
  seed(engine);
  return engine;
}

test.each(pairs)('each app has runs, cards and drills of its own: %s', async (pair) => {
  const engine = anEngine();
  const other = anotherApp(engine, pair);
  const first = await startBackup(engine.app, 'timer');
  // No RunInProgress: what another app does is not in the way.
  const second = await startBackup(other.app, 'timer');
  expect(await readRun(other.app, 'backup', first.id)).toBeUndefined();
  await engine.drain();
  await other.drain();
  expect((await listRuns(engine.app, 'backup', 9)).map(({ id }) => id)).toEqual([first.id]);
  expect((await listRuns(other.app, 'backup', 9)).map(({ id }) => id)).toEqual([second.id]);
  const { id } = await startDrill(other.app, 'http');
  await other.drain();
  expect(await listDrillViews(engine.app)).toMatchObject({ value: [] });
  expect(await listDrillViews(other.app)).toMatchObject({ value: [{ id, verdict: 'Passed' }] });
  expect(await readStatus(engine.app)).not.toHaveProperty('lastDrill.verdict');
  expect(await readStatus(other.app)).toMatchObject({ lastDrill: { verdict: 'Passed' } });
});

test.each(pairs)('the watchdog of one app leaves the runs of the other alone: %s', async (pair) => {
  const engine = anEngine();
  const other = anotherApp(engine, pair);
  const { id } = await startBackup(engine.app, 'timer');
  engine.queue.take(); // The message is lost.
  for (let minute = 0; minute < 20; minute += 1) {
    engine.advance(MINUTE_MS);
    await watch(other.app);
  }
  expect(await findRun(engine.app, 'backup', id)).toMatchObject({ status: 'Running', kicks: 0 });
  expect([...other.queue.take(), ...engine.queue.take()]).toEqual([]);
  for (let minute = 0; minute < 5; minute += 1) {
    engine.advance(MINUTE_MS);
    await watch(engine.app);
    await engine.drain();
  }
  expect(await findRun(engine.app, 'backup', id)).toMatchObject({ status: 'Succeeded' });
});

test.each(pairs)('backups that one app misses are not masked by those of the other: %s', async (pair) => {
  const engine = anEngine();
  const other = anotherApp(engine, pair);
  await startBackup(other.app, 'timer');
  await other.drain();
  for (let minute = 0; minute < 180; minute += 1) {
    if (minute % 60 === 0) await backUp(engine);
    engine.advance(MINUTE_MS);
    await watch(engine.app);
    await watch(other.app);
  }
  const codesOf = ({ alerts }: MemoryNotifier): string[] => alerts.map(({ code, state }) => `${code} ${state}`);
  expect(codesOf(other.notifier)).toContain('BackupMissed open');
  expect(codesOf(engine.notifier)).toEqual([]);
});

test('the pair in exchanged roles is the same pair', async () => {
  const engine = anEngine();
  const { app, container } = engine;
  const id = await backUp(engine);
  const [primary, secondary] = [app.secondary, app.primary];
  const blobs = withFormer(container, pairBlobs(container, primary.ref, secondary.ref), [primary.ref, secondary.ref]);
  const exchanged = { ...app, blobs, primary, secondary, memory: createMemory() };
  expect(await findRun(exchanged, 'backup', id)).toMatchObject({ status: 'Succeeded' });
});

test('retention leaves alone a snapshot that the restore of another app reads', async () => {
  const engine = anEngine();
  const other = anotherApp(engine, 'shared primary');
  const snapshot = await backUp(engine);
  const unused = await backUp(engine);
  const { run } = await startRestore(other.app, parseRestoreRequest(JSON.stringify({ snapshot })));
  const [scan = ''] = other.queue.take();
  engine.advance(24 * 60 * MINUTE_MS);
  await backUp(engine);
  const strict = {
    ...engine.app,
    policy: { ...engine.app.policy, retention: { hourly: 1, daily: 0, weekly: 0, monthly: 0 } },
  };
  await prune(strict);
  await runStep(other.app, parseStep(JSON.parse(scan)));
  await other.drain();
  engine.advance(MINUTE_MS);
  await other.drain();
  expect(await findRun(other.app, 'restore', run.id)).toMatchObject({ status: 'Succeeded' });
  expect(await listSnapshotIds(engine.app, engine.primary.ref)).not.toContain(unused);
});

test('an account without anything of earlier versions costs a process one request more', async () => {
  const engine = anEngine();
  let looks = 0;
  const { container } = engine;
  const counted = {
    ...container,
    listFolders: (prefix: string) => {
      if (prefix === '') looks += 1;
      return container.listFolders(prefix);
    },
  };
  const pair = [engine.primary.ref, engine.secondary.ref] as const;
  const app = { ...engine.app, blobs: withFormer(counted, pairBlobs(counted, ...pair), pair) };
  for (let index = 0; index < 3; index += 1) await listRuns(app, 'backup', 9);
  expect(looks).toBe(1);
});

describe('two apps restore into one hub', () => {
  async function twoBackedUp(): Promise<{ engine: Engine; other: OtherApp }> {
    const engine = anEngine();
    const other = anotherApp(engine, 'shared secondary');
    await backUp(engine);
    await startBackup(other.app, 'timer');
    await other.drain();
    return { engine, other };
  }

  it('one after another', async () => {
    const { engine, other } = await twoBackedUp();
    const id = await beginRestore(engine.app);
    const refused = beginRestore(other.app);
    await expect(refused).rejects.toMatchObject({ code: 'RunInProgress', target: id });
    await expect(refused).rejects.toThrow('the app for one/devices and three/devices');
    await engine.drain();
    await beginRestore(other.app);
    expect(await codeOf(beginRestore(engine.app))).toBe('RunInProgress');
  });

  it('of two that begin at the same time one at most does', async () => {
    const { engine, other } = await twoBackedUp();
    const codes = await Promise.all([codeOf(beginRestore(engine.app)), codeOf(beginRestore(other.app))]);
    expect(codes).toContain('RunInProgress');
    const free = codes.includes('none') ? undefined : await codeOf(beginRestore(other.app));
    expect(free ?? 'none').toBe('none');
  });

  it('also when the app of one of them is gone for ever', async () => {
    const { engine, other } = await twoBackedUp();
    const id = await beginRestore(engine.app);
    engine.advance(14 * MINUTE_MS);
    expect(await codeOf(beginRestore(other.app))).toBe('RunInProgress');
    engine.advance(2 * MINUTE_MS);
    expect(await codeOf(beginRestore(other.app))).toBe('none');
    expect(await findRun(engine.app, 'restore', id)).toMatchObject({ error: { code: 'RunTakenOver' } });
  });

  it('and roll back in the order of both', async () => {
    const { engine, other } = await twoBackedUp();
    const first = await beginRestore(engine.app);
    await engine.drain();
    engine.secondary.rows.clear();
    const second = await beginRestore(other.app);
    await other.drain();
    engine.advance(MINUTE_MS);
    await other.drain();
    const before = new Map(engine.secondary.rows);
    expect(before.size).toBe(36);
    const confirm = 'three/devices';
    const refused = startRollback(engine.app, first, { confirm });
    await expect(refused).rejects.toMatchObject({ code: 'NewerRunExists', target: second });
    await expect(refused).rejects.toThrow('the app for five/devices and three/devices');
    const { id } = await startRollback(engine.app, first, { confirm, keepNewer: true });
    await engine.drain();
    expect(await findRun(engine.app, 'restore', id)).toMatchObject({
      status: 'Succeeded',
      result: { counts: { total: 0 } },
    });
    expect(engine.secondary.rows).toEqual(before);
  });
});
