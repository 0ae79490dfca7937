import fc from 'fast-check';
import { expect, test } from 'vitest';
import { noOutcomes } from '../../src/app/restore/outcomes/store.ts';
import { sha256Hex } from '../../src/app/stored/codec.ts';
import { documents } from '../../src/app/stored/documents.ts';
import { toMetadata } from '../../src/azure/facts.ts';
import { DrError } from '../../src/core/errors.ts';
import {
  groupRows,
  keyHashOf,
  recordKey,
  sectionOf,
  sectionsOf,
  shardCountFor,
} from '../../src/core/registration/record.ts';
import { parseRegistration } from '../../src/core/registration/registration.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { addSample } from '../../src/core/restore/milestones.ts';
import { newestLetters, outcomesSchema } from '../../src/core/restore/plan/outcomes.ts';
import { sumOutcomes, toFacts } from '../../src/core/restore/totals.ts';
import { advance, isRunId, newRunId, type Run, startOfRunId } from '../../src/core/run/run.ts';
import { formatStep, parseStep, type Step } from '../../src/core/run/step.ts';
import { judgeSnapshot } from '../../src/core/snapshot/health.ts';
import { addDigest, type RecordCounts } from '../../src/core/snapshot/manifest.ts';
import { newScanCheckpoint } from '../../src/core/snapshot/scan-checkpoint.ts';
import { anAppleRow } from '../support/rows.ts';
import { aBackupRun } from '../support/runs.ts';

const manifest = addDigest(
  {
    id: '2026-11-23T09-00-00Z-abcdef',
    hub: { namespace: 'one', hub: 'devices' },
    readStartedAt: '2026-11-23T09:00:00.000Z',
    readFinishedAt: '2026-11-23T09:01:00.000Z',
    publishedAt: '2026-11-23T09:02:00.000Z',
    counts: { records: 1, installations: 0, registrations: 1, templates: 0, byPlatform: { Apple: 1 } },
    duplicatesSeen: 0,
    unreadableRows: 0,
    listingRestarts: 0,
    health: 'good',
    healthReasons: [],
    toolVersion: '0.1.0',
    shards: [{ name: 'shards/0000.jsonl.gz', records: 1, registrations: 1, bytes: 10, sha256: 'a'.repeat(64) }],
  },
  sha256Hex,
);

const run: Run = aBackupRun;

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'none';
  } catch (error) {
    return error instanceof DrError ? error.code : String(error);
  }
}

test('a manifest is read back as written, and refused when a digit of it changed', () => {
  const text = Buffer.from(documents.manifest.pack('m', manifest)).toString();
  const read = (changed: string) => documents.manifest.open('m', Buffer.from(changed));
  expect(read(text)).toEqual(manifest);
  expect(codeOf(() => read(text.replace('"bytes": 10', '"bytes": 100')))).toBe('SnapshotCorrupt');
  expect(codeOf(() => read(text.replace('"formatVersion": 1', '"formatVersion": 2')))).toBe('SnapshotVersionUnknown');
  expect(codeOf(() => read(text.slice(0, -9)))).toBe('SnapshotCorrupt');
});

test('stored documents and messages are read back as written', () => {
  expect(documents.run.open('r', documents.run.pack('r', run))).toEqual(run);
  const step: Step = { formatVersion: 1, kind: 'backup', runId: 'x', phase: 'seal', pass: 1, shard: 3, attempt: 0 };
  expect(parseStep(JSON.parse(formatStep(step)))).toEqual(step);
});

test('whatever a stored document, message or body holds, reading it ends in a coded error or a value', () => {
  const readers: ((text: string) => unknown)[] = [
    (text) => documents.lock.open('l', Buffer.from(text)),
    (text) => documents.manifest.open('m', Buffer.from(text)),
    (text) => documents.run.open('r', withItsChecksum('r', text)),
    (text) => documents.restoredShard.open('o', withItsChecksum('o', text)),
    (text) => parseStep(text),
    (text) => parseRestoreRequest(text),
  ];
  const texts = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constant(JSON.stringify(run)).map((text) => text.replace('1', '')),
  );
  fc.assert(
    fc.property(texts, fc.constantFrom(...readers), (text, read) => {
      expect(codeOf(() => read(text))).not.toMatch(/^\w*Error:/);
    }),
  );
});

