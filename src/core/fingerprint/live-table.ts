import { FEW } from '../bytes/search.ts';
import type { LiveFingerprints } from './comparison.ts';
import type { RowFingerprint } from './row.ts';

/** Numbers of a row: hashes of key, handle, content, version and id, and the expiry. */
export const FINGERPRINT_WIDTH = 6;

/** `at` is a multiple of `FINGERPRINT_WIDTH`. */
export function fingerprintAt(table: Float64Array, at: number): RowFingerprint {
  return {
    keyHash: table[at] ?? 0,
    handleHash: table[at + 1] ?? 0,
    contentHash: table[at + 2] ?? 0,
    versionHash: table[at + 3] ?? 0,
    idHash: table[at + 4] ?? 0,
    expiry: table[at + 5] ?? 0,
  };
}

/** Before the first place, and after the last row of a key. */
const NONE = -1;

/**
 * The rows of a listing by the hashes of their keys, in the order in which these came first; rows it showed twice are
 * there once. A target may hold a thousand times the rows of the snapshot: some 64 bytes a row, and objects only of what
 * is asked for.
 */
export class LiveTable implements LiveFingerprints {
  readonly size: number;
  readonly #table: Float64Array;
  /** By a part of its hash the place of each key's first row; the next free one where another key has that part. */
  readonly #slots: Int32Array;
  /** After each row the next one of its key. */
  readonly #next: Int32Array;
  /** Of each key's first row the last one so far; `NONE` for all other rows. */
  readonly #last: Int32Array;

  constructor(table: Float64Array) {
    const count = table.length / FINGERPRINT_WIDTH;
    this.#table = table;
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * count + 2))).fill(NONE);
    this.#next = new Int32Array(count).fill(NONE);
    this.#last = new Int32Array(count).fill(NONE);
    let size = 0;
    for (let place = 0; place < count; place += 1) {
      const slot = this.#slotOf(this.#keyHash(place));
      const first = this.#slots[slot] ?? NONE;
      if (first === NONE) {
        this.#slots[slot] = place;
        this.#last[place] = place;
        size += 1;
      } else {
        this.#next[this.#last[first] ?? first] = place;
        this.#last[first] = place;
      }
    }
    this.size = size;
  }

  /** All their rows. */
  static join(tables: readonly LiveTable[]): LiveTable {
    const [only, ...others] = tables;
    if (only !== undefined && others.length === 0) return only;
    const joined = new Float64Array(tables.reduce((sum, one) => sum + one.#table.length, 0));
    let end = 0;
    for (const one of tables) {
      joined.set(one.#table, end);
      end += one.#table.length;
    }
    return new LiveTable(joined);
  }

  /** The rows of these keys only. */
  only(keyHashes: Iterable<number>): LiveTable {
    const numbers: number[] = [];
    for (const keyHash of keyHashes) {
      for (const place of this.#placesFrom(this.#slots[this.#slotOf(keyHash)] ?? NONE)) {
        const at = place * FINGERPRINT_WIDTH;
        numbers.push(...this.#table.subarray(at, at + FINGERPRINT_WIDTH));
      }
    }
    return new LiveTable(Float64Array.from(numbers));
  }

  get(keyHash: number): readonly RowFingerprint[] | undefined {
    const first = this.#slots[this.#slotOf(keyHash)] ?? NONE;
    return first === NONE ? undefined : this.#rowsFrom(first);
  }

  *[Symbol.iterator](): Iterator<readonly [keyHash: number, rows: readonly RowFingerprint[]]> {
    for (let place = 0; place < this.#last.length; place += 1) {
      if (this.#last[place] !== NONE) yield [this.#keyHash(place), this.#rowsFrom(place)];
    }
  }

  #keyHash(place: number): number {
    return this.#table[place * FINGERPRINT_WIDTH] ?? 0;
  }

  /** Where the key is, or would be. */
  #slotOf(keyHash: number): number {
    const mask = this.#slots.length - 1;
    let slot = keyHash & mask;
    for (;;) {
      const place = this.#slots[slot] ?? NONE;
      if (place === NONE || this.#keyHash(place) === keyHash) return slot;
      slot = (slot + 1) & mask;
    }
  }

  *#placesFrom(first: number): Generator<number> {
    for (let place = first; place !== NONE; place = this.#next[place] ?? NONE) yield place;
  }

  #rowsFrom(first: number): readonly RowFingerprint[] {
    const rows: RowFingerprint[] = [];
    let versions: Set<number> | undefined;
    for (let place = first; place !== NONE; place = this.#next[place] ?? NONE) {
      const row = fingerprintAt(this.#table, place * FINGERPRINT_WIDTH);
      if (rows.length >= FEW) versions ??= new Set(rows.map(({ versionHash }) => versionHash));
      const isTwin = versions?.has(row.versionHash) ?? rows.some((one) => one.versionHash === row.versionHash);
      if (isTwin) continue;
      rows.push(row);
      versions?.add(row.versionHash);
    }
    return rows;
  }
}
