import type { RecordFingerprint } from './row.ts';

/**
 * The fingerprints of a shard's records, as numbers in one piece: as objects, ten thousand of them outlive every young
 * generation. Of each record its platform's place in `platforms`, its key, its version, its expiry, four counts, and
 * its hashes.
 */
export class FingerprintTable {
  readonly platforms: readonly string[];
  readonly numbers: Float64Array;
  readonly #starts: Uint32Array;

  /** Numbers as a `FingerprintTable` has them. Throws a `RangeError` when they end within a record. */
  constructor(platforms: readonly string[], numbers: Float64Array) {
    this.platforms = platforms;
    this.numbers = numbers;
    const starts = new Uint32Array(Math.ceil(numbers.length / HEAD));
    let count = 0;
    let at = 0;
    for (; at < numbers.length; at = endOf(numbers, at)) {
      starts[count] = at;
      count += 1;
    }
    if (at !== numbers.length) throw new RangeError('The numbers end within a record.');
    this.#starts = starts.subarray(0, count);
  }

  static of(records: readonly RecordFingerprint[]): FingerprintTable {
    const writer = createFingerprintWriter(records.length);
    for (const record of records) writer.add(record);
    return writer.finish();
  }

  get count(): number {
    return this.#starts.length;
  }

  at(index: number): RecordFingerprint {
    const [handlesAt, idsAt, contentsAt, end] = this.#bounds(index);
    return {
      platform: this.platformAt(index),
      keyHash: this.keyHashAt(index),
      versionHash: this.versionHashAt(index),
      expiry: this.expiryAt(index),
      handleHashes: this.#list(handlesAt, idsAt),
      idHashes: this.#list(idsAt, contentsAt),
      contentHashes: this.#list(contentsAt, end),
      superseded: this.supersededAt(index),
    };
  }

  platformAt(index: number): string {
    return this.platforms[this.numbers[this.#start(index)] ?? 0] ?? '';
  }

  platformOfEach(): string[] {
    const platforms: string[] = [];
    for (const start of this.#starts) platforms.push(this.platforms[this.numbers[start] ?? 0] ?? '');
    return platforms;
  }

  keyHashAt(index: number): number {
    return this.numbers[this.#start(index) + 1] ?? 0;
  }

  *keyHashes(): Generator<number> {
    for (let index = 0; index < this.count; index += 1) yield this.keyHashAt(index);
  }

  /** By the hash of its key where each record is. */
  places(): Map<number, number> {
    const places = new Map<number, number>();
    for (let index = 0; index < this.count; index += 1) places.set(this.keyHashAt(index), index);
    return places;
  }

  versionHashAt(index: number): number {
    return this.numbers[this.#start(index) + 2] ?? 0;
  }

  expiryAt(index: number): number {
    return this.numbers[this.#start(index) + 3] ?? 0;
  }

  handleHashesAt(index: number): readonly number[] {
    const [handlesAt, idsAt] = this.#bounds(index);
    return this.#list(handlesAt, idsAt);
  }

  idHashesAt(index: number): readonly number[] {
    const [, idsAt, contentsAt] = this.#bounds(index);
    return this.#list(idsAt, contentsAt);
  }

  contentHashesAt(index: number): readonly number[] {
    const [, , contentsAt, end] = this.#bounds(index);
    return this.#list(contentsAt, end);
  }

  /** Whether it is an installation whose rows are not all there. */
  isPartialAt(index: number): boolean {
    return this.contentHashesAt(index).every((hash) => hash === 0);
  }

  /** Whether a row of the record has that handle. */
  hasHandleAt(index: number, handleHash: number): boolean {
    const start = this.#start(index) + HEAD;
    return includes(this.numbers, start, this.#countAt(index, HANDLES), handleHash);
  }

  /** Whether a row of the record may have that id: of an installation any. */
  mayHaveIdAt(index: number, idHash: number): boolean {
    const count = this.#countAt(index, IDS);
    const start = this.#start(index) + HEAD + this.#countAt(index, HANDLES);
    return count === 0 || includes(this.numbers, start, count, idHash);
  }

  /** How many of the record's rows are left out for a newer one. */
  supersededAt(index: number): number {
    return this.numbers[this.#start(index) + SUPERSEDED] ?? 0;
  }

  /** How many of the record's rows are equal to another one. */
  collapsedAt(index: number): number {
    const start = this.#start(index);
    const [rows, wanted] = [this.numbers[start + HANDLES] ?? 0, this.numbers[start + CONTENTS] ?? 0];
    return rows - wanted - this.supersededAt(index);
  }

  #countAt(index: number, which: number): number {
    return this.numbers[this.#start(index) + which] ?? 0;
  }

  #start(index: number): number {
    const start = this.#starts[index];
    if (start === undefined) throw new RangeError(`There is no record ${index}.`);
    return start;
  }

  #bounds(index: number): [handlesAt: number, idsAt: number, contentsAt: number, end: number] {
    const start = this.#start(index);
    const handlesAt = start + HEAD;
    const idsAt = handlesAt + (this.numbers[start + HANDLES] ?? 0);
    return [handlesAt, idsAt, idsAt + (this.numbers[start + IDS] ?? 0), endOf(this.numbers, start)];
  }

  #list(from: number, to: number): number[] {
    // Nearly always one: a list that grows gets room for seventeen at once.
    if (to === from + 1) return [this.numbers[from] ?? 0];
    const list: number[] = [];
    for (let at = from; at < to; at += 1) list.push(this.numbers[at] ?? 0);
    return list;
  }
}

const SUPERSEDED = 4;
/** Where a record's counts of hashes are. */
const HANDLES = 5;
const IDS = 6;
const CONTENTS = 7;
/** Numbers of a record before its hashes. */
const HEAD = 8;

function includes(numbers: Float64Array, start: number, count: number, wanted: number): boolean {
  for (let at = start; at < start + count; at += 1) if (numbers[at] === wanted) return true;
  return false;
}

function endOf(numbers: Float64Array, start: number): number {
  const [handles, ids] = [numbers[start + HANDLES] ?? 0, numbers[start + IDS] ?? 0];
  return start + HEAD + handles + ids + (numbers[start + CONTENTS] ?? 0);
}

/** `rowCount`: for how many rows room is made at once. */
export function createFingerprintWriter(rowCount: number) {
  const places = new Map<string, number>();
  let numbers = new Float64Array(rowCount * (HEAD + 3));
  let end = 0;
  const push = (value: number): void => {
    if (end === numbers.length) {
      const larger = new Float64Array(2 * end + HEAD);
      larger.set(numbers);
      numbers = larger;
    }
    numbers[end] = value;
    end += 1;
  };
  return {
    add({ platform, keyHash, versionHash, expiry, superseded, ...hashes }: RecordFingerprint): void {
      const { handleHashes, idHashes, contentHashes } = hashes;
      const place = places.get(platform) ?? places.size;
      places.set(platform, place);
      push(place);
      push(keyHash);
      push(versionHash);
      push(expiry);
      push(superseded);
      push(handleHashes.length);
      push(idHashes.length);
      push(contentHashes.length);
      for (const hash of handleHashes) push(hash);
      for (const hash of idHashes) push(hash);
      for (const hash of contentHashes) push(hash);
    },
    finish: () => new FingerprintTable([...places.keys()], numbers.subarray(0, end)),
  };
}
