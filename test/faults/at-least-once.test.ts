import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type App, createMemory } from '../../src/app/app.ts';
import { startBackup } from '../../src/app/backup/start.ts';
import { prune } from '../../src/app/prune.ts';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { findRun } from '../../src/app/runs/store.ts';
import { startVerification } from '../../src/app/snapshots/start-verification.ts';
import { listSnapshotIds } from '../../src/app/snapshots/store.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import { watchRuns } from '../../src/app/watchdog.ts';
import { DrError } from '../../src/core/errors.ts';
import { isOver } from '../../src/core/run/run.ts';
import { parseStep } from '../../src/core/run/step.ts';
import {
  aBackedUp,
  backUp,
  beginRestore,
  codeOf,
  contentOf,
  deliverAsHost,
  restore,
  runToEnd,
  seed,
} from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { runs } from '../support/property-runs.ts';

const HOUR_MS = 3_600_000;
const wholeRestore = { status: 'Succeeded', counts: { total: 24, created: 24, pending: 0, failed: 0 } };

async function deliverTo(app: App, text: string): Promise<void> {
  await runStep(app, parseStep(JSON.parse(text)));
}

/** Another instance of the same app: it shares storage, queue, clock and hubs, and nothing in memory. */
function anotherInstance({ app }: Engine): App {
  let suffix = 0;
  const newSuffix = (): string => `b${(++suffix).toString(16).padStart(5, '0')}`;
  return { ...app, memory: createMemory(), world: { ...app.world, newSuffix } };
}

/** Delivers in the order the choices say; every other message a second time, some time later. */
async function deliverInAnyOrder(engine: Engine, choices: readonly number[]): Promise<string[]> {
  const delivered: string[] = [];
  let pending: string[] = [];
  let turn = 0;
  for (;;) {
    const nextAt = engine.queue.nextAt();
    if (pending.length === 0 && nextAt === undefined) return delivered;
    if (pending.length === 0 && nextAt !== undefined) engine.advance(Math.max(0, nextAt - engine.app.world.now()));
    pending.push(...engine.queue.take());
    const choice = choices[turn++ % choices.length] ?? 0;
    const [text = ''] = pending.splice(choice % pending.length, 1);
    await deliverTo(engine.app, text);
    if (choice % 2 === 0 && !delivered.includes(text)) pending = [...pending, text];
    delivered.push(text);
  }
}

test('messages in any order, twice, and again after the end give the same hub', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(1000), { minLength: 5, maxLength: 40 }),
      fc.boolean(),
      async (choices, refuses) => {
        const engine = createEngine();
        seed(engine);
        engine.secondary.refusesForeignIds = refuses;
        const backup = await startBackup(engine.app, 'timer');
        const late = await deliverInAnyOrder(engine, choices);
        expect(await findRun(engine.app, 'backup', backup.id)).toMatchObject({ status: 'Succeeded' });
        const restoreId = await beginRestore(engine.app);
        late.push(...(await deliverInAnyOrder(engine, choices)));
        expect(await readRestoreView(engine.app, restoreId)).toMatchObject(wholeRestore);
        const writes = [...engine.secondary.writes];
        for (const text of late) await deliverTo(engine.app, text);
        expect(engine.queue.nextAt()).toBeUndefined();
        expect(engine.secondary.writes).toEqual(writes);
        expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
      },
    ),
    { seed: 20261123, numRuns: runs(28) },
  );
});

test.each([false, true])(
  'two instances that do every step at the same time give the same hub (new ids: %s)',
  async (refuses) => {
    const engine = createEngine();
    const other = anotherInstance(engine);
    seed(engine);
    engine.secondary.refusesForeignIds = refuses;
    const both = async (text: string): Promise<void> => {
      await Promise.all([deliverTo(engine.app, text), deliverTo(other, text)]);
    };
    const backup = await startBackup(engine.app, 'timer');
    expect(await runToEnd(engine, 'backup', backup.id, both)).toMatchObject({ status: 'Succeeded' });
    const restoreId = await beginRestore(other);
    expect(await runToEnd(engine, 'restore', restoreId, both)).toMatchObject({ status: 'Succeeded' });
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  },
);

test('a poison message is set aside and the run beside it ends as ever', async () => {
  const engine = createEngine();
  seed(engine);
  const { id } = await startBackup(engine.app, 'timer');
  await engine.queue.send('backups', ['{"formatVersion":7}', 'no JSON at all']);
  const { poisoned } = await deliverAsHost(engine);
  expect([...poisoned].sort()).toEqual(['no JSON at all', '{"formatVersion":7}']);
  expect(await findRun(engine.app, 'backup', id)).toMatchObject({ status: 'Succeeded' });
});

test('two timers at the same time start one backup', async () => {
  const engine = createEngine();
  seed(engine);
  const other = anotherInstance(engine);
  const codes = await Promise.all([codeOf(startBackup(engine.app, 'timer')), codeOf(startBackup(other, 'timer'))]);
  expect(codes.sort()).toEqual(['RunInProgress', 'none']);
  await deliverAsHost(engine);
  expect(await listSnapshotIds(engine.app, engine.app.primary.ref)).toHaveLength(1);
});

