import { areSurelySame, type RowFingerprint } from './row.ts';
import type { FingerprintTable } from './table.ts';

/** What lives in the target, by the hash of its key. */
export type LiveFingerprints = ReadonlyMap<number, readonly RowFingerprint[]>;

/**
 * What the target has of each record of a snapshot's shard, as far as fingerprints tell, as numbers in one piece. Of
 * each record `MISSING`, `DIFFERS`, or, where what lives under its key surely is the same, how many rows that are and
 * their version hashes.
 */
export class Comparison {
  readonly numbers: Float64Array;
  readonly #starts: Uint32Array;

  /** Numbers as a `Comparison` has them. Throws a `RangeError` when they are not of `count` records. */
  constructor(numbers: Float64Array, count: number) {
    this.numbers = numbers;
    this.#starts = new Uint32Array(count);
    let at = 0;
    for (let index = 0; index < count; index += 1) {
      this.#starts[index] = at;
      at += 1 + Math.max(0, numbers[at] ?? Number.NaN);
    }
    if (at !== numbers.length) throw new RangeError('The numbers are not of this many records.');
  }

  static of(fingerprints: FingerprintTable, live: LiveFingerprints): Comparison {
    const numbers: number[] = [];
    for (let index = 0; index < fingerprints.count; index += 1) {
      const rows = live.get(fingerprints.keyHashAt(index));
      if (rows === undefined) numbers.push(MISSING);
      else if (
        !areSurelySame(
          fingerprints.contentHashesAt(index),
          rows.map((row) => row.contentHash),
        )
      )
        numbers.push(DIFFERS);
      else numbers.push(rows.length, ...rows.map(({ versionHash }) => versionHash));
    }
    return new Comparison(Float64Array.from(numbers), fingerprints.count);
  }

  /** Whether anything lives under the record's key. */
  livesAt(index: number): boolean {
    return this.#headAt(index) !== MISSING;
  }

  isSameAt(index: number): boolean {
    return this.#headAt(index) > 0;
  }

  /** Of the rows that live under the record's key, where those surely are the same. */
  versionHashesAt(index: number): number[] {
    const start = (this.#starts[index] ?? 0) + 1;
    return [...this.numbers.subarray(start, start + Math.max(0, this.#headAt(index)))];
  }

  #headAt(index: number): number {
    return this.numbers[this.#starts[index] ?? Number.NaN] ?? MISSING;
  }
}

const MISSING = -1;
/** Something lives there that has to be looked at itself. */
const DIFFERS = 0;