/** The bytes of a document whose checksum fits a text that may be no JSON object. */
function withItsChecksum(name: string, text: string): Uint8Array {
  return Buffer.from(`${text.slice(0, -1)},"sha256":"${sha256Hex(`${name}\n${text.slice(0, -1)}}`)}"}\n`);
}

test('who only shows how far a listing has come reads the same checkpoint as who resumes it', () => {
  const segment = { name: 's', lengths: [3, 0], tableLengths: [] };
  const checkpoint = { ...newScanCheckpoint(run.createdAt, 1), rowCount: 700, segments: [segment] };
  const bytes = documents.scan.pack('c', checkpoint);
  expect(documents.scan.open('c', bytes)).toEqual(checkpoint);
  expect(documents.scanRowCount.open('c', bytes)).toEqual({ rowCount: 700 });
});

test('a run only moves forward', () => {
  const to = { name: 'seal', pass: 1, startedAt: run.createdAt } as const;
  const next = advance(run, to);
  expect(next.phase).toEqual({ ...to, isDispatched: false });
  expect(codeOf(() => advance(next, to))).toBe('Internal');
  expect(codeOf(() => advance(next, { ...to, name: 'scan' }))).toBe('Internal');
});

test('run ids sort by time, tell when they were made, and are safe in a URL and a blob name', () => {
  const id = newRunId(Date.parse('2026-11-23T09:08:07.999Z'), 'abcdef');
  expect(id).toBe('2026-11-23T09-08-07Z-abcdef');
  expect(startOfRunId(id)).toBe(Date.parse('2026-11-23T09:08:07Z'));
  expect(isRunId(id)).toBe(true);
  for (const bad of ['', '.', '..', '-a', 'a/b', 'a b', 'ä', 'x'.repeat(65), 'a.']) expect(isRunId(bad)).toBe(false);
});

test('every section belongs to exactly one shard, for every shard count', () => {
  for (const rowCount of [0, 1, 39_999, 40_001, 1_000_000, 100_000_000]) {
    const shardCount = shardCountFor(rowCount);
    const sections = Array.from({ length: shardCount }, (_, shard) => sectionsOf(shard, shardCount));
    expect(sections.flatMap(({ first, count }) => Array.from({ length: count }, (_, index) => first + index))).toEqual(
      Array.from({ length: 1024 }, (_, index) => index),
    );
  }
  expect([shardCountFor(0), shardCountFor(40_000), shardCountFor(40_001), shardCountFor(10_000_000)]).toEqual([
    4, 4, 8, 1024,
  ]);
});

test('the section of a key never changes: stored snapshots depend on it', () => {
  expect(['i:a', 'd:apple:00FF', 'i:Zoë-日本'].map((key) => sectionOf(keyHashOf(key)))).toEqual([1004, 645, 556]);
});

test('a row seen twice counts once, and the newer one stays', () => {
  const rows = [
    anAppleRow({ id: '1-1-1', etag: 1, tags: ['old'] }),
    anAppleRow({ id: '1-1-1', etag: 2, tags: ['new'] }),
    anAppleRow({ id: '1-1-1', etag: 1, tags: ['old'] }),
  ].map(parseRegistration);
  const { records, duplicatesSeen } = groupRows(rows);
  expect(duplicatesSeen).toBe(2);
  expect(records.map((record) => record.rows.map((row) => row.tags))).toEqual([[['new']]]);
});

test('a record is an installation by its tag, else a device by its handle', () => {
  const token = 'ab'.repeat(32);
  expect(recordKey(parseRegistration(anAppleRow({ id: '1-1-1', token, tags: ['$InstallationId:{x=1}', 'a'] })))).toBe(
    'i:x=1',
  );
  expect(recordKey(parseRegistration(anAppleRow({ id: '1-1-1', token })))).toBe(`d:apple:${token.toUpperCase()}`);
});

