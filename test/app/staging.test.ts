import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { App } from '../../src/app/app.ts';
import { toOctets } from '../../src/app/codec.ts';
import { readStagedRows, readStagedTable, type ShardOfSegments, storeSegment } from '../../src/app/segments.ts';
import { createStaging, type Staging } from '../../src/app/staging.ts';
import type { RowPrint } from '../../src/core/row-print.ts';
import type { Segment } from '../../src/core/scan-checkpoint.ts';
import { createEngine } from '../support/engine.ts';

const SECTIONS = 8;
const anyRow = fc.uint8Array({ maxLength: 60 });
const aPrint = fc.record({
  keyHash: fc.maxSafeNat(),
  handleHash: fc.maxSafeNat(),
  contentHash: fc.maxSafeNat(),
  mark: fc.maxSafeNat(),
});

function openStaging(): Staging {
  let count = 0;
  return createStaging(SECTIONS, () => `segment-${count++}`);
}

async function rowsOf(app: App, staged: ShardOfSegments): Promise<string[]> {
  const { bytes, bounds } = await readStagedRows(app, staged);
  return bounds.map(({ start, end }) => toOctets(bytes.subarray(start, end)));
}

function numbersOf({ keyHash, handleHash, contentHash, mark }: RowPrint): number[] {
  return [keyHash, handleHash, contentHash, mark];
}

test('a shard is read as its rows and prints in the order they came, however many segments and sections they are in', async () => {
  const given = fc.array(fc.tuple(fc.nat({ max: SECTIONS - 1 }), anyRow, aPrint), { maxLength: 30 });
  const shardCounts = fc.constantFrom(1, 2, 8);
  await fc.assert(
    fc.asyncProperty(fc.array(given, { maxLength: 4 }), shardCounts, async (segmentsGiven, shardCount) => {
      const { app } = createEngine();
      const staging = openStaging();
      const segments: Segment[] = [];
      for (const rows of segmentsGiven) {
        for (const [section, row, print] of rows) staging.add(section, row, print);
        expect(staging.isEmpty).toBe(rows.length === 0);
        const packed = await staging.take();
        expect(staging.isEmpty).toBe(true);
        if (packed !== undefined) segments.push(await storeSegment(app, packed));
      }
      for (let shard = 0; shard < shardCount; shard += 1) {
        const perShard = SECTIONS / shardCount;
        const own = segmentsGiven.flatMap((rows) =>
          rows.filter(([section]) => Math.floor(section / perShard) === shard).sort(([a], [b]) => a - b),
        );
        const staged = { segments, shard, shardCount };
        expect(await rowsOf(app, staged)).toEqual(own.map(([, row]) => toOctets(row)));
        expect([...(await readStagedTable(app, staged))]).toEqual(own.flatMap(([, , print]) => numbersOf(print)));
      }
    }),
    { numRuns: 60 },
  );
});

test('rows are packed once they are many, and a page larger than there is room for is kept, too', async () => {
  const { app } = createEngine();
  const staging = openStaging();
  const rows = Array.from({ length: 90 }, (_, index) => Buffer.alloc(500_000, `row ${index} `));
  for (const row of rows) {
    staging.add(7, row);
    await staging.packFull();
  }
  expect(staging.packedBytes).toBeGreaterThan(0);
  const packed = await staging.take();
  const segments = packed === undefined ? [] : [await storeSegment(app, packed)];
  const read = await rowsOf(app, { segments, shard: 7, shardCount: SECTIONS });
  expect(read.map((octets) => octets.slice(0, 20))).toEqual(rows.map((row) => toOctets(row.subarray(0, 20))));
  expect(await readStagedTable(app, { segments, shard: 7, shardCount: SECTIONS })).toHaveLength(0);
});
