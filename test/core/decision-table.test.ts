import { expect, it } from 'vitest';
import type { Agreed, Note } from '../../src/core/baseline/record.ts';
import { type Circumstances, decideByTable, type RecordView } from '../../src/core/restore/plan/decision-table.ts';

/** The source was read at 10; the two hubs agreed at 20, when the target was looked at; the snapshot is of 30. */
const entry: Agreed = {
  kind: 'entry',
  source: { version: 1, at: 10, content: 7, isOwn: false },
  target: { version: 2, at: 20, content: 7, isOwn: true },
  expiry: 0,
};
/** Seen from the other hub: what is the source now was looked at last. */
const back: Agreed = { ...entry, source: entry.target, target: entry.source };
const tombstone: Agreed = { kind: 'tombstone', source: { version: 1, at: 10 }, target: { version: undefined, at: 20 } };
/** The target's device has written what was agreed on, after the source was read. */
const ofTarget: Agreed = { ...entry, target: { ...entry.target, isOwn: false } };
/** The source's device has, after the target was read. */
const ofSource: Agreed = { ...ofTarget, source: { ...entry.source, at: 25 } };
const seenAgain: Agreed = { kind: 'tombstone', source: { version: undefined, at: 10 }, target: { version: 2, at: 20 } };
const note: Note = { source: { version: 1, at: 10 }, target: { version: 5, at: 20 } };

/** The listing of the source had passed over it. */
const noteOfNone: Note = { source: { version: undefined, at: 25 }, target: { version: 5, at: 27 } };
/** Both sides were read at the same time, in that order. */
const noteAtOnce: Note = { source: { version: 1, at: 20 }, target: { version: 5, at: 20 } };
/** The source spoke again, and the record still was to stay out. */
const noteOfAbsence: Note = { source: { version: 3, at: 30 }, target: { version: undefined, at: 30 } };

const view = (change: Partial<RecordView>): RecordView => ({
  readAt: 30,
  wantedVersion: 1,
  liveVersion: 2,
  isSame: false,
  agreed: 'none',
  agreedContent: 'other',
  isExpired: false,
  note: undefined,
  isUnsure: false,
  ...change,
});

const calm: Circumstances = {
  purpose: 'restore',
  isResurrecting: false,
  wasTargetInUse: () => false,
  wasSourceInUseLast: () => true,
  wasTargetInUseBefore: false,
  sourceTermStart: 0,
  isFromBefore: false,
  isGoneSince: false,
  isAbsenceProven: true,
  sourceEmptyAt: Number.NEGATIVE_INFINITY,
  exceeded: { deletes: false, absences: false, drift: false },
};
const inUse = { wasTargetInUse: () => true, wasSourceInUseLast: () => false };
const absent = { wantedVersion: undefined };
const missing = { liveVersion: undefined };
const tooMany = { exceeded: { deletes: true, absences: true, drift: true } };

