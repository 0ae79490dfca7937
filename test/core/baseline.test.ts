import { expect, it } from 'vitest';
import { nextRecord, type Observation, type Times } from '../../src/core/baseline/agree.ts';
import { type Agreed, type BaselineRecord, turned } from '../../src/core/baseline/record.ts';
import { BaselineTable, createBaselineWriter } from '../../src/core/baseline/table.ts';
import { type Circumstances, decideByTable } from '../../src/core/restore/plan/decision-table.ts';

const entry: Agreed = {
  kind: 'entry',
  source: { version: 1, at: 10, content: 7, isOwn: false },
  target: { version: 2, at: 20, content: 8, isOwn: true },
  expiry: 1_800_000_000,
};
const tombstone: Agreed = { kind: 'tombstone', source: { version: 1, at: 10 }, target: { version: undefined, at: 20 } };
const before = (agreed: Agreed, note?: BaselineRecord['note']): BaselineRecord => ({ keyHash: 9, agreed, note });
const times: Times = { readAt: 30, lookAt: 40, wasTargetInUse: () => false };
/** What is the source now was in use last. */
const failback: Circumstances = {
  ...{ purpose: 'failback', isResurrecting: false, wasTargetInUseBefore: true, sourceTermStart: 45 },
  ...{ isFromBefore: false, isGoneSince: false, isAbsenceProven: true, sourceEmptyAt: Number.NEGATIVE_INFINITY },
  exceeded: { deletes: false, absences: false, drift: false },
  wasTargetInUse: () => true,
  wasSourceInUseLast: () => true,
};
const seen = (change: Partial<Observation>): Observation => ({
  end: 'agreed',
  written: 'nothing',
  wanted: { version: 3, content: 7 },
  live: { version: 4, content: 8 },
  isSame: true,
  expiry: 0,
  ...change,
});

it('keeps its numbers, also seen from the other hub', () => {
  const note = { source: { version: undefined, at: 5 }, target: { version: 6, at: 7 } };
  const owed = before({ ...entry, owedTo: 'target' }, note);
  expect(turned(owed).agreed).toMatchObject({ owedTo: 'source' });
  const kept = [before(entry, note), before(tombstone), before('unknown', note), before('none', note)];
  const inPart = before({ ...tombstone, owedTo: 'target' });
  expect(turned(inPart).agreed).toMatchObject({ owedTo: 'source' });
  const records = [...kept, owed, turned(owed), inPart, turned(inPart)];
  const writer = createBaselineWriter(1);
  for (const [index, record] of records.entries()) {
    const one = { ...record, keyHash: index };
    writer.add(one);
    expect(new BaselineTable(writer.finish()).get(index)).toEqual(one);
    expect(turned(turned(one))).toEqual(one);
  }
  expect(turned(before(entry)).agreed).toMatchObject({ source: { version: 2 }, target: { version: 1 } });
  expect(() => new BaselineTable(Float64Array.of(1, 2))).toThrow(RangeError);
});

it('moves for what a look has proven, and for nothing else', () => {
  const agreed = nextRecord(before('none'), seen({ written: 'content' }), times);
  expect(agreed.agreed).toMatchObject({ source: { version: 3, at: 30 }, target: { version: 4, at: 40, isOwn: true } });
  for (const one of [seen({ isSame: false }), seen({ end: 'none' }), seen({ end: 'removed' }), seen({ end: 'gone' })]) {
    expect(nextRecord(before(entry), one, times)).toEqual(before(entry));
  }
});

it('remembers what was to be written and is not there until it is seen', () => {
  const note = { source: { version: 5, at: 5 }, target: { version: 6, at: 7 } };
  const missing = seen({ end: 'owed', live: undefined, isSame: false });
  const owed = nextRecord(before(entry), missing, times);
  expect(owed).toEqual(before({ ...entry, owedTo: 'target' }));
  expect(nextRecord(before(tombstone), missing, times)).toEqual(before('none'));
  expect(nextRecord(before('none', note), missing, times)).toEqual(before('none'));
  expect(nextRecord(owed, { ...missing, end: 'left' }, times)).toEqual(owed);
  expect(nextRecord(owed, seen({ end: 'left' }), times).agreed).toEqual(entry);
  expect(nextRecord(turned(owed), seen({ end: 'left' }), times).agreed).toEqual(turned(before(entry)).agreed);
  expect(nextRecord(owed, seen({}), times).agreed).not.toHaveProperty('owedTo');
});

it('never moves back', () => {
  const older: Times = { ...times, readAt: 5 };
  const same = nextRecord(before(entry), seen({}), older);
  expect(same.agreed).toMatchObject({ source: { version: 1, at: 10 }, target: { version: 4, at: 40 } });
  const other = seen({ wanted: { version: 3, content: 70 }, live: { version: 4, content: 80 } });
  expect(nextRecord(before(entry), other, older)).toEqual(before(entry));
  expect(nextRecord(before(tombstone), other, older)).toEqual(before(tombstone));
});

