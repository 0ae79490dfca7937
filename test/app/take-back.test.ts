import { expect, test } from 'vitest';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { backUp, restore } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { anAppleRow, anInstallation, tokenOf } from '../support/rows.ts';

const token = tokenOf('phone');

async function aBackedUpEngine(): Promise<Engine> {
  const engine = createEngine();
  for (const id of ['1-1-1', '2-2-2']) engine.primary.rows.set(id, anAppleRow({ id, tags: ['a'] }));
  engine.primary.rows.set('3-3-3', anAppleRow({ id: '3-3-3', token, tags: ['a'] }));
  await backUp(engine);
  return engine;
}

/** The device registers right before, or right after, the restore writes it. */
function registerWhile({ secondary }: Engine, rows: readonly (readonly [string, string])[]): void {
  const { putRegistration } = secondary;
  secondary.putRegistration = async (id, ...args) => {
    const answer = await putRegistration(id, ...args);
    if (id === '3-3-3') for (const [rowId, xml] of rows) secondary.rows.set(rowId, xml);
    return answer;
  };
}

const installation = anInstallation('app').map(([id, xml]) => [id, xml.replace(tokenOf('app'), token)] as const);

const ways: readonly { readonly how: string; readonly rows: readonly (readonly [string, string])[] }[] = [
  { how: 'with other tags', rows: [['7-7-7', anAppleRow({ id: '7-7-7', token, tags: ['b'] })]] },
  { how: 'the same', rows: [['7-7-7', anAppleRow({ id: '7-7-7', token, tags: ['a'] })]] },
  { how: 'as an installation', rows: installation },
];

test.each(ways)('a created row whose device registers $how meanwhile is taken back, and counted', async ({ rows }) => {
  const engine = await aBackedUpEngine();
  registerWhile(engine, rows);
  const view = await restore(engine);
  expect(view).toMatchObject({
    status: 'Succeeded',
    counts: { total: 3, created: 2, keptLive: 1 },
    takenBack: 1,
    changedSince: 0,
    passes: 2,
  });
  expect([...engine.secondary.rows.keys()].sort()).toEqual(['1-1-1', '2-2-2', ...rows.map(([id]) => id)].sort());
  const undone = await startRollback(engine.app, view.id, { confirm: 'three/devices' });
  await engine.drain();
  expect(await readRestoreView(engine.app, undone.id)).toMatchObject({ counts: { total: 2, removed: 2 } });
  expect([...engine.secondary.rows]).toEqual(rows);
});

test('a row that its device changed under our id, too, is left alone', async () => {
  const own: [string, string] = ['7-7-7', anAppleRow({ id: '7-7-7', token, tags: ['b'] })];
  const changed: [string, string] = ['3-3-3', anAppleRow({ id: '3-3-3', token, tags: ['c'], etag: 2 })];
  const seen = await aBackedUpEngine();
  registerWhile(seen, [changed, own]);
  expect(await restore(seen)).toMatchObject({ counts: { created: 3 }, takenBack: 0, changedSince: 1 });
  expect(seen.secondary.rows.get('3-3-3')).toBe(changed[1]);
  // After the look.
  const unseen = await aBackedUpEngine();
  registerWhile(unseen, [own]);
  const { deleteRegistration } = unseen.secondary;
  unseen.secondary.deleteRegistration = (...args) => {
    unseen.secondary.rows.set(...changed);
    return deleteRegistration(...args);
  };
  expect(await restore(unseen)).toMatchObject({ counts: { created: 2, keptLive: 1 }, takenBack: 0 });
  expect(unseen.secondary.rows.get('3-3-3')).toBe(changed[1]);
});

test('twins of the snapshot stay twins', async () => {
  const engine = await aBackedUpEngine();
  engine.primary.rows.set('4-4-4', anAppleRow({ id: '4-4-4', token, tags: ['b'] }));
  for (const [id, xml] of installation) engine.primary.rows.set(id, xml);
  await backUp(engine);
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 4 }, takenBack: 0 });
  expect(engine.secondary.rows.size).toBe(6);
});
