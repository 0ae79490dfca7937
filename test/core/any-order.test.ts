import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Agreed, BaselineRecord } from '../../src/core/baseline/record.ts';
import { BaselineTable, createBaselineWriter } from '../../src/core/baseline/table.ts';
import { hash53 } from '../../src/core/bytes/hash.ts';
import { encodeUtf8 } from '../../src/core/bytes/utf8.ts';
import { fingerprintOf, fingerprintRecord, type RowFingerprint } from '../../src/core/fingerprint/row.ts';
import { shownAt, shownIn } from '../../src/core/fingerprint/shown.ts';
import { FingerprintTable } from '../../src/core/fingerprint/table.ts';
import { groupRows, handleHash, keyHashOf, type RecordOfRows } from '../../src/core/registration/record.ts';
import { parseRegistration, type Registration } from '../../src/core/registration/registration.ts';
import type { Circumstances } from '../../src/core/restore/plan/decision-table.ts';
import { planFirst } from '../../src/core/restore/plan/first-pass.ts';
import type { ForeignRow } from '../../src/core/restore/plan/foreign-table.ts';
import { countTarget, openSurvey, type Survey, type SurveyCounts } from '../../src/core/restore/plan/survey.ts';
import { runs } from '../support/property-runs.ts';
import { anAppleRow, tokenOf } from '../support/rows.ts';

const READ_AT = 1_000;

/** How a pair agreed on a record: on what the hubs hold now, on what one of them held before, or not at all. */
type Agreement = 'none' | 'unknown' | 'entry' | 'target moved' | 'source moved' | 'both moved' | 'tombstone';

interface World {
  readonly wanted: readonly Registration[];
  readonly live: readonly Registration[];
  readonly agreements: readonly Agreement[];
  readonly isNoted: readonly boolean[];
  readonly around: Circumstances;
}

const DEVICES = 5;

/** A registration under its device's own id, or under that of another device's. */
const aRow = fc.record({
  device: fc.nat(DEVICES - 1),
  idOf: fc.nat(DEVICES - 1),
  place: fc.nat(1),
  tag: fc.constantFrom('a', 'b'),
  template: fc.constantFrom(undefined, '{"one":1}', '{"two":2}'),
  isInstallation: fc.boolean(),
  etag: fc.integer({ min: 1, max: 3 }),
});

const aHub = fc.uniqueArray(aRow, { maxLength: 8, selector: ({ idOf, place }) => `${idOf}-${place}` }).map((rows) =>
  rows.map(({ device, idOf, place, tag, template, isInstallation, etag }) =>
    parseRegistration(
      anAppleRow({
        id: `${idOf}-${place}-1`,
        token: tokenOf(`phone ${device}`),
        tags: isInstallation ? [`$InstallationId:{${device}}`, tag] : [tag],
        etag,
        ...(template === undefined ? {} : { template: { name: 'alert', body: template } }),
      }),
    ),
  ),
);

const aWorld: fc.Arbitrary<World> = fc.record({
  wanted: aHub,
  live: aHub,
  agreements: fc.array(
    fc.constantFrom('none', 'unknown', 'entry', 'target moved', 'source moved', 'both moved', 'tombstone'),
    { minLength: 2 * DEVICES, maxLength: 2 * DEVICES },
  ),
  isNoted: fc.array(fc.boolean(), { minLength: 2 * DEVICES, maxLength: 2 * DEVICES }),
  around: fc
    .record({ isInUse: fc.boolean(), isLast: fc.boolean(), isSourceEmpty: fc.boolean(), isResurrecting: fc.boolean() })
    .map(({ isInUse, isLast, isSourceEmpty, isResurrecting }) => ({
      purpose: 'restore',
      isResurrecting,
      wasTargetInUse: () => isInUse,
      wasSourceInUseLast: () => isLast,
      wasTargetInUseBefore: isInUse,
      sourceTermStart: 0,
      isFromBefore: false,
      isGoneSince: false,
      isAbsenceProven: true,
      sourceEmptyAt: isSourceEmpty ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY,
      exceeded: { deletes: false, absences: false, drift: false },
    })),
});

function baselineOf({ wanted, live, agreements, isNoted }: World): BaselineRecord[] {
  const [sources, targets] = [wanted, live].map(
    (rows) => new Map(groupRows(rows).records.map(({ key, rows: own }) => [key, shownIn(own)])),
  );
  const keys = [...new Set([...(sources?.keys() ?? []), ...(targets?.keys() ?? [])])].sort();
  return keys.map((key, index): BaselineRecord => {
    const [source, target] = [sources?.get(key), targets?.get(key)];
    const agreement = agreements[index] ?? 'none';
    const note = { source: { version: 5, at: 10 }, target: { version: target?.version, at: 20 } };
    return {
      keyHash: keyHashOf(key),
      agreed: toAgreed(agreement, source, target),
      note: isNoted[index] ? note : undefined,
    };
  });
}

type Showing = ReturnType<typeof shownIn> | undefined;

function toAgreed(agreement: Agreement, source: Showing, target: Showing): Agreed {
  const moved = { version: 3, content: 4 };
  const [then, there] = [
    agreement === 'source moved' || agreement === 'both moved' ? moved : (source ?? moved),
    agreement === 'target moved' || agreement === 'both moved' ? moved : (target ?? moved),
  ];
  if (agreement === 'none' || agreement === 'unknown') return agreement;
  if (agreement === 'tombstone') {
    return { kind: 'tombstone', source: { version: then.version, at: 10 }, target: { version: there.version, at: 20 } };
  }
  return {
    kind: 'entry',
    source: { ...then, at: 10, isOwn: false },
    target: { ...there, at: 20, isOwn: true },
    expiry: 0,
  };
}