it('takes what an older snapshot shows in other words under the version agreed on for another registration', () => {
  const older: Times = { ...times, readAt: 5 };
  const reworded = seen({
    wanted: { version: 1, content: 70 },
    live: { version: 4, content: 80 },
    written: 'content',
  });
  const { agreed } = nextRecord(before(entry), reworded, older);
  expect(agreed).toMatchObject({ source: { version: 1, content: 70, at: 5 }, target: { version: 4, content: 80 } });
});

it('takes no agreement from a snapshot that holds what was taken back, unless it was written', () => {
  const undone: Times = { ...times, isUndone: true };
  expect(nextRecord(before(entry), seen({}), undone)).toEqual(before(entry));
  expect(nextRecord(before(entry), seen({ written: 'content' }), undone).agreed).toMatchObject({
    source: { version: 3 },
  });
});

it('calls a version its own that was seen before the source was read', () => {
  const foreign: Agreed = { ...entry, target: { ...entry.target, isOwn: false } };
  const still = seen({ live: { version: 2, content: 8 } });
  expect(nextRecord(before(foreign), still, times).agreed).toMatchObject({ target: { isOwn: true } });
  // The agreement keeps the source's side, which was read before that look.
  expect(nextRecord(before(foreign), still, { ...times, readAt: 5 }).agreed).toMatchObject({
    target: { isOwn: false },
  });
});

it('turns what was withdrawn into a tombstone, and what stays out as well', () => {
  const gone = seen({ live: undefined, isSame: false });
  const removed = nextRecord(before(entry), { ...gone, end: 'removed' }, times);
  expect(removed.agreed).toMatchObject({ kind: 'tombstone', source: { version: undefined }, target: { at: 40 } });
  const kept = nextRecord(before(entry), { ...gone, end: 'gone' }, times);
  // The source has moved since: the tombstone keeps the agreed version, and a note the one seen.
  expect(kept).toMatchObject({ agreed: { source: { version: 1, at: 10 } }, note: { source: { version: 3, at: 30 } } });
});

it('notes the first look at what it leaves, and renews only what moved', () => {
  const left = seen({ end: 'left', isSame: false });
  const noted = nextRecord(before(entry), left, times);
  expect(noted).toMatchObject({
    agreed: entry,
    note: { source: { version: 3, at: 30 }, target: { version: 4, at: 40 } },
  });
  const later: Times = { ...times, readAt: 50, lookAt: 60 };
  const again = { ...left, wanted: { version: 33, content: 1 } };
  expect(nextRecord(noted, again, later)).toEqual(noted);
  expect(nextRecord(noted, again, { ...later, wasTargetInUse: () => true }).note?.source).toEqual({
    version: 33,
    at: 50,
  });
  const moved = { ...left, live: { version: 44, content: 1 } };
  expect(nextRecord(noted, moved, later).note).toMatchObject({ target: { version: 44, at: 60 } });
});

it('neither notes nor keeps a version that the snapshot is unsure of', () => {
  const gone = seen({ end: 'gone', live: undefined, isSame: false, isUnsure: true });
  const left = seen({ end: 'left', isSame: false, isUnsure: true });
  for (const record of [before(entry), before(tombstone), before('none')]) {
    expect(nextRecord(record, gone, { ...times, isUndone: true })).toEqual(record);
    expect(nextRecord(record, left, times)).toEqual(record);
  }
  expect(nextRecord(before('none'), gone, times)).toEqual(before('none'));
});

it('remembers of what went that its other hub has shown a part since, until a snapshot has the whole', () => {
  const gone = seen({ end: 'gone', live: undefined, isSame: false, isUnsure: true });
  const inPart = nextRecord(before(tombstone), gone, times);
  expect(inPart).toEqual(before({ ...tombstone, owedTo: 'target' }));
  const source = { version: 1, at: 10 };
  const target = { version: undefined, at: 40 };
  expect(nextRecord(before(entry), gone, times)).toEqual(
    before({ kind: 'tombstone', source, target, owedTo: 'target' }),
  );
  // Neither a new version, nor a part, is ours to withdraw on the way back, but the agreed one is.
  const { agreed } = turned(inPart);
  const back = { readAt: 50, wantedVersion: undefined, agreed, agreedContent: 'other', note: undefined } as const;
  const view = { ...back, isSame: false, isExpired: false, isUnsure: false };
  expect(decideByTable({ ...view, liveVersion: 5 }, failback)).toEqual({ row: '14', outcome: 'leftover' });
  expect(decideByTable({ ...view, liveVersion: 1 }, failback)).toEqual({ row: '13', outcome: 'withdrawn' });
  const whole = nextRecord(inPart, { ...gone, isUnsure: false, wanted: { version: 1, content: 7 } }, times);
  expect(whole.agreed).toEqual({ ...tombstone, owedTo: undefined });
});
