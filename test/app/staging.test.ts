import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { App } from '../../src/app/app.ts';
import { openTableParts, readStagedRows, readStagedTables, storeSegment } from '../../src/app/listing/segments.ts';
import { createStaging, type Staging } from '../../src/app/listing/staging.ts';
import { toOctets } from '../../src/app/stored/codec.ts';
import { membersOf } from '../../src/core/registration/record.ts';
import type { Segment } from '../../src/core/snapshot/scan-checkpoint.ts';
import { realWorld } from '../../src/world.ts';
import { createEngine } from '../support/engine.ts';

const SECTIONS = 8;
const anyRow = fc.uint8Array({ maxLength: 60 });
const someNumbers = fc.array(fc.maxSafeNat(), { minLength: 3, maxLength: 3 });

function openStaging(): Staging {
  let count = 0;
  return createStaging(SECTIONS, () => `segment-${count++}`, realWorld.nextTurn);
}

function noNumbers(): never {
  throw new Error('The numbers are stored.');
}

/** The whole number of shards, read together or one by one. */
async function readShards(app: App, segments: readonly Segment[], shardCount: number, together: number) {
  const shards: { readonly rows: string[]; readonly table: number[] }[] = [];
  for (let first = 0; first < shardCount; first += together) {
    const range = { first, count: Math.min(together, shardCount - first) };
    const staged = { segments, shards: range, shardCount };
    const [rowsOf, tableOf] = [await readStagedRows(app, staged), await readStagedTables(app, staged, noNumbers)];
    for (const shard of membersOf(range)) {
      shards.push({ rows: (await rowsOf(shard)).map(toOctets), table: [...(await tableOf(shard))] });
    }
  }
  return shards;
}

test('a shard is read as its rows and prints in the order they came, however many segments and sections they are in', async () => {
  const given = fc.array(fc.tuple(fc.nat({ max: SECTIONS - 1 }), anyRow, someNumbers), { maxLength: 30 });
  const shardCounts = fc.constantFrom(1, 2, 8);
  const togethers = fc.constantFrom(1, 3, 4);
  await fc.assert(
    fc.asyncProperty(
      fc.array(given, { maxLength: 4 }),
      shardCounts,
      togethers,
      async (segmentsGiven, shardCount, together) => {
        const { app } = createEngine();
        const staging = openStaging();
        const segments: Segment[] = [];
        for (const rows of segmentsGiven) {
          for (const [section, row, numbers] of rows) staging.add(section, toOctets(row), numbers);
          expect(staging.isEmpty).toBe(rows.length === 0);
          const packed = await staging.take();
          expect(staging.isEmpty).toBe(true);
          if (packed !== undefined) segments.push(await storeSegment(app, packed));
        }
        for (const [shard, { rows, table }] of (await readShards(app, segments, shardCount, together)).entries()) {
          const perShard = SECTIONS / shardCount;
          const own = segmentsGiven.flatMap((rows) =>
            rows.filter(([section]) => Math.floor(section / perShard) === shard).sort(([a], [b]) => a - b),
          );
          expect(rows).toEqual(own.map(([, row]) => toOctets(row)));
          expect(table).toEqual(own.flatMap(([, , numbers]) => numbers));
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('tables too large to be read at once come in parts of whole sections, and of a shard that are not, in one', async () => {
  const { app } = createEngine({ policy: { tableBytesAtOnce: 100 } });
  const staging = openStaging();
  const segments: Segment[] = [];
  for (const round of [0, 1]) {
    for (let row = 0; row < 40; row += 1) staging.add(row % 4, 'row', [row % 4, round, row]);
    const packed = await staging.take();
    if (packed !== undefined) segments.push(await storeSegment(app, packed));
  }
  const staged = { segments, shards: { first: 0, count: 2 }, shardCount: 2 };
  const parts = await openTableParts(app, staged, noNumbers);
  const sectionsOf = async (shard: number) => {
    const found: { readonly sections: number[]; readonly rows: number }[] = [];
    for await (const table of parts.of(shard)) {
      const sections = [...table].filter((_, at) => at % 3 === 0);
      found.push({ sections: [...new Set(sections)], rows: sections.length });
    }
    return found;
  };
  expect(parts.areWhole).toBe(false);
  expect(await sectionsOf(0)).toEqual([0, 1, 2, 3].map((section) => ({ sections: [section], rows: 20 })));
  // Sections in which nothing is are one part.
  expect(await sectionsOf(1)).toEqual([{ sections: [], rows: 0 }]);
  const few = await openTableParts(app, { ...staged, shards: { first: 1, count: 1 } }, noNumbers);
  expect(few.areWhole).toBe(true);
});

test('rows are packed once they are many, and a page larger than there is room for is kept, too', async () => {
  const { app } = createEngine();
  const staging = openStaging();
  const rows = Array.from({ length: 90 }, (_, index) => Buffer.alloc(500_000, `row ${index} `));
  for (const row of rows) {
    staging.add(7, toOctets(row), []);
    await staging.packFull();
  }
  expect(staging.packedBytes).toBeGreaterThan(0);
  const packed = await staging.take();
  const segments = packed === undefined ? [] : [await storeSegment(app, packed)];
  const read = (await readShards(app, segments, SECTIONS, 1))[7];
  expect(read?.rows.map((octets) => octets.slice(0, 20))).toEqual(rows.map((row) => toOctets(row.subarray(0, 20))));
  expect(read?.table).toHaveLength(0);
});

test('numbers that an older version stored are made again of the rows, also where newer ones follow', async () => {
  const { app } = createEngine();
  const staging = openStaging();
  const store = async (rows: readonly string[], numbers: readonly number[]) => {
    for (const row of rows) staging.add(2, row, numbers);
    const packed = await staging.take();
    return packed === undefined ? [] : [await storeSegment(app, packed)];
  };
  const older = (await store(['a', 'bb'], [7])).map(({ tableForm: _, ...segment }) => segment);
  const newer = await store(['ccc'], [1, 2]);
  const staged = { segments: [...older, ...newer], shards: { first: 0, count: SECTIONS }, shardCount: SECTIONS };
  const tableOf = await readStagedTables(app, staged, (row) => [row.length, 0]);
  expect([...(await tableOf(2))]).toEqual([1, 0, 2, 0, 1, 2]);
  expect([...(await tableOf(3))]).toEqual([]);
});