interface Order {
  readonly shardCount: number;
  /** Turns any list around, the same each time. */
  readonly turn: <T>(list: readonly T[]) => T[];
}

/** All that a first pass decides, whatever comes first: by key its plan, and what else lives in the target. */
function decideAll(world: World, { shardCount, turn }: Order): unknown {
  const table = tableOf(turn(baselineOf(world)));
  const { records } = groupRows(turn(world.wanted));
  const liveRecords = new Map(groupRows(turn(world.live)).records.map((record) => [record.key, record]));
  const shards = turn(Array.from({ length: shardCount }, (_, shard) => shard)).map((shard) => {
    const own = turn(records.filter(({ key }) => keyHashOf(key) % shardCount === shard));
    const rows = turn(world.live).filter((row) => keyHashOf(keyOf(row)) % shardCount === shard);
    return { own, ...surveyShard(world, own, rows, table) };
  });
  const elsewhere = elsewhereOf(shards.flatMap(({ foreign }) => [...foreign]));
  const plans = shards.flatMap(({ own, fingerprints }) =>
    own.map((record, index) => {
      const wanted = {
        record,
        shown: shownAt(fingerprints, index),
        isGoneSince: false,
        isFromBefore: false,
        isSpokenSince: false,
      };
      const pass = {
        around: world.around,
        readAt: READ_AT,
        isUndone: false,
        nowMs: READ_AT,
        overwrites: false,
        isAnotherForm: false,
      };
      const isHeld = (): boolean => false;
      const planning = { expiryFloorAtMs: 0, isTargetEmpty: false, elsewhere, mintedFor: () => [] };
      const before = table.get(keyHashOf(record.key)) ?? noneOf(record);
      return [
        record.key,
        planFirst(wanted, liveRecords.get(record.key), before, { ...pass, ...planning, isHeld }),
      ] as const;
    }),
  );
  const extras = shards.flatMap(({ comparison, extraOutcomes }) =>
    comparison.extras.map((extra, index) => [extra.keyHash, extra, extraOutcomes[index]] as const),
  );
  const sumOf = (count: (survey: Survey & SurveyCounts) => number): number =>
    shards.reduce((sum, survey) => sum + count(survey), 0);
  return {
    plans: Object.fromEntries(plans.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    extras: extras.toSorted(([a], [b]) => a - b),
    onlyInTarget: sumOf((survey) => survey.onlyInTarget),
    absentCount: sumOf((survey) => survey.absentCount),
    agreedCount: sumOf((survey) => survey.agreedCount),
  };
}

function surveyShard(
  { around }: World,
  records: readonly RecordOfRows[],
  rows: readonly Registration[],
  table: BaselineTable,
): Survey & SurveyCounts & { readonly fingerprints: FingerprintTable } {
  const fingerprints = FingerprintTable.of(records.map(fingerprintRecord));
  const live = new Map<number, RowFingerprint[]>();
  for (const row of rows) {
    const { key: _, ...fingerprint } = fingerprintOf(encodeUtf8(row.xml), row);
    live.set(fingerprint.keyHash, [...(live.get(fingerprint.keyHash) ?? []), fingerprint]);
  }
  const baselineOf = (keyHash: number): BaselineRecord =>
    table.get(keyHash) ?? { keyHash, agreed: 'none', note: undefined };
  const options = {
    readAt: READ_AT,
    isUndone: false,
    nowMs: READ_AT,
    around,
    expiryFloor: 0,
    isWhole: true,
    isSync: false,
    isSelected: () => true,
    baselineOf,
    spokenAt: () => 0,
    isInTheWay: () => true,
  };
  const survey = openSurvey(fingerprints, options);
  survey.add(live);
  return { ...survey.finish(live), ...countTarget(fingerprints, live, options, undefined), fingerprints };
}

function elsewhereOf(foreign: readonly ForeignRow[]) {
  const taken = foreign.filter(({ kind }) => kind === 'taken');
  return {
    isTaken: (row: Registration) =>
      taken.some((one) => one.handleHash === handleHash(row) || one.idHash === hash53(row.id)),
    oursUnder: (id: string) =>
      foreign
        .flatMap((one) => (one.kind !== 'taken' && one.idHash === hash53(id) ? [one.versionHash] : []))
        .sort((a, b) => a - b),
  };
}

function tableOf(records: readonly BaselineRecord[]): BaselineTable {
  const writer = createBaselineWriter(1);
  for (const record of records) writer.add(record);
  return new BaselineTable(writer.finish());
}

function keyOf(row: Registration): string {
  return groupRows([row]).records[0]?.key ?? '';
}

function noneOf({ key }: RecordOfRows): BaselineRecord {
  return { keyHash: keyHashOf(key), agreed: 'none', note: undefined };
}

it('decides the same for any order of rows, records and shards, and any number of shards', () => {
  const first: Order = { shardCount: 1, turn: (list) => [...list] };
  const others: readonly Order[] = [
    { shardCount: 1, turn: (list) => list.toReversed() },
    { shardCount: 4, turn: (list) => [...list] },
    { shardCount: 3, turn: (list) => [...list.slice(list.length / 2), ...list.slice(0, list.length / 2)] },
  ];
  fc.assert(
    fc.property(aWorld, (world) => {
      const decided = decideAll(world, first);
      for (const order of others) expect(decideAll(world, order)).toEqual(decided);
    }),
    { numRuns: runs(600) },
  );
});