test('a second restore to the same target is refused while the first one runs', async () => {
  const engine = await aBackedUp();
  const other = anotherInstance(engine);
  const codes = await Promise.all([codeOf(beginRestore(engine.app)), codeOf(beginRestore(other))]);
  expect(codes.sort()).toEqual(['RunInProgress', 'none']);
});

test('a second restore and a rollback are refused for the run in progress before the target is asked', async () => {
  const engine = await aBackedUp();
  const first = await restore(engine);
  await beginRestore(engine.app);
  engine.secondary.probe = async () => {
    throw new DrError('HubUnavailable', 'The rate is used up.', { retryable: true });
  };
  expect(await codeOf(beginRestore(engine.app))).toBe('RunInProgress');
  expect(await codeOf(startRollback(engine.app, first.id, { confirm: 'three/devices' }))).toBe('RunInProgress');
});

test('a restore during a backup restores the snapshot before it, and both end well', async () => {
  const engine = createEngine();
  seed(engine);
  const before = await backUp(engine);
  engine.advance(HOUR_MS);
  const backup = await startBackup(engine.app, 'timer');
  const restoreId = await beginRestore(engine.app);
  await deliverAsHost(engine);
  expect(await findRun(engine.app, 'backup', backup.id)).toMatchObject({ status: 'Succeeded' });
  expect(await readRestoreView(engine.app, restoreId)).toMatchObject({ ...wholeRestore, snapshot: { id: before } });
});

test('retention never deletes the snapshot a running restore reads', async () => {
  const engine = createEngine({ policy: { retention: { hourly: 1, daily: 1, weekly: 1, monthly: 1 } } });
  seed(engine);
  const oldest = await backUp(engine);
  for (let hour = 0; hour < 3; hour++) {
    engine.advance(HOUR_MS);
    await backUp(engine);
  }
  const restoreId = await beginRestore(engine.app, { snapshot: oldest });
  let steps = 0;
  await runToEnd(engine, 'restore', restoreId, async (text) => {
    await prune(engine.app);
    await deliverTo(engine.app, text);
    steps += 1;
  });
  expect(steps).toBeGreaterThan(3);
  expect(await readRestoreView(engine.app, restoreId)).toMatchObject(wholeRestore);
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  // The restore has proven it, and the newest proven one stays, too: until a newer one is.
  await prune(engine.app);
  expect(await listSnapshotIds(engine.app, engine.app.primary.ref)).toContain(oldest);
  await startVerification(engine.app, 'latest', 'http');
  await deliverAsHost(engine);
  await prune(engine.app);
  expect(await listSnapshotIds(engine.app, engine.app.primary.ref)).not.toContain(oldest);
});

test('a run whose steps always throw is ended by the watchdog as RunStuck', async () => {
  const engine = createEngine({
    wrap: ({ primary }) => ({
      primary: {
        ...primary,
        listPage: async () => {
          throw new TypeError('a fault of ours');
        },
      },
    }),
  });
  const { id } = await startBackup(engine.app, 'timer');
  let ticks = 0;
  for (; ticks < 30 && !isOver(await findRun(engine.app, 'backup', id)); ticks++) {
    await deliverAsHost(engine);
    engine.advance(60_000);
    await watchRuns(engine.app);
  }
  expect(ticks).toBeLessThan(30);
  expect(await findRun(engine.app, 'backup', id)).toMatchObject({ status: 'Failed', error: { code: 'RunStuck' } });
  expect(await codeOf(startBackup(engine.app, 'timer'))).toBe('none');
});

test('messages that are lost are enqueued again by the watchdog', async () => {
  const engine = createEngine();
  seed(engine);
  const { id } = await startBackup(engine.app, 'timer');
  engine.queue.take();
  expect(await runToEnd(engine, 'backup', id)).toMatchObject({ status: 'Succeeded' });
});

test('a silent run is taken over after fifteen minutes and not before, and its late messages change nothing', async () => {
  const engine = createEngine();
  seed(engine);
  const first = await startBackup(engine.app, 'timer');
  const late = engine.queue.take();
  engine.advance(15 * 60_000 - 1000);
  expect(await codeOf(startBackup(engine.app, 'timer'))).toBe('RunInProgress');
  engine.advance(1000);
  const second = await startBackup(engine.app, 'timer');
  await engine.queue.putBack(late);
  await deliverAsHost(engine);
  const taken = await findRun(engine.app, 'backup', first.id);
  expect(taken).toMatchObject({ status: 'Failed', error: { code: 'RunTakenOver' } });
  expect(await findRun(engine.app, 'backup', second.id)).toMatchObject({ status: 'Succeeded' });
  expect(await listSnapshotIds(engine.app, engine.app.primary.ref)).toEqual([second.id]);
});
