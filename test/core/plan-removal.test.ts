import { expect, test } from 'vitest';
import { versionHashOf } from '../../src/core/fingerprint/row.ts';
import type { RecordOfRows } from '../../src/core/registration/record.ts';
import { parseRegistration, type Registration } from '../../src/core/registration/registration.ts';
import { planRemoval, type WrittenRecord } from '../../src/core/restore/plan/removal.ts';
import { type AppleRowOptions, anAppleRow, anInstallation, tokenOf } from '../support/rows.ts';

const token = tokenOf('phone');
const template = { name: 'alert', body: '{}' };

function aRow(options: AppleRowOptions): Registration {
  return parseRegistration(anAppleRow({ token, ...options }));
}

function aDevice(...rows: Registration[]): RecordOfRows {
  return { key: `d:apple:${token}`, rows };
}

function asSeen(...rows: Registration[]): WrittenRecord {
  return { seen: new Set(rows.map(versionHashOf)) };
}

function anApp(etag: number, tags: readonly string[] = ['news']): RecordOfRows {
  const rows = anInstallation('app', { tags }).map(([, xml]) =>
    parseRegistration(xml.replace('<ETag>1</ETag>', `<ETag>${etag}</ETag>`)),
  );
  return { key: 'i:app', rows };
}

const same = (): readonly string[] => [];
const native = aRow({ id: '1-1-1', tags: ['a'] });
const templated = aRow({ id: '1-1-2', tags: ['a'], template });

test('what is exactly as it was seen after the restore goes, each row by its own ETag', () => {
  const live = aDevice(
    aRow({ id: '1-1-1', tags: ['a'], etag: 4 }),
    aRow({ id: '1-1-2', tags: ['a'], template, etag: 5 }),
  );
  expect(planRemoval(aDevice(native, templated), live, asSeen(...live.rows), same)).toEqual({
    kind: 'remove',
    writes: [
      { kind: 'rowDeletion', id: '1-1-1', etag: 4 },
      { kind: 'rowDeletion', id: '1-1-2', etag: 5 },
    ],
  });
});

test.each([
  ['other tags', aRow({ id: '1-1-1', tags: ['b'], etag: 2 })],
  ['a moved ETag with the same content', aRow({ id: '1-1-1', tags: ['a'], etag: 2 })],
])('a device of which one row has %s keeps all of them', (_what, changed) => {
  const plan = planRemoval(aDevice(native, templated), aDevice(changed, templated), asSeen(native, templated), same);
  expect(plan).toEqual({ kind: 'changed' });
});

test('rows the device registered itself beside them stay', () => {
  const own = aRow({ id: '9-9-9', tags: ['a'] });
  expect(planRemoval(aDevice(native), aDevice(native, own), asSeen(native), same)).toEqual({
    kind: 'remove',
    writes: [{ kind: 'rowDeletion', id: '1-1-1', etag: 1 }],
  });
  expect(planRemoval(aDevice(native), aDevice(own), asSeen(native), same)).toEqual({ kind: 'gone' });
});

test('of a device that lived before only the rows the restore added go', () => {
  const written = { added: [1], ...asSeen(native, templated) };
  expect(planRemoval(aDevice(native, templated), aDevice(native, templated), written, same)).toEqual({
    kind: 'remove',
    writes: [{ kind: 'rowDeletion', id: '1-1-2', etag: 1 }],
  });
  expect(planRemoval(aDevice(native, templated), aDevice(native), written, same)).toEqual({ kind: 'gone' });
});

test('a row under an id the target gave out is found by the id map', () => {
  const live = aDevice(aRow({ id: '77-7-1', tags: ['a'] }));
  const minted = (id: string): readonly string[] => (id === '1-1-1' ? ['77-7-1'] : []);
  expect(planRemoval(aDevice(native), live, asSeen(...live.rows), minted)).toMatchObject({ kind: 'remove' });
  expect(planRemoval(aDevice(native), live, asSeen(...live.rows), same)).toEqual({ kind: 'gone' });
});