function judge(records: number, earlier: readonly number[], restartCount: number, unreadableCount = 0) {
  const good = earlier.map((amount) => plain(amount));
  return judgeSnapshot(plain(records), { good, ofHub: good, suspect: [] }, { restartCount, unreadableCount }, limits);
}

const limits = { suspectDropPercent: 20, suspectAcceptAfter: 4 };
const calm = { restartCount: 0, unreadableCount: 0 };

/** Apple devices without templates. */
function plain(records: number): RecordCounts {
  return { records, installations: 0, registrations: records, templates: 0, byPlatform: { Apple: records } };
}

test('an empty hub, a steep fall and a restless listing make a snapshot suspect', () => {
  expect(judge(0, [], 0).health).toBe('suspect');
  expect(judge(100, [], 0).health).toBe('good');
  expect(judge(80, [100, 100, 90], 0).health).toBe('good');
  expect(judge(79, [100, 100, 90], 0)).toEqual({
    health: 'suspect',
    healthReasons: ['79 records, more than 20 % below the usual 100'],
  });
  expect(judge(79, [2000, 1999], 0).healthReasons).toEqual(['79 records, more than 20 % below the usual 2,000']);
  expect(judge(100, [100], 3).health).toBe('suspect');
  expect(judge(10_000, [], 0, 10).health).toBe('good');
  expect(judge(10_000, [], 0, 11).health).toBe('suspect');
});

test.each<[string, Partial<RecordCounts>, string]>([
  ['templates', { templates: 0 }, '0 templates, more than 20 % below the usual 300'],
  ['installations', { installations: 150 }, '150 installations, more than 20 % below the usual 400'],
  ['registrations', { registrations: 1_000 }, '1,000 registrations, more than 20 % below the usual 1,300'],
  [
    'a platform',
    { byPlatform: { Apple: 800, Baidu: 30 } },
    '0 registrations of FcmV1, more than 20 % below the usual 470',
  ],
])('a fall of a part makes a snapshot suspect: %s', (_, part, reason) => {
  const byPlatform = { Apple: 800, FcmV1: 470, Baidu: 30 };
  const usual = { records: 1_000, installations: 400, registrations: 1_300, templates: 300, byPlatform };
  const earlier = { good: [usual, usual], ofHub: [usual, usual], suspect: [] };
  expect(judgeSnapshot({ ...usual, ...part }, earlier, calm, limits)).toEqual({
    health: 'suspect',
    healthReasons: [reason],
  });
  // The other hub may have held devices twice.
  expect(judgeSnapshot({ ...usual, ...part }, { ...earlier, ofHub: [] }, calm, limits).health).toBe('good');
  // One device of a few is none.
  const fewer = { ...usual, byPlatform: { ...byPlatform, Baidu: 10 } };
  expect(judgeSnapshot(fewer, earlier, calm, limits).health).toBe('good');
});

test('a fall that several snapshots in a row show alike is taken for what happened; an empty hub never is', () => {
  const judged = (records: number, suspects: readonly number[], suspectAcceptAfter = 4) => {
    const earlier = { good: [plain(1_000)], ofHub: [plain(1_000)], suspect: suspects.map(plain) };
    return judgeSnapshot(plain(records), earlier, calm, { ...limits, suspectAcceptAfter }).health;
  };
  expect(judged(500, [500, 510])).toBe('suspect');
  expect(judged(500, [500, 510, 490])).toBe('good');
  expect(judged(500, [500, 510, 490, 0])).toBe('good');
  expect(judged(500, [500, 0, 490])).toBe('suspect');
  expect(judged(500, [500, 510, 700])).toBe('suspect');
  expect(judged(0, [0, 0, 0, 0])).toBe('suspect');
  expect(
    judged(
      500,
      Array.from({ length: 50 }, () => 500),
      0,
    ),
  ).toBe('suspect');
});

