import { expect, inject, test } from 'vitest';
import { startBackup } from '../../src/app/backup/start.ts';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { listRuns } from '../../src/app/runs/store.ts';
import { listRunViews } from '../../src/app/views.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { isOver } from '../../src/core/run/run.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { ignoreRunning, type Progress, persist, rehearse } from '../support/mortal-engine.ts';
import { deaths } from '../support/property-runs.ts';
import { anAppleRow, anInstallation } from '../support/rows.ts';

const live: [string, string][] = [...anInstallation('stranger'), ['8-8-8', anAppleRow({ id: '8-8-8', tags: ['own'] })]];

/** Restored into a hub with live devices; two of the restored ones changed since. Nothing has died so far. */
async function aRestoredHub() {
  const engine = createEngine();
  for (let index = 0; index < 3; index++) {
    for (const [id, xml] of anInstallation(`device-${index}`)) engine.primary.rows.set(id, xml);
    engine.primary.rows.set(`${index}9-5-1`, anAppleRow({ id: `${index}9-5-1`, tags: ['plain'] }));
  }
  await startBackup(engine.app, 'http');
  await engine.drain();
  const { rows } = engine.secondary;
  for (const [id, xml] of live) rows.set(id, xml);
  const { run } = await startRestore(engine.app, parseRestoreRequest(''), { id: 'restored' });
  await engine.drain();
  expect(rows.size).toBe(12);
  const moved = new Map([...rows].filter(([id, xml]) => id === '19-5-1' || xml.includes('device-2}')));
  for (const [id, xml] of moved) rows.set(id, xml.replace(/<ETag>\d+</, '<ETag>9<'));
  const kept = [...rows].filter(([id]) => moved.has(id) || live.some(([own]) => own === id));
  return { engine, id: run.id, expected: Object.fromEntries(kept) };
}

function rollBack(engine: Engine, id: string, progress: Progress): Promise<void> {
  const start = () => startRollback(engine.app, id, { confirm: 'three/devices' }).catch(ignoreRunning);
  return persist(engine, progress, start, async () => (await endedRollbacks(engine)) > 0);
}

async function endedRollbacks({ app }: Engine): Promise<number> {
  const runs = await listRuns(app, 'restore', 9);
  return runs.filter((run) => run.kind === 'restore' && run.request.purpose === 'rollback' && isOver(run)).length;
}

test('dying at any write of a rollback leaves the same hub: live and changed devices', async () => {
  const { engine: restored, id, expected } = await aRestoredHub();
  const calm = await rehearse(restored, (engine, progress) => rollBack(engine, id, progress));
  expect(Object.keys(expected)).toHaveLength(6);
  for (let at = 1; at <= calm.writeCount; at++) {
    for (const isApplied of deaths()) {
      const engine = await calm.dieAt(at, isApplied);
      const where = `write ${at} of ${calm.writeCount}, ${isApplied ? 'applied' : 'not applied'}`;
      expect(Object.fromEntries(engine.secondary.rows), where).toEqual(expected);
      for (const view of (await listRunViews(engine.app, 'restore')).value) {
        if (!('percent' in view)) throw new Error('not a restore');
        const { total, ...outcomes } = view.counts;
        expect(view, where).toMatchObject({ status: 'Succeeded' });
        expect(
          Object.values(outcomes).reduce((sum, count) => sum + count),
          where,
        ).toBe(total);
      }
    }
  }
  console.log(`write boundaries covered: ${calm.writeCount}`);
}, 120_000);

test('dying twice does, too', async () => {
  const { engine: restored, id, expected } = await aRestoredHub();
  const { writeCount, dieAt } = await rehearse(restored, (engine, progress) => rollBack(engine, id, progress));
  for (let at = 1; at <= writeCount; at += inject('isSoak') ? 3 : 7) {
    for (const gap of [1, 4, 13, 40]) {
      const engine = await dieAt(at, at % 2 === 0, gap);
      const where = `writes ${at} and ${at + gap}`;
      expect(Object.fromEntries(engine.secondary.rows), where).toEqual(expected);
      const rollbacks = (await listRuns(engine.app, 'restore', 9)).filter(
        ({ request }) => request.purpose === 'rollback',
      );
      for (const { status } of rollbacks) expect(status, where).toBe('Succeeded');
    }
  }
}, 120_000);

test('a rollback of which every message comes twice, and late, leaves the same hub', async () => {
  const { engine, id, expected } = await aRestoredHub();
  const { send } = engine.queue;
  const sent: string[] = [];
  engine.queue.send = async (lane, texts, delay) => {
    sent.push(...texts);
    await send(lane, [...texts, ...texts], delay);
  };
  await startRollback(engine.app, id, { confirm: 'three/devices' });
  await engine.drain();
  await send('restores', sent);
  await engine.drain();
  expect(Object.fromEntries(engine.secondary.rows)).toEqual(expected);
});
