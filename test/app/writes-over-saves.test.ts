import { expect, test } from 'vitest';
import { cancelRestore } from '../../src/app/restore/outcomes/cancel.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { renewAll } from '../../src/app/runs/lease.ts';
import { documents } from '../../src/app/stored/documents.ts';
import type { Blobs } from '../../src/core/ports.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { intentOf } from '../../src/core/restore/plan/outcomes.ts';
import { backUp, restore } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { anAppleRow, keepOneShard } from '../support/rows.ts';

/** Four batches of one shard. */
async function seedAndBackUp(engine: Engine): Promise<number> {
  const { primary } = engine;
  for (let index = 0; index < 12_000; index++) {
    const id = `${index}-5-1`;
    primary.rows.set(id, anAppleRow({ id, tags: [`n${index}`] }));
  }
  const devices = keepOneShard(primary);
  await backUp(engine);
  return devices;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Writes take a moment, as a hub's do; leases are renewed meanwhile. */
function slowDown({ app, secondary }: Engine): void {
  const { putRegistration } = secondary;
  secondary.putRegistration = async (...args) => {
    const answer = await putRegistration(...args);
    await turn();
    if (secondary.writes.length % 500 === 0) await renewAll(app);
    return answer;
  };
}

const isResult = (name: string): boolean => /reconcile\/pass-1\//.test(name);

/** An engine whose shard results are stored by `put` as given. */
function engineWith(
  put: (store: () => ReturnType<Blobs['put']>, name: string, bytes: Uint8Array) => ReturnType<Blobs['put']>,
) {
  return createEngine({
    wrap: ({ blobs }) => ({
      blobs: {
        ...blobs,
        put: (name, bytes, ...rest) => {
          const store = () => blobs.put(name, bytes, ...rest);
          return isResult(name) ? put(store, name, bytes) : store();
        },
      },
    }),
  });
}

/** How many of a shard's records are about to be written, by the document that is being stored. */
function intentsIn(name: string, bytes: Uint8Array): number {
  const { letters } = documents.restoredShard.open(name, bytes);
  return [...letters].filter((letter) => intentOf(letter) !== undefined).length;
}

test('the hub is written to while outcomes are being saved', async () => {
  let [saveCount, overlapCount] = [0, 0];
  const engine = engineWith(async (store) => {
    const before = engine.secondary.writes.length;
    const etag = await store();
    for (let turns = 0; turns < 20 && engine.secondary.writes.length === before; turns++) await turn();
    saveCount += 1;
    if (engine.secondary.writes.length > before) overlapCount += 1;
    return etag;
  });
  slowDown(engine);
  const devices = await seedAndBackUp(engine);
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { created: devices, pending: 0 } });
  // Its selection, its first save and its last have nothing to write meanwhile; nor have both of each empty shard.
  expect(saveCount).toBeGreaterThan(5 + 3 * 2);
  expect(overlapCount).toBeGreaterThanOrEqual(saveCount - 3 - 3 * 2);
});

test.each([
  { hub: 'a hub that takes what comes', writeMs: 0, least: 1000, most: 4000 },
  { hub: 'a slow hub', writeMs: 10, least: 500, most: 1000 },
])('$hub is never written more than is stored as about to be', async ({ writeMs, least, most }) => {
  const announced = new Map<string, number>();
  let mostAtOnce = 0;
  const engine = engineWith(async (store, name, bytes) => {
    const etag = await store();
    const intents = intentsIn(name, bytes);
    const { letters } = documents.restoredShard.open(name, bytes);
    const settled = [...letters].filter((one) => one === 'c').length;
    announced.set(name, intents + settled);
    mostAtOnce = Math.max(mostAtOnce, intents);
    return etag;
  });
  let excess = 0;
  engine.secondary.intercept = () => {
    const allowed = [...announced.values()].reduce((sum, count) => sum + count, 0);
    if (engine.secondary.writes.length + 1 > allowed) excess += 1;
    engine.advance(writeMs);
    return undefined;
  };
  slowDown(engine);
  const devices = await seedAndBackUp(engine);
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { created: devices } });
  expect(excess).toBe(0);
  // A batch that waits, the one before, and what is under way of it.
  expect(mostAtOnce).toBeGreaterThan(least);
  expect(mostAtOnce).toBeLessThanOrEqual(most + engine.app.policy.maxConcurrency);
});

test('a cancelled restore begins no write after the save that notices, and leaves none under way', async () => {
  const engine = createEngine();
  await seedAndBackUp(engine);
  const { run } = await startRestore(engine.app, parseRestoreRequest('{}'));
  let underWay = 0;
  const { putRegistration } = engine.secondary;
  engine.secondary.putRegistration = async (...args) => {
    underWay += 1;
    if (engine.secondary.writes.length === 700) await cancelRestore(engine.app, run.id);
    const answer = await putRegistration(...args);
    await new Promise((resolve) => setImmediate(resolve));
    underWay -= 1;
    return answer;
  };
  await engine.drain();
  expect(underWay).toBe(0);
  expect(engine.secondary.writes.length).toBeGreaterThanOrEqual(700);
  expect(engine.secondary.writes.length).toBeLessThan(700 + 2 * 500 + engine.app.policy.maxConcurrency);
  expect(await readRestoreView(engine.app, run.id)).toMatchObject({ status: 'Canceled' });
});