test('counts add up to the total, and to those of the platforms, whatever the shards say', () => {
  const letter = fc.constantFrom(...'.cu=krf-CUR');
  const record = fc.tuple(letter, letter, fc.constantFrom('Apple', 'FcmV1', 'Pigeon Post=1,2'));
  fc.assert(
    fc.property(fc.array(fc.array(record, { maxLength: 30 }), { maxLength: 6 }), fc.nat(3), (shards, unsealed) => {
      const passes = [1, 2].map((pass) => {
        const facts = shards.map((records) => {
          const [first, second] = [0, 1].map((at) => records.map((one) => one[at]).join(''));
          const letters = pass === 1 ? (first ?? '') : newestLetters(second ?? '', first);
          const outcomes = { ...someOutcomes, letters };
          expect(outcomesSchema.parse(JSON.parse(JSON.stringify(outcomes)))).toEqual(outcomes);
          return toFacts(outcomes, { letters, platforms: records.map(([, , platform]) => platform), wavesDone: 0 });
        });
        return [pass, new Map(facts.map((one, shard) => [shard, one]))] as const;
      });
      const recordCount = shards.flat().length + unsealed;
      const { counts, byPlatform } = sumOutcomes(recordCount, new Map(passes), '2026-11-23T09:00:00.000Z');
      const { total, pending, ...settled } = counts;
      const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
      expect(sumOf(Object.values(settled)) + pending).toBe(total);
      expect(sumOf(Object.values(byPlatform).flatMap((one) => Object.values(one)))).toBe(total - unsealed);
      expect(Math.min(...Object.values(counts))).toBeGreaterThanOrEqual(0);
    }),
  );
});

const someOutcomes = { ...noOutcomes, letters: '' };

test('milestones are the instants at which a share of all records was in place, and none that failures took back', () => {
  const startedAt = '2026-11-23T09:00:00.000Z';
  const facts = (letters: string, inPlace: [number, number][]) =>
    toFacts(
      { ...someOutcomes, letters, inPlace },
      { letters, platforms: [...letters].map(() => 'Apple'), wavesDone: 0 },
    );
  const slow = facts('cccc=-', [
    [1000, 1],
    [9000, 5],
  ]);
  const fast = facts('ccccc', [[2000, 5]]);
  const sums = (...shards: (typeof slow)[]) =>
    sumOutcomes(11, new Map([[1, new Map(shards.map((one, shard) => [shard, one]))]]), startedAt).milestones;
  expect(sums(slow, fast)).toEqual({
    p50At: '2026-11-23T09:00:02.000Z',
    p90At: '2026-11-23T09:00:09.000Z',
    p99At: '2026-11-23T09:00:09.000Z',
  });
  expect(sums(slow, facts('ccccf', [[2000, 5]]))).toEqual({
    p50At: '2026-11-23T09:00:02.000Z',
    p90At: '2026-11-23T09:00:09.000Z',
  });
  expect(sums(facts('......', []), facts('.....', []))).toEqual({});
});

test('the facts of the largest shard fit beside a blob, whatever platforms there are', () => {
  const records = Array.from({ length: 99_999 }, (_, index) => `Платформа ${'x'.repeat(200)} ${index % 40}`);
  const letters = records.map((_, index) => 'cu=kf'[index % 5] ?? '').join('');
  let inPlace: [number, number][] = [];
  for (let step = 1; step < 5000; step++) inPlace = addSample(inPlace, step * 10_000_000, step * 20);
  const codes = ['Rejected', 'TooLarge', 'Stale', 'UnknownPlatform', 'TemplateWithoutName', 'NotApplied'] as const;
  const failures = codes.flatMap((code) => Array.from({ length: 999 }, (_, index) => ({ index, code })));
  const facts = toFacts({ ...someOutcomes, letters, inPlace, failures }, { letters, platforms: records, wavesDone: 9 });
  expect(toMetadata(facts, 'f'.repeat(40))).toMatchObject({ failed: '19999' });
  const { counts } = sumOutcomes(99_999, new Map([[1, new Map([[0, facts]])]]), '2026-11-23T09:00:00.000Z');
  expect(counts).toMatchObject({ total: 99_999, failed: 19_999, pending: 0 });
  expect(inPlace.length).toBeGreaterThan(30);
  expect(inPlace.at(-1)).toEqual([49_990_000_000, 99_980]);
});
