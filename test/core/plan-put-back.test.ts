import { expect, test } from 'vitest';
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

test.each<{ written: PutBack['written']; outcome: string }>([
  { written: undefined, outcome: 'keptLive' },
  { written: { added: [], rewriteCount: 0 }, outcome: 'putBack' },
])('what shows as the snapshot has it is put back only where its restore may have written it: $outcome', (given) => {
  const record = aRecord(['new'], 7);
  const what = { record, before: aRecord(['old'], 1), live: aRecord(['new'], 2), written: given.written };
  const { decision } = planPutBack({ ...what, isDisplaced: false, earlier: undefined, isLastPass: false }, planning);
  expect(decision).toMatchObject({ outcome: given.outcome });
});
