import { expect, test } from 'vitest';
import { readRecords } from '../../src/app/restore/records.ts';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { listSnapshotIds } from '../../src/app/snapshots/store.ts';
import type { RecordKind } from '../../src/core/restore/plan/outcomes.ts';
import { aBackedUp, backUp, codeOf, restore, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { anAppleRow, tokenOf } from '../support/rows.ts';

const plain = (index: number): string => `${index}9-5-1`;

/** A filled target, and since then one record of each kind that a restore tells apart. */
async function aChangedPair(): Promise<Engine> {
  const engine = await aBackedUp();
  await restore(engine);
  const { primary, secondary } = engine;
  const retag = (hub: Engine['primary'], index: number, tag: string): void => {
    hub.rows.set(plain(index), anAppleRow({ id: plain(index), tags: [tag], etag: 7 }));
  };
  retag(primary, 1, 'newer');
  retag(secondary, 3, 'its own');
  retag(primary, 5, 'here');
  retag(secondary, 5, 'there');
  primary.rows.delete(plain(7));
  primary.rows.delete(plain(9));
  retag(secondary, 9, 'changed there');
  primary.rows.set('1-1-1', anAppleRow({ id: '1-1-1', tags: ['new'] }));
  secondary.rows.set('2-2-2', anAppleRow({ id: '2-2-2', tags: ['stranger'] }));
  await backUp(engine);
  return engine;
}

const device = /^device apple [0-9a-f]{12}$/;

async function namesOf(engine: Engine, id: string, kind: RecordKind): Promise<string[]> {
  const names: string[] = [];
  for (let from: string | undefined = '0:0'; from !== undefined; ) {
    const page: Awaited<ReturnType<typeof readRecords>> = await readRecords(engine.app, id, kind, from);
    expect(page.value.length).toBeLessThanOrEqual(100);
    names.push(...page.value.map(({ record }) => record));
    from = page.next;
  }
  return names;
}

test('what a restore made of its records is listed by kind, as many as are counted, and without device tokens', async () => {
  const engine = await aChangedPair();
  const { id, counts } = await restore(engine);
  expect(counts).toMatchObject({
    ...{ created: 1, updated: 1, keptLive: 1, conflict: 1, withdrawn: 1, leftover: 1, onlyInTarget: 1 },
    unchanged: 19,
  });
  const kinds = ['created', 'updated', 'keptLive', 'conflict', 'withdrawn', 'unchanged', 'failed'] as const;
  for (const kind of kinds) {
    const names = await namesOf(engine, id, kind);
    expect(new Set(names).size).toBe(counts[kind]);
    for (const name of names) expect(name).toMatch(/^device apple [0-9a-f]{12}$|^installation device-\d+$/);
  }
  // What stays in the target alone is named by an earlier snapshot, and without that by the hash of its key.
  expect(await namesOf(engine, id, 'leftover')).toEqual([expect.stringMatching(device)]);
  const [first = ''] = await listSnapshotIds(engine.app, { namespace: 'one', hub: 'devices' });
  for (const { name } of await engine.blobs.list(`one/devices/snapshots/${first}/`)) await engine.blobs.remove(name);
  expect(await namesOf(engine, id, 'leftover')).toEqual([expect.stringMatching(/^key [0-9a-f]+$/)]);
  expect(await readRecords(engine.app, id, 'onlyInTarget')).toEqual({
    value: [],
    note: expect.stringContaining('not stored one by one'),
  });
  const all = (await Promise.all(kinds.map((kind) => namesOf(engine, id, kind)))).flat().join();
  for (let index = 0; index < 24; index++) expect(all).not.toContain(tokenOf(plain(index)));
});

test('a dry run names up to 20 records of each kind', async () => {
  const engine = await aChangedPair();
  const { id, examples, counts } = await restore(engine, { dryRun: true });
  expect(counts).toMatchObject({ updated: 1, withdrawn: 1, leftover: 1, onlyInTarget: 1 });
  expect(examples).toMatchObject({
    updated: [expect.stringMatching(device)],
    keptLive: [expect.stringMatching(device)],
    conflict: [expect.stringMatching(device)],
    withdrawn: [expect.stringMatching(/^key [0-9a-f]+$/)],
  });
  expect(await namesOf(engine, id, 'withdrawn')).toEqual([expect.stringMatching(device)]);
  const many = createEngine();
  seed(many, 200);
  await backUp(many);
  expect((await restore(many, { dryRun: true })).examples?.['created']).toHaveLength(20);
  expect((await restore(many)).examples).toBeUndefined();
});

test('a page of records ends at a hundred, and the next begins there', async () => {
  const engine = await aBackedUp(500);
  const { id } = await restore(engine);
  const names = await namesOf(engine, id, 'created');
  expect(names).toHaveLength(500);
  expect(new Set(names).size).toBe(500);
  expect(await codeOf(readRecords(engine.app, id, 'created', 'nonsense'))).toBe('BadRequest');
  expect(await codeOf(readRecords(engine.app, 'unknown', 'created'))).toBe('RunNotFound');
});

test('what a rollback removed and put back is listed, too', async () => {
  const engine = await aChangedPair();
  const { id } = await restore(engine);
  const { id: undoing } = await startRollback(engine.app, id, { confirm: 'three/devices' });
  await engine.drain();
  const { counts } = await readRestoreView(engine.app, undoing);
  expect(await namesOf(engine, undoing, 'removed')).toHaveLength(counts.removed);
  expect(await namesOf(engine, undoing, 'putBack')).toHaveLength(counts.putBack);
});

test('records are listed without their names once the snapshot is deleted', async () => {
  const engine = await aChangedPair();
  const { id } = await restore(engine);
  for (const { name } of await engine.blobs.list('one/devices/snapshots/')) await engine.blobs.remove(name);
  expect(await namesOf(engine, id, 'updated')).toEqual(['unknown: its snapshot was deleted']);
  expect(await namesOf(engine, id, 'leftover')).toEqual([expect.stringMatching(/^key /)]);
});