type Case = readonly [row: string, outcome: string, Partial<RecordView>, Partial<Circumstances>?];
const cases: readonly Case[] = [
  ['1', 'unchanged', { isSame: true }],
  ['1', 'unchanged', { isSame: true, agreed: tombstone }],
  ['2', 'updated', { wantedVersion: 3, liveVersion: 5, note }],
  ['7', 'keptLive', { wantedVersion: 3, liveVersion: 5, note, isUnsure: true }],
  ['7', 'keptLive', { wantedVersion: 3, liveVersion: 5, note }, inUse],
  ['7', 'keptLive', { wantedVersion: 1, liveVersion: 5, note }],
  ['4', 'keptLive', { wantedVersion: 1, liveVersion: 5, note: noteOfNone, agreed: entry, agreedContent: 'wanted' }],
  ['2', 'updated', { wantedVersion: 3, liveVersion: 5, note: noteOfNone, agreed: entry }],
  ['2', 'withdrawn', { ...absent, liveVersion: 5, note, agreed: entry }],
  ['2', 'updated', { wantedVersion: 3, liveVersion: 5, note: noteAtOnce }, inUse],
  ['2', 'updated', { wantedVersion: 3, liveVersion: 5, note }, { wasSourceInUseLast: () => false }],
  ['2', 'updated', { wantedVersion: 3, liveVersion: 5, note }, { wasTargetInUse: () => true, sourceTermStart: 25 }],
  ['7', 'keptLive', { wantedVersion: 3, liveVersion: 5, note }, { wasTargetInUse: () => true, sourceTermStart: 40 }],
  ['2', 'withdrawn', { ...absent, liveVersion: 5, note: noteAtOnce, agreed: ofTarget }, inUse],
  ['12b', 'goneInTarget', { ...missing, note }, inUse],
  ['12b', 'goneInTarget', { ...missing, note, agreed: 'unknown' }, inUse],
  ['12', 'created', { ...missing, note }],
  ['12', 'created', { ...missing, note, wantedVersion: 3 }, { wasTargetInUse: () => true }],
  ['12', 'created', { ...missing, note }, { ...inUse, ...tooMany }],
  ['12', 'created', { ...missing, note }, { ...inUse, isResurrecting: true }],
  ['12', 'created', { ...missing, note: noteOfAbsence, wantedVersion: 3 }, inUse],
  ['3', 'updated', { wantedVersion: 3, agreed: entry, agreedContent: 'live' }],
  ['3', 'updated', { wantedVersion: 3, agreed: entry, agreedContent: 'live', readAt: 10 }],
  ['3', 'updated', { wantedVersion: 3, agreed: entry, agreedContent: 'live' }, inUse],
  ['3', 'updated', { wantedVersion: 3, agreed: ofTarget, agreedContent: 'live' }],
  ['3', 'updated', { wantedVersion: 3, agreed: ofSource, agreedContent: 'live' }, inUse],
  ['3', 'conflict', { wantedVersion: 3, agreed: ofTarget, agreedContent: 'live' }, inUse],
  ['3', 'conflict', { wantedVersion: 3, agreed: entry, agreedContent: 'live', readAt: 5 }],
  ['3b', 'conflict', { wantedVersion: 3, liveVersion: 4, agreed: entry, agreedContent: 'live' }],
  ['3b', 'sourceWins', { liveVersion: 4, agreed: entry, agreedContent: 'live' }, { purpose: 'failback' }],
  ['4', 'keptLive', { liveVersion: 4, agreed: entry, agreedContent: 'wanted' }],
  ['5', 'conflict', { wantedVersion: 3, liveVersion: 4, agreed: entry }],
  ['5', 'conflict', { wantedVersion: 3, liveVersion: 4, agreed: tombstone }],
  ['5', 'conflict', { wantedVersion: 3, liveVersion: 4, agreed: entry }, { purpose: 'failback', ...tooMany }],
  ['6', 'conflict', {}, { wasTargetInUseBefore: true }],
  ['6', 'updated', {}, { wasTargetInUseBefore: true, isFromBefore: true }],
  ['6', 'conflict', { isUnsure: true }, { wasTargetInUseBefore: true, isFromBefore: true }],
  ['6', 'sourceWins', { agreed: 'unknown' }, { wasTargetInUseBefore: true, purpose: 'failback' }],
  ['7', 'keptLive', {}],
  ['8', 'unknownOrigin', { agreed: 'unknown' }],
  ['8', 'unknownOrigin', { agreed: 'unknown' }, { wasTargetInUseBefore: true }],
  ['9', 'goneInTarget', { ...missing, agreed: entry }, { isGoneSince: true }],
  ['12', 'created', missing, { isGoneSince: true, isResurrecting: true }],
  ['12', 'created', missing, { isGoneSince: true, ...tooMany }],
  ['9b', 'created', { ...missing, wantedVersion: 3, agreed: entry }],
  ['9b', 'created', { ...missing, wantedVersion: 2, agreed: { ...back, source: { ...back.source, isOwn: false } } }],
  ['9b', 'created', { ...missing, agreed: ofSource }],
  // Its backend has written or deleted it in both hubs since the snapshot was read.
  ['10', 'goneInTarget', { ...missing, isSpokenSince: true }],
  ['10', 'goneInTarget', { ...missing, agreed: entry, isSpokenSince: true }],
  ['10', 'created', { ...missing, agreed: entry, isSpokenSince: true }, { isResurrecting: true }],
  ['4', 'keptLive', { wantedVersion: 3, liveVersion: 5, agreed: entry, isSpokenSince: true }],
  ['4', 'keptLive', { wantedVersion: 3, liveVersion: 5, note, isSpokenSince: true }],
  ['14', 'leftover', { wantedVersion: undefined, agreed: entry, isSpokenSince: true }],
  ['15', 'onlyInTarget', { wantedVersion: undefined, isSpokenSince: true }],
  ['10', 'goneInTarget', { ...missing, wantedVersion: 3, agreed: entry, isUnsure: true }, inUse],
  ['10', 'created', { ...missing, agreed: ofTarget }],
  ['10', 'created', { ...missing, wantedVersion: 3, agreed: entry, readAt: 10 }],
  ['10', 'created', { ...missing, agreed: entry }],
  ['10', 'goneInTarget', { ...missing, wantedVersion: 2, agreed: back }, inUse],
  ['10', 'created', { ...missing, agreed: entry }, { ...inUse, isResurrecting: true }],
  ['10', 'goneInTarget', { ...missing, agreed: entry }, inUse],
  ['10', 'created', { ...missing, agreed: entry, isExpired: true }, inUse],
  ['10', 'created', { ...missing, agreed: entry }, { ...inUse, ...tooMany }],
  ['10', 'created', { ...missing, agreed: { ...entry, owedTo: 'target' } }, inUse],
  ['10', 'goneInTarget', { ...missing, agreed: { ...entry, owedTo: 'source' } }, inUse],
  ['11', 'goneInTarget', { ...missing, agreed: tombstone }],
  ['11', 'created', { ...missing, agreed: tombstone }, { isResurrecting: true }],
  ['11', 'created', { ...missing, wantedVersion: 3, agreed: tombstone }],
  ['11', 'goneInTarget', { ...missing, wantedVersion: 3, agreed: tombstone, isUnsure: true }],
  ['11', 'created', { ...missing, agreed: seenAgain }],
  ['11', 'goneInTarget', { ...missing, agreed: seenAgain, readAt: 10 }],
  ['11', 'goneInTarget', { ...missing, agreed: tombstone }, { isGoneSince: true }],
  ['11', 'goneInTarget', { ...missing, agreed: seenAgain }, { isGoneSince: true }],
  ['11', 'created', { ...missing, agreed: seenAgain }, { isGoneSince: true, ...tooMany }],
  ['11', 'goneInTarget', { ...missing, wantedVersion: 3, agreed: tombstone, readAt: 20 }],
  ['11', 'goneInTarget', { ...missing, wantedVersion: 3, agreed: tombstone, note: noteOfAbsence, readAt: 35 }],
  ['11', 'created', { ...missing, wantedVersion: 4, agreed: tombstone, note: noteOfAbsence, readAt: 35 }],
  [
    '11',
    'created',
    { ...missing, wantedVersion: 3, agreed: tombstone, note: { ...noteOfAbsence, target: note.target } },
  ],
  ['12', 'created', missing],
  ['12', 'created', { ...missing, agreed: 'unknown' }],
  ['13', 'withdrawn', { ...absent, agreed: entry, agreedContent: 'live' }],
  ['13', 'withdrawn', { ...absent, agreed: seenAgain }],
  ['13', 'withdrawn', { ...absent, agreed: seenAgain, readAt: 5 }],
  ['13', 'leftover', { ...absent, agreed: entry, agreedContent: 'live' }, { isAbsenceProven: false }],
  ['13', 'leftover', { ...absent, agreed: entry, agreedContent: 'live' }, { sourceEmptyAt: Number.POSITIVE_INFINITY }],
  ['13', 'leftover', { ...absent, agreed: entry, agreedContent: 'live' }, { sourceEmptyAt: 11 }],
  ['13', 'withdrawn', { ...absent, agreed: entry, agreedContent: 'live' }, { sourceEmptyAt: 9 }],
  ['13', 'leftover', { ...absent, agreed: entry, agreedContent: 'live', isExpired: true }],
  ['13', 'leftover', { ...absent, agreed: entry, agreedContent: 'live' }, tooMany],
  ['13', 'conflict', { ...absent, agreed: entry, agreedContent: 'live', readAt: 5 }],
  ['13', 'leftover', { ...absent, agreed: { ...entry, owedTo: 'source' }, agreedContent: 'live' }],
  ['14', 'leftover', { ...absent, liveVersion: 4, agreed: entry }],
  ['14', 'leftover', { ...absent, agreed: entry }],
  ['14', 'withdrawn', { ...absent, liveVersion: 4, agreed: entry }, { purpose: 'failback' }],
  ['14', 'leftover', { ...absent, liveVersion: 4, agreed: { ...entry, owedTo: 'source' } }, { purpose: 'failback' }],
  ['15', 'onlyInTarget', absent],
  ['15', 'onlyInTarget', { ...absent, agreed: 'unknown' }],
  ['16', 'nothing', { ...absent, ...missing, agreed: entry }],
];

for (const [row, outcome, change, around] of cases) {
  it(`row ${row} of the table gives ${outcome} of ${JSON.stringify(change)}`, () => {
    expect(decideByTable(view(change), { ...calm, ...around })).toEqual({ row, outcome });
  });
}

it('has a case for every row', () => {
  const rows = [
    '1',
    '2',
    '3',
    '3b',
    '4',
    '5',
    '6',
    '7',
    '8',
    '9',
    '9b',
    '10',
    '11',
    '12',
    '12b',
    '13',
    '14',
    '15',
    '16',
  ];
  expect([...new Set(cases.map(([row]) => row))].sort()).toEqual(rows.sort());
});
