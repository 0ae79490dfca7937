import { expect, test } from 'vitest';
import { readFailureGroups } from '../../src/app/restore/failure-groups.ts';
import { backUp, codeOf, restore, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';

/** 200 plain registrations and 200 installations, of which some fail. */
async function restoreInto(intercept: Engine['secondary']['intercept']) {
  const engine = createEngine();
  seed(engine, 400);
  await backUp(engine);
  engine.secondary.intercept = intercept;
  return { engine, run: await restore(engine) };
}

const refused = (words: string) => ({ kind: 'rejected', status: 400, reason: 'Rejected', words }) as const;

test('records that failed alike are counted, the most first, with some of each', async () => {
  const { engine, run } = await restoreInto((kind, id) => {
    if (kind === 'installation') return refused('Tags can not.');
    return id.includes('7') ? { kind: 'rejected', status: 413, reason: 'TooLarge' } : undefined;
  });
  const { value, next } = await readFailureGroups(engine.app, run.id);
  expect(next).toBeUndefined();
  const [most, least] = value;
  expect(value).toHaveLength(2);
  expect(most).toMatchObject({ code: 'Rejected', status: 400, words: 'Tags can not.', platform: 'Apple', count: 200 });
  expect(most?.examples).toEqual([1, 2, 3].map(() => expect.stringMatching(/^installation /)));
  expect(least).toMatchObject({ code: 'TooLarge', status: 413, platform: 'Apple' });
  expect((most?.count ?? 0) + (least?.count ?? 0)).toBe(run.counts.failed);
  expect(await codeOf(readFailureGroups(engine.app, run.id, 'nonsense'))).toBe('BadRequest');
});

test('a hub that says something else of each record fills no page: beyond 50 reasons its words are left out', async () => {
  let said = 0;
  const { engine, run } = await restoreInto((kind) => {
    said += 1;
    return kind === 'installation' ? refused(`This is reason ${said}.`) : undefined;
  });
  const { value } = await readFailureGroups(engine.app, run.id);
  expect(value).toHaveLength(51);
  expect(value[0]).toMatchObject({ words: undefined, count: 150 });
  expect(value.reduce((sum, { count }) => sum + count, 0)).toBe(run.counts.failed);
});

test('of many shards a part is counted in one answer, and the parts make up the whole', async () => {
  const { engine, run } = await restoreInto((kind) => (kind === 'installation' ? refused('No.') : undefined));
  const { app } = engine;
  let nowMs = app.world.now();
  const slow = { ...app, world: { ...app.world, now: () => (nowMs += 9000) } };
  const counts: number[] = [];
  let from: string | undefined;
  do {
    const part = await readFailureGroups(slow, run.id, from);
    counts.push(part.value.reduce((sum, { count }) => sum + count, 0));
    from = part.next;
  } while (from !== undefined);
  expect(counts.length).toBeGreaterThan(1);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(run.counts.failed);
});
