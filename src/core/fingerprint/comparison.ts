import { FEW, lookUpIn } from '../bytes/search.ts';
import { areSurelySame, type RowFingerprint, recordVersionOf } from './row.ts';
import { contentOf, type Shown } from './shown.ts';
import type { FingerprintTable } from './table.ts';

/** What lives in the target, by the hash of its key. */
export interface LiveFingerprints {
  /** How many keys there are. */
  readonly size: number;
  get(keyHash: number): readonly RowFingerprint[] | undefined;
  [Symbol.iterator](): Iterator<readonly [keyHash: number, rows: readonly RowFingerprint[]]>;
}

/** A live record that the snapshot does not hold, of which the baseline knows. */
export interface Extra {
  readonly keyHash: number;
  readonly version: number;
  readonly content: number;
}

/**
 * What the target has of each record of a snapshot's shard, as far as fingerprints tell, as numbers in one piece. Of
 * each record `MISSING`; or, where what lives under its key surely is the same, how many rows that are, and their
 * version hashes; or that number negative, the hash of their content, and their version hashes. Then the extras.
 */
export class Comparison {
  readonly numbers: Float64Array;
  readonly extras: readonly Extra[];
  readonly #starts: Uint32Array;

  /** Numbers as a `Comparison` has them. Throws a `RangeError` when they are not of this many records and extras. */
  constructor(numbers: Float64Array, count: number, extraCount: number) {
    this.numbers = numbers;
    this.#starts = new Uint32Array(count);
    let at = 0;
    for (let index = 0; index < count; index += 1) {
      this.#starts[index] = at;
      at += widthOf(numbers[at] ?? Number.NaN);
    }
    if (at + extraCount * EXTRA_WIDTH !== numbers.length) throw new RangeError('The numbers are not of this shard.');
    this.extras = Array.from({ length: extraCount }, (_, place) => extraAt(numbers, at + place * EXTRA_WIDTH));
  }

  /** `floor`: what never ends in the snapshot is to live at least until then (epoch seconds). */
  static of(
    fingerprints: FingerprintTable,
    live: LiveFingerprints,
    extras: readonly Extra[],
    floor: number,
  ): Comparison {
    const numbers: number[] = [];
    for (let index = 0; index < fingerprints.count; index += 1) {
      const rows = live.get(fingerprints.keyHashAt(index));
      if (rows === undefined) numbers.push(MISSING);
      else pushLive(numbers, rows, isInPlace(fingerprints, index, rows, floor));
    }
    for (const { keyHash, version, content } of extras) numbers.push(keyHash, version, content);
    return new Comparison(new Float64Array(numbers), fingerprints.count, extras.length);
  }

  /** Whether anything lives under the record's key. */
  livesAt(index: number): boolean {
    return this.#headAt(index) !== MISSING;
  }

  /** It lives there in the same words, under the same ids, and no shorter. */
  isSameAt(index: number): boolean {
    return this.#headAt(index) > 0;
  }

  /** Of the rows that live under the record's key. */
  versionHashesAt(index: number): number[] {
    const start = this.#starts[index] ?? 0;
    const head = this.#headAt(index);
    if (head === 1) return [this.numbers[start + 1] ?? 0];
    return head === MISSING ? [] : [...this.numbers.subarray(start + (head > 0 ? 1 : 2), start + widthOf(head))];
  }

  /** What lives there; of what surely is the same the content is `wantedContent`. */
  shownAt(index: number, wantedContent: number): Shown | undefined {
    if (!this.livesAt(index)) return undefined;
    const content = this.isSameAt(index) ? wantedContent : (this.numbers[(this.#starts[index] ?? 0) + 1] ?? 0);
    return { version: recordVersionOf(this.versionHashesAt(index)), content };
  }

  #headAt(index: number): number {
    return this.numbers[this.#starts[index] ?? Number.NaN] ?? MISSING;
  }
}

function pushLive(numbers: number[], rows: readonly RowFingerprint[], isSame: boolean): void {
  if (isSame) numbers.push(rows.length);
  else numbers.push(-rows.length - 1, contentOf(rows.map((row) => row.contentHash)));
  for (const { versionHash } of rows) numbers.push(versionHash);
}

const MISSING = -1;
const EXTRA_WIDTH = 3;

function widthOf(head: number): number {
  if (head === MISSING) return 1;
  return head > 0 ? 1 + head : 1 - head;
}

function extraAt(numbers: Float64Array, at: number): Extra {
  return { keyHash: numbers[at] ?? 0, version: numbers[at + 1] ?? 0, content: numbers[at + 2] ?? 0 };
}

function isInPlace(
  fingerprints: FingerprintTable,
  index: number,
  rows: readonly RowFingerprint[],
  floor: number,
): boolean {
  return (
    areSurelySame(
      fingerprints.contentHashesAt(index),
      rows.map((row) => row.contentHash),
    ) &&
    mayHaveIds(fingerprints, index, rows) &&
    !isShorter(fingerprints.expiryAt(index), rows, floor)
  );
}

function mayHaveIds(fingerprints: FingerprintTable, index: number, rows: readonly RowFingerprint[]): boolean {
  if (rows.length <= FEW) return rows.every(({ idHash }) => fingerprints.mayHaveIdAt(index, idHash));
  const ids = fingerprints.idHashesAt(index);
  const isAmong = lookUpIn(ids);
  return ids.length === 0 || rows.every(({ idHash }) => isAmong(idHash));
}

/** An expiry that much earlier is renewed: about the precision of a day in which hubs count. */
const TOLERATED_SECONDS = 86_400;

/**
 * Whether a row ends more than a day before the snapshot's expiry, in epoch seconds; or, where the snapshot's never ends
 * (0) and the target gives each row a time to live, before `floor`.
 */
export function isShorter(expiry: number, rows: readonly Pick<RowFingerprint, 'expiry'>[], floor: number): boolean {
  const least = expiry > 0 ? expiry - TOLERATED_SECONDS : floor;
  return rows.some((row) => row.expiry > 0 && row.expiry < least);
}
