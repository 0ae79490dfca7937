import { expect, test } from 'vitest';
import { exportIdMap } from '../../src/app/restore/outcomes/export-id-map.ts';
import { type IdMap, openIdMap } from '../../src/app/restore/outcomes/id-map.ts';
import { readRun } from '../../src/app/runs/store.ts';
import type { Hub } from '../../src/core/ports.ts';
import { keyHashOf, recordKey, sectionOf, sectionsOf } from '../../src/core/registration/record.ts';
import { parseRegistration } from '../../src/core/registration/registration.ts';
import type { RestoreRun } from '../../src/core/run/run.ts';
import { backUp, restore, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { anAppleRow } from '../support/rows.ts';

async function aRestore(engine: Engine): Promise<RestoreRun> {
  seed(engine, 30);
  await backUp(engine);
  const run = await readRun(engine.app, 'restore', (await restore(engine)).id);
  if (run?.kind !== 'restore') throw new Error('a restore was expected');
  return run;
}

const shardOf = (id: string, shardCount: number): number => {
  const section = sectionOf(keyHashOf(recordKey(parseRegistration(anAppleRow({ id })))));
  return Math.floor(section / sectionsOf(0, shardCount).count);
};

const noIds = { count: 0, idHashesAt: () => [] };

test.each([
  { first: 4, next: 16 },
  { first: 16, next: 4 },
  { first: 4, next: 4 },
])('new ids asked for with $first shards are found with $next, and stay the oldest', async ({ first, next }) => {
  const engine = createEngine();
  const run = await aRestore(engine);
  const hub = engine.secondary;
  const deadlineAt = Number.POSITIVE_INFINITY;
  const ids = ['19-5-1', '39-5-1', '59-5-1', '79-5-1'];
  const refuse = async (id: string, shardCount: number): Promise<readonly string[]> => {
    const map = await openIdMap(engine.app, hub, { ...run, shardCount }, shardOf(id, shardCount), noIds);
    map.noteAnswer(id, { kind: 'idRefused', status: 410 });
    await map.map([{ kind: 'registration', id, xml: '' }], deadlineAt);
    return map.mintedFor(id);
  };
  for (const id of ids) {
    const minted = await refuse(id, first);
    expect(minted).toHaveLength(1);
    const map = await openIdMap(engine.app, hub, { ...run, shardCount: next }, shardOf(id, next), noIds);
    expect(map.idFor(id)).toBe(minted[0]);
    const both = await refuse(id, next);
    expect(both).toEqual([...minted, expect.any(String)]);
  }
  const csv = await exportIdMap(engine.app, run.id);
  const olds = csv
    .trim()
    .split('\r\n')
    .slice(1)
    .map((line) => line.split(',')[0]);
  expect(olds.sort()).toEqual(ids);
});

test('new ids that a slow hub gave out before time ran out are stored, and the next step asks only for the rest', async () => {
  const engine = createEngine();
  const run = await aRestore(engine);
  const ids = ['19-5-1', '39-5-1', '59-5-1', '79-5-1'];
  const writes = ids.map((id) => ({ kind: 'registration', id, xml: '' }) as const);
  const outOfTime = new Error('out of time');
  let asked = 0;
  const hub: Hub = {
    ...engine.secondary,
    createRegistrationId: async (options) => {
      asked += 1;
      if (asked === 3) throw outOfTime;
      return engine.secondary.createRegistrationId(options);
    },
  };
  const app = { ...engine.app, policy: { ...engine.app.policy, maxConcurrency: 1 } };
  const open = async (): Promise<IdMap> => {
    const map = await openIdMap(app, hub, run, 0, noIds);
    map.noteAnswer('99-5-1', { kind: 'idRefused', status: 410 });
    return map;
  };
  await expect((await open()).map(writes, Number.POSITIVE_INFINITY)).rejects.toBe(outOfTime);

  const next = await open();
  const kept = ids.slice(0, 2).map((id) => next.mintedFor(id));
  expect(kept).toEqual([[expect.any(String)], [expect.any(String)]]);
  await next.map(writes, Number.POSITIVE_INFINITY);
  expect(asked).toBe(5);
  expect(ids.map((id) => next.mintedFor(id))).toEqual([...kept, [expect.any(String)], [expect.any(String)]]);
});
