import { expect, test } from 'vitest';
import { startBackup } from '../../src/app/backup/start.ts';
import { startDrill } from '../../src/app/drill/start.ts';
import { startRetry } from '../../src/app/restore/retry.ts';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { startVerification } from '../../src/app/snapshots/start-verification.ts';
import { watch } from '../../src/app/watchdog.ts';
import { aBackedUp, backUp, beginRestore, restore, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';

/** Does the work and all that follows from it, and tells the queues that were written to. */
async function lanesOf(engine: Engine, work: () => Promise<unknown>): Promise<ReadonlySet<string>> {
  const lanes = new Set<string>();
  const { send } = engine.queue;
  engine.queue.send = (lane, ...others) => {
    lanes.add(lane);
    return send(lane, ...others);
  };
  await work();
  await engine.drain();
  engine.queue.send = send;
  return lanes;
}

test('each kind of run has its lane, from its first step to its last', async () => {
  const engine = createEngine();
  const { app } = engine;
  seed(engine);
  expect(await lanesOf(engine, () => startBackup(app, 'timer'))).toEqual(new Set(['backups']));
  expect(await lanesOf(engine, () => beginRestore(app))).toEqual(new Set(['restores']));
  const snapshot = await backUp(engine);
  expect(await lanesOf(engine, () => startVerification(app, snapshot, 'http'))).toEqual(new Set(['rest']));
});

test('a retry and a rollback are in the lane of restores', async () => {
  const engine = await aBackedUp();
  engine.secondary.intercept = (_, id) =>
    id === 'device-0' ? { kind: 'rejected', status: 400, reason: 'Rejected' } : undefined;
  const { id } = await restore(engine);
  engine.secondary.intercept = () => undefined;
  expect(await lanesOf(engine, () => startRetry(engine.app, id))).toEqual(new Set(['restores']));
  const rollBack = () => startRollback(engine.app, id, { confirm: 'three/devices' });
  expect(await lanesOf(engine, rollBack)).toEqual(new Set(['restores']));
});

test('a drill never writes to the lane of restores, neither for its restore nor for what takes it back', async () => {
  const engine = await aBackedUp(24, { hasScratchHub: true });
  const lanes = await lanesOf(engine, async () => {
    await startDrill(engine.app, 'timer');
    for (let tick = 0; tick < 10; tick += 1) {
      await engine.drain();
      engine.advance(60_000);
      await watch(engine.app);
    }
  });
  expect(lanes).toEqual(new Set(['rest']));
});
