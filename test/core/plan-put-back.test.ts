import { expect, test } from 'vitest';
import { versionHashOf } from '../../src/core/fingerprint/row.ts';
import { type RecordOfRows, recordKey } from '../../src/core/registration/record.ts';
import { parseRegistration } from '../../src/core/registration/registration.ts';
import { type PutBack, planPutBack } from '../../src/core/restore/plan/put-back.ts';
import { anAppleRow } from '../support/rows.ts';

const planning = {
  expiryFloorAtMs: 0,
  isTargetEmpty: false,
  elsewhere: { isTaken: () => false, oursUnder: () => [] },
  mintedFor: () => [],
};

function aRecord(tags: readonly string[], etag: number): RecordOfRows {
  const row = parseRegistration(anAppleRow({ id: '1-5-1', tags, etag }));
  return { key: recordKey(row), rows: [row] };
}

test('a row that another record was written over is put back beside the others of its device', () => {
  const template = { name: 'alert', body: '{}' };
  const rows = [anAppleRow({ id: '1-5-1' }), anAppleRow({ id: '2-5-1', template }), anAppleRow({ id: '3-5-1' })];
  const [native, displaced, again] = rows.map(parseRegistration).map((row) => ({ key: recordKey(row), rows: [row] }));
  if (displaced === undefined) throw new Error('There are three rows.');
  const what = { record: undefined, before: displaced, written: undefined, earlier: undefined, isLastPass: false };
  const planned = planPutBack({ ...what, live: native, isDisplaced: true }, planning);
  expect(planned.decision).toMatchObject({ outcome: 'putBack', writes: [{ kind: 'registration', id: '2-5-1' }] });
  // Where it is not certain that only that row was written over.
  expect(planPutBack({ ...what, live: native, isDisplaced: false }, planning).decision).toMatchObject({
    outcome: 'keptLive',
  });
  // What its restore wrote beside it goes.
  const written = { added: [0], seen: new Set((native?.rows ?? []).map(versionHashOf)) };
  const withAdded = { ...what, record: native, live: native, written, isDisplaced: true };
  expect(planPutBack(withAdded, planning).decision).toMatchObject({
    writes: [{ kind: 'registration', id: '2-5-1', over: { id: '1-5-1' } }],
  });
  const twice = { ...what, before: native ?? displaced, live: again, isDisplaced: true };
  expect(planPutBack(twice, planning).decision).toMatchObject({ outcome: 'keptLive' });
});

test.each<{ written: PutBack['written']; outcome: string }>([
  { written: undefined, outcome: 'keptLive' },
  { written: { added: [], rewriteCount: 0 }, outcome: 'putBack' },
])('what shows as the snapshot has it is put back only where its restore may have written it: $outcome', (given) => {
  const record = aRecord(['new'], 7);
  const what = { record, before: aRecord(['old'], 1), live: aRecord(['new'], 2), written: given.written };
  const { decision } = planPutBack({ ...what, isDisplaced: false, earlier: undefined, isLastPass: false }, planning);
  expect(decision).toMatchObject({ outcome: given.outcome });
});
