import { expect, test } from 'vitest';
import { reportRestore } from '../../src/app/restore/report.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { parseStep } from '../../src/core/run/step.ts';
import { aBackedUp, restore } from '../support/drive.ts';

const order = [{ tags: 'n7 || n28' }, { tags: 'plain', platforms: ['apple'] }];

/** By the order above: which group a write belongs to. */
function groupOf(write: string): number {
  if (write === 'registration 79-5-1' || write === 'installation device-28') return 0;
  return write.startsWith('registration') ? 1 : 2;
}

test('earlier groups are written before later ones, over all shards; what matches none comes last', async () => {
  const engine = await aBackedUp(30);
  const view = await restore(engine, { order });
  expect(view).toMatchObject({
    status: 'Succeeded',
    order: [{ tags: 'n7 || n28' }, { tags: 'plain', platforms: ['Apple'] }],
    counts: { total: 30, created: 30 },
  });
  const groups = engine.secondary.writes.map(groupOf);
  expect(groups).toEqual([...groups].sort());
  expect(new Set(groups)).toEqual(new Set([0, 1, 2]));
  const { timeline } = await reportRestore(engine.app, view.id);
  expect(timeline.map(({ phase, pass, wave = 0 }) => `${phase}#${pass}.${wave}`).slice(2, 5)).toEqual([
    'reconcile#1.0',
    'reconcile#1.1',
    'reconcile#1.2',
  ]);
});

test('a later group that nothing belongs to is passed over, and after one that all belong to nothing is left to write', async () => {
  const engine = await aBackedUp(30);
  const none = await restore(engine, { order: [{ tags: 'no-device' }, { tags: 'news' }, { tags: 'nobody2' }] });
  const waves = async (id: string) =>
    (await reportRestore(engine.app, id)).timeline
      .filter(({ phase, pass }) => phase === 'reconcile' && pass === 1)
      .map(({ wave = 0 }) => wave);
  expect(none).toMatchObject({ status: 'Succeeded', counts: { created: 30 } });
  expect(await waves(none.id)).toEqual([0, 1, 3]);
  const all = await restore(engine, { order: [{ platforms: ['Apple'] }, { tags: 'news' }] });
  expect(await waves(all.id)).toEqual([0]);
});

test('an order holds within a selection, and for short steps that stop and go on', async () => {
  const engine = await aBackedUp(30, { policy: { maxConcurrency: 1, stepBudgetMs: 1000 } });
  engine.secondary.intercept = () => void engine.advance(400);
  const view = await restore(engine, { only: { tags: '!n4' }, order });
  expect(view).toMatchObject({ status: 'Succeeded', counts: { total: 29, created: 29 } });
  const groups = engine.secondary.writes.map(groupOf);
  expect(groups).toEqual([...groups].sort());
});

test('steps of a wave that is past are dropped, and messages that come twice change nothing', async () => {
  const engine = await aBackedUp(30);
  const sent: string[] = [];
  const { send } = engine.queue;
  engine.queue.send = async (lane, texts, delay) => {
    sent.push(...texts);
    await send(lane, [...texts, ...texts], delay);
  };
  const { run } = await startRestore(engine.app, parseRestoreRequest(JSON.stringify({ order })));
  await engine.drain();
  const groups = engine.secondary.writes.map(groupOf);
  expect(groups).toEqual([...groups].sort());
  const before = engine.secondary.writes.length;
  expect(sent.some((text) => parseStep(JSON.parse(text)).wave === 2)).toBe(true);
  for (const text of sent) await runStep(engine.app, parseStep(JSON.parse(text)));
  expect(engine.secondary.writes).toHaveLength(before);
  expect(await readRestoreView(engine.app, run.id)).toMatchObject({ status: 'Succeeded' });
});

test('the status says when half, nine in ten and nearly all were in place, and how many records come a second', async () => {
  const engine = await aBackedUp(30, { policy: { maxConcurrency: 1, stepBudgetMs: 5000 } });
  engine.secondary.intercept = () => void engine.advance(1000);
  const { run } = await startRestore(engine.app, parseRestoreRequest(''));
  const seen: Awaited<ReturnType<typeof readRestoreView>>[] = [];
  const { send } = engine.queue;
  engine.queue.send = async (...args) => {
    seen.push(await readRestoreView(engine.app, run.id));
    return send(...args);
  };
  await engine.drain();
  const { milestones, percent } = await readRestoreView(engine.app, run.id);
  expect(percent).toBe(100);
  const after = (at: string | undefined): number => (Date.parse(at ?? '') - Date.parse(run.createdAt)) / 1000;
  // Thirty writes of a second each, seen whenever a step saves what it did.
  expect(after(milestones.p50At)).toBeGreaterThanOrEqual(15);
  expect(after(milestones.p50At)).toBeLessThanOrEqual(21);
  expect(after(milestones.p99At)).toBe(30);
  expect(seen.map((view) => view.percent)).toEqual(seen.map((view) => view.percent).sort((a, b) => a - b));
  const writing = seen.filter((view) => view.phase === 'Writing' && 'recordsPerSecond' in view);
  expect(writing.length).toBeGreaterThan(2);
  for (const { counts, byPlatform } of seen) {
    const { total, ...outcomes } = counts;
    expect(Object.values(outcomes).reduce((sum, one) => sum + one)).toBe(total);
    const known = Object.values(byPlatform).flatMap((one) => Object.values(one));
    expect([0, total]).toContain(known.reduce((sum, one) => sum + one, 0));
  }
});
