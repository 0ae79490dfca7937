import type { RecordFingerprint } from './row.ts';

/**
 * The fingerprints of a shard's records, as numbers in one piece: as objects, ten thousand of them outlive every young
 * generation. Of each record its platform's place in `platforms`, its key, two counts, and its hashes.
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
    const [handlesAt, contentsAt, end] = this.#bounds(index);
    return {
      platform: this.platformAt(index),
      keyHash: this.keyHashAt(index),
      handleHashes: this.#list(handlesAt, contentsAt),
      contentHashes: this.#list(contentsAt, end),
    };
  }

  platformAt(index: number): string {
    return this.platforms[this.numbers[this.#start(index)] ?? 0] ?? '';
  }

  platformOfEach(): string[] {
    return Array.from({ length: this.count }, (_, index) => this.platformAt(index));
  }

  keyHashAt(index: number): number {
    return this.numbers[this.#start(index) + 1] ?? 0;
  }

  handleHashesAt(index: number): readonly number[] {
    const [handlesAt, contentsAt] = this.#bounds(index);
    return this.#list(handlesAt, contentsAt);
  }

  contentHashesAt(index: number): readonly number[] {
    const [, contentsAt, end] = this.#bounds(index);
    return this.#list(contentsAt, end);
  }

  /** How many of the record's rows become one with another. */
  collapsedAt(index: number): number {
    const start = this.#start(index);
    return (this.numbers[start + 2] ?? 0) - (this.numbers[start + 3] ?? 0);
  }

  #start(index: number): number {
    const start = this.#starts[index];
    if (start === undefined) throw new RangeError(`There is no record ${index}.`);
    return start;
  }

  #bounds(index: number): [handlesAt: number, contentsAt: number, end: number] {
    const start = this.#start(index);
    const handlesAt = start + HEAD;
    return [handlesAt, handlesAt + (this.numbers[start + 2] ?? 0), endOf(this.numbers, start)];
  }

  #list(from: number, to: number): number[] {
    const list: number[] = [];
    for (let at = from; at < to; at += 1) list.push(this.numbers[at] ?? 0);
    return list;
  }
}

/** Numbers of a record before its hashes. */
const HEAD = 4;

function endOf(numbers: Float64Array, start: number): number {
  return start + HEAD + (numbers[start + 2] ?? 0) + (numbers[start + 3] ?? 0);
}

/** `rowCount`: for how many rows room is made at once. */
export function createFingerprintWriter(rowCount: number) {
  const places = new Map<string, number>();
  let numbers = new Float64Array(rowCount * (HEAD + 2));
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
    add({ platform, keyHash, handleHashes, contentHashes }: RecordFingerprint): void {
      const place = places.get(platform) ?? places.size;
      places.set(platform, place);
      push(place);
      push(keyHash);
      push(handleHashes.length);
      push(contentHashes.length);
      for (const hash of handleHashes) push(hash);
      for (const hash of contentHashes) push(hash);
    },
    finish: () => new FingerprintTable([...places.keys()], numbers.subarray(0, end)),
  };
}
