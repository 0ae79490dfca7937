import { expect, test } from 'vitest';
import { Comparison } from '../../src/core/fingerprint/comparison.ts';
import { FingerprintTable } from '../../src/core/fingerprint/table.ts';

const record = (keyHash: number, ...contentHashes: number[]) => ({
  platform: 'Apple',
  keyHash,
  versionHash: 1,
  expiry: 0,
  handleHashes: contentHashes,
  idHashes: [],
  superseded: 0,
  contentHashes,
});
const row = (keyHash: number, contentHash: number, versionHash: number) => ({
  keyHash,
  handleHash: 7,
  contentHash,
  versionHash,
  idHash: 8,
  expiry: 0,
});

test('tells what is missing, what surely is the same and what has to be read, also from its numbers alone', () => {
  const prints = FingerprintTable.of([record(1, 11), record(2, 21), record(3, 31, 32), record(4, 0), record(5, 51)]);
  const live = new Map([
    [2, [row(2, 21, 201)]],
    [3, [row(3, 32, 302), row(3, 31, 301)]],
    [4, [row(4, 0, 401)]],
    [5, [row(5, 51, 501), row(5, 52, 502)]],
  ]);
  const extra = { keyHash: 9, version: 901, content: 91 };
  const made = Comparison.of(prints, live, [extra], 0);
  for (const likeness of [made, new Comparison(made.numbers, prints.count, 1)]) {
    const seen = [0, 1, 2, 3, 4].map((index) => [
      likeness.livesAt(index),
      likeness.isSameAt(index),
      likeness.versionHashesAt(index),
    ]);
    expect(seen).toEqual([
      [false, false, []],
      [true, true, [201]],
      [true, true, [302, 301]],
      [true, false, [401]],
      [true, false, [501, 502]],
    ]);
    expect(likeness.extras).toEqual([extra]);
  }
});

test.each([
  ['too few', [-1], 2],
  ['too many', [-1, -1, -1], 2],
  ['an end within a record', [-1, 3, 5], 2],
  ['no number', [Number.NaN, -1], 2],
])('refuses numbers that are not of this many records: %s', (_, numbers, count) => {
  expect(() => new Comparison(Float64Array.from(numbers), count, 0)).toThrow(RangeError);
});