test('a device the restore never saw again goes when it is what the restore wrote, and stays when not', () => {
  const later = aRow({ id: '1-1-1', tags: ['a'], etag: 7 });
  expect(planRemoval(aDevice(native), aDevice(later), {}, same)).toMatchObject({ kind: 'remove' });
  expect(planRemoval(aDevice(native), aDevice(aRow({ id: '1-1-1', tags: ['b'] })), {}, same)).toEqual({
    kind: 'changed',
  });
});

test('an installation goes as a whole when every row of it is as it was seen', () => {
  const versions = anApp(3).rows.map(versionHashOf);
  const removal = (asSeen: readonly number[]) => ({
    kind: 'remove',
    writes: [{ kind: 'installationDeletion', id: 'app', asSeen }],
  });
  const seen = asSeen(...anApp(3).rows);
  expect(planRemoval(anApp(1), anApp(3), seen, same)).toEqual(removal(versions));
  expect(planRemoval(anApp(1), anApp(4), seen, same)).toEqual({ kind: 'changed' });
  expect(planRemoval(anApp(1), anApp(4, ['other']), seen, same)).toEqual({ kind: 'changed' });
  expect(planRemoval(anApp(1), undefined, seen, same)).toEqual({ kind: 'gone' });
  const half = { ...anApp(3), rows: anApp(3).rows.slice(1) };
  expect(planRemoval(anApp(1), half, seen, same)).toEqual(removal([...versions].reverse()));
});

test('an installation the restore never saw again goes only when it is there as a whole', () => {
  expect(planRemoval(anApp(1), anApp(9), {}, same)).toMatchObject({ kind: 'remove' });
  const half = { ...anApp(3), rows: anApp(3).rows.slice(1) };
  expect(planRemoval(anApp(1), half, {}, same)).toEqual({ kind: 'changed' });
  expect(planRemoval(anApp(1), anApp(1, ['other']), {}, same)).toEqual({ kind: 'changed' });
});

test('an installation that was written again goes also when the later write has shown after the last look', () => {
  const written = { ...asSeen(...anApp(1).rows), rewriteCount: 1 };
  expect(planRemoval(anApp(1), anApp(2), written, same)).toMatchObject({ kind: 'remove' });
  // Two writes of the restore's own raise the ETag no further.
  expect(planRemoval(anApp(1), anApp(3), written, same)).toEqual({ kind: 'changed' });
  expect(planRemoval(anApp(1), anApp(2, ['other']), written, same)).toEqual({ kind: 'changed' });
});

test('in a hub that no device uses all that lives under a written key goes, however it is there', () => {
  const what = { ...asSeen(...anApp(1).rows), isOurs: true };
  expect(planRemoval(anApp(1), anApp(7, ['other']), what, same)).toMatchObject({ kind: 'remove' });
  const altered = aRow({ id: '1-1-1', tags: [], etag: 5 });
  expect(planRemoval(aDevice(native), aDevice(altered), { isOurs: true }, same)).toMatchObject({ kind: 'remove' });
});

test('a row that its device made again under its id keeps it, though its version is the one that was seen', () => {
  const again = aRow({ id: '1-1-1', tags: ['b'] });
  expect(planRemoval(aDevice(native), aDevice(again), asSeen(native), same)).toEqual({ kind: 'changed' });
});

test('what the target has stored otherwise than it was sent goes by its version', () => {
  const stored = aRow({ id: '1-1-1', tags: [] });
  const altered = new Set([versionHashOf(stored)]);
  expect(planRemoval(aDevice(native), aDevice(stored), { seen: altered, altered }, same).kind).toBe('remove');
});

test('once all that a restore wrote shows, an installation made again is none of its repeated writes', () => {
  const what = { ...asSeen(...anApp(1).rows), removed: new Set([1]) };
  const again = { key: 'i:app', rows: anApp(2).rows.map((row) => ({ ...row, id: `9${row.id}`, etag: 1 })) };
  expect(planRemoval(anApp(1), again, { ...what, rewriteCount: 1 }, same).kind).toBe('remove');
  expect(planRemoval(anApp(1), again, { ...what, rewriteCount: 0 }, same).kind).toBe('changed');
});
