import { expect, test } from 'vitest';
import { type ApiAnswer, createApi } from '../../local/api.ts';
import { explain } from '../../local/autopsy.ts';
import { judgeDelivery, type MissedDevice, readRows } from '../../local/delivery.ts';
import { restoreIdOf } from '../../local/rehearsal.ts';
import { watchRestore } from '../../local/run-watch.ts';
import { PRIMARY_HUB, SECONDARY_HUB } from '../../local/stack.ts';
import { openStack } from '../support/stack.ts';
import { backUp, quickSettings, until } from './drive.ts';

const counts = { total: 3, created: 1, updated: 0, unchanged: 0, keptLive: 0, failed: 0, pending: 2 };
const view = {
  id: 'r',
  kind: 'restore',
  status: 'Running',
  phase: 'Writing',
  pass: 1,
  createdAt: '2026-11-23T09:00:00.000Z',
  counts,
  warnings: [],
};

function anAnswer(status: number, body: unknown, code?: string): ApiAnswer {
  return { status, headers: new Headers(code === undefined ? {} : { 'x-ms-error-code': code }), body };
}

/** What a watch says about these answers, one after another. */
async function violationsOf(...answers: ApiAnswer[]): Promise<readonly string[]> {
  const waiting = [...answers];
  const watch = watchRestore(async () => {
    const answer = waiting.shift();
    if (answer === undefined) throw new Error('no host listens');
    return answer;
  });
  await until('all answers are seen', async () => watch.answerCount === answers.length);
  await watch.stop();
  return watch.violations;
}

test('answers that keep every promise are no violation, refusals with a code of ours among them', async () => {
  const refusal = (code: string) => ({ error: { code, message: 'what to do' } });
  expect(
    await violationsOf(
      anAnswer(404, refusal('RunNotFound'), 'RunNotFound'),
      anAnswer(200, view),
      anAnswer(503, refusal('StorageUnavailable'), 'StorageUnavailable'),
      anAnswer(200, { ...view, status: 'Succeeded', counts: { ...counts, created: 3, pending: 0 } }),
    ),
  ).toEqual([]);
});

test.each([
  ['counts that do not add up', [anAnswer(200, { ...view, counts: { ...counts, created: 2 } })], /do not add up/],
  [
    'a total that changes',
    [anAnswer(200, view), anAnswer(200, { ...view, counts: { ...counts, total: 4, pending: 3 } })],
    /total went/,
  ],
  [
    'a run that is over and runs again',
    [anAnswer(200, { ...view, status: 'Canceled' }), anAnswer(200, view)],
    /became Running/,
  ],
  ['green with records open', [anAnswer(200, { ...view, status: 'Succeeded' })], /green with/],
  [
    'a run that is forgotten',
    [anAnswer(200, view), anAnswer(404, { error: { code: 'RunNotFound', message: 'm' } }, 'RunNotFound')],
    /was there before/,
  ],
  ['a body that is no view', [anAnswer(200, { ...view, status: 'Fine' })], /malformed/],
  ['a status without an error of ours', [anAnswer(502, 'Bad gateway')], /without an error/],
  [
    'a header that says another code',
    [anAnswer(503, { error: { code: 'HubUnavailable', message: 'm' } }, 'Other')],
    /says otherwise/,
  ],
  ['a fault of ours', [anAnswer(500, { error: { code: 'Internal', message: 'm' } }, 'Internal')], /fault of ours/],
])('a watch of a restore finds %s', async (_, answers, expected) => {
  expect(await violationsOf(...answers)).toEqual([expect.stringMatching(expected)]);
});

test('a failed storm is explained by kinds of devices, the run and its id map, and shows no handle', async () => {
  await using stack = await openStack({ devices: 40, seed: 9, settings: quickSettings });
  const { emulator } = stack;
  const api = createApi(() => stack.host);
  await emulator.admin('POST', `${SECONDARY_HUB}/switches`, { acceptForeignIds: false });
  await backUp(api);
  const rows = await readRows(emulator, PRIMARY_HUB);
  const { id } = await api.put(`/api/restores/${restoreIdOf(9)}`);
  await api.finished('restore', id);
  await emulator.admin('POST', `${SECONDARY_HUB}/churn`, { remove: 5, seed: 3 });
  await emulator.admin('POST', `${SECONDARY_HUB}/broadcast`, { message: 'proof' });
  const missed: MissedDevice[] = [];
  // Two devices of one row each that the hub still has are taken for unexpected ones.
  const live = new Set((await readRows(emulator, SECONDARY_HUB)).map(({ handle }) => handle));
  const rowsOf = Map.groupBy(rows, ({ handle }) => handle);
  const unexpected = rows.filter(({ handle }) => live.has(handle) && rowsOf.get(handle)?.length === 1).slice(0, 2);
  const expected = rows.filter((row) => !unexpected.includes(row));
  const verdict = await judgeDelivery(emulator, SECONDARY_HUB, expected, [], (one) => void missed.push(one));
  expect(verdict.unexpected).toBe(2);
  expect(verdict.never).toBeGreaterThan(2);
  expect(missed.length).toBe(verdict.never + verdict.moreThanOnce + verdict.unexpected);

  const said: string[] = [];
  const violations = ['counts do not add up'];
  await explain(stack, 9, { error: new Error('broke off'), missed, violations, warnings: ['late'] }, (line) => {
    said.push(line);
  });
  const text = said.join('\n');
  expect(text).toMatch(/the rehearsal was aborted: broke off/);
  expect(text).toMatch(/wrong status: counts do not add up/);
  expect(text).toMatch(
    /\d+ devices: never: \w+, (plain|installation), \d rows in the primary, 0 live, not live, got 0 of \d/,
  );
  expect(text).toMatch(/unexpected: /);
  expect(text).toMatch(/restore: 200 \{.*"status":"Succeeded"/);
  expect(text).toMatch(/id map: [1-9]\d* new ids in \d+ shards/);
  expect(text).toMatch(/late/);
  for (const { handle } of rows) expect(text).not.toContain(handle);
}, 120_000);
