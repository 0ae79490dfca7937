import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FINGERPRINT_WIDTH, LiveTable } from '../../src/core/fingerprint/live-table.ts';

/** Few keys and versions, so that they meet; also such as differ only beyond 32 bits. */
const aRow = fc.tuple(fc.constantFrom(0, 1, 2, 2 ** 32, 2 ** 32 + 1, 2 ** 52 + 1, 7), fc.integer({ min: 1, max: 40 }));

test('gives each key its rows, those shown twice once, in the order in which they came', () => {
  fc.assert(
    fc.property(fc.array(aRow, { maxLength: 300 }), (rows) => {
      const table = Float64Array.from(rows.flatMap(([key, version], place) => [key, place, 0, version, place, 0]));
      expect(table.length).toBe(rows.length * FINGERPRINT_WIDTH);
      const expected = new Map<number, Map<number, number>>();
      for (const [place, [key, version]] of rows.entries()) {
        const own = expected.get(key) ?? new Map<number, number>();
        expected.set(key, own.has(version) ? own : own.set(version, place));
      }
      const live = new LiveTable(table);
      expect(live.size).toBe(expected.size);
      const found = Array.from(live, ([key, own]) => [key, own.map((row) => [row.versionHash, row.idHash])]);
      expect(found).toEqual(Array.from(expected, ([key, own]) => [key, [...own]]));
      for (const key of expected.keys()) expect(live.get(key)).toEqual(new Map(live).get(key));
      expect(live.get(12_345)).toBeUndefined();
    }),
  );
});
