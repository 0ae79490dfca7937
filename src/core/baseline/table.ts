import type { Agreed, BaselineRecord, Entry, Note, Reading } from './record.ts';

/** Numbers of one record: key, kind and flags, the two sides, expiry, and the note's two readings. */
const WIDTH = 13;
const KIND = 1;
const SOURCE = 2;
const TARGET = 5;
const EXPIRY = 8;
const NOTE_SOURCE = 9;
const NOTE_TARGET = 11;

const kinds = ['none', 'unknown', 'entry', 'tombstone'] as const;
const SOURCE_IS_OWN = 4;
const TARGET_IS_OWN = 8;
const HAS_NOTE = 16;
const OWED_TO_SOURCE = 32;
const OWED_TO_TARGET = 64;
/** Hashes and times are never negative. */
const ABSENT = -1;

/** A shard of a baseline as numbers in one piece, found by the hash of a record's key. */
export class BaselineTable {
  readonly numbers: Float64Array;
  readonly #places = new Map<number, number>();

  /** Numbers as a `BaselineTable` has them. Throws a `RangeError` when they end within a record. */
  constructor(numbers: Float64Array) {
    if (numbers.length % WIDTH !== 0) throw new RangeError('The numbers end within a record.');
    this.numbers = numbers;
    for (let at = 0; at < numbers.length; at += WIDTH) this.#places.set(numbers[at] ?? 0, at);
  }

  keyHashes(): Iterable<number> {
    return this.#places.keys();
  }

  get(keyHash: number): BaselineRecord | undefined {
    const at = this.#places.get(keyHash);
    return at === undefined ? undefined : toRecord(this.numbers.subarray(at, at + WIDTH));
  }
}

/** The numbers of a table, record by record: as objects, ten thousand of them outlive every young generation. */
export function createBaselineWriter(recordCount: number) {
  let numbers = new Float64Array(recordCount * WIDTH);
  let end = 0;
  return {
    add(record: BaselineRecord): void {
      if (end === numbers.length) {
        const larger = new Float64Array(2 * end + WIDTH);
        larger.set(numbers);
        numbers = larger;
      }
      writeRecord(numbers, end, record);
      end += WIDTH;
    },
    finish: () => numbers.subarray(0, end),
  };
}

/** Into numbers that are all 0 there. */
function writeRecord(numbers: Float64Array, at: number, { keyHash, agreed, note }: BaselineRecord): void {
  numbers[at] = keyHash;
  let flags = kinds.indexOf(typeof agreed === 'string' ? agreed : agreed.kind);
  if (typeof agreed === 'object') {
    writeReading(numbers, at + SOURCE, agreed.source);
    writeReading(numbers, at + TARGET, agreed.target);
    const { owedTo } = agreed;
    if (owedTo !== undefined) flags += owedTo === 'source' ? OWED_TO_SOURCE : OWED_TO_TARGET;
    if (agreed.kind === 'entry') {
      const { source, target, expiry } = agreed;
      flags += (source.isOwn ? SOURCE_IS_OWN : 0) + (target.isOwn ? TARGET_IS_OWN : 0);
      numbers[at + SOURCE + 2] = source.content;
      numbers[at + TARGET + 2] = target.content;
      numbers[at + EXPIRY] = expiry;
    }
  }
  if (note !== undefined) {
    flags += HAS_NOTE;
    writeReading(numbers, at + NOTE_SOURCE, note.source);
    writeReading(numbers, at + NOTE_TARGET, note.target);
  }
  numbers[at + KIND] = flags;
}

function writeReading(numbers: Float64Array, at: number, reading: Reading): void {
  numbers[at] = reading.version ?? ABSENT;
  numbers[at + 1] = reading.at;
}

function toRecord(numbers: Float64Array): BaselineRecord {
  const flags = numbers[KIND] ?? 0;
  const note: Note = { source: readingAt(numbers, NOTE_SOURCE), target: readingAt(numbers, NOTE_TARGET) };
  return {
    keyHash: numbers[0] ?? 0,
    agreed: agreedIn(numbers, flags),
    note: (flags & HAS_NOTE) === 0 ? undefined : note,
  };
}

function agreedIn(numbers: Float64Array, flags: number): Agreed {
  const kind = kinds[flags % kinds.length] ?? 'none';
  if (kind === 'none' || kind === 'unknown') return kind;
  const source = readingAt(numbers, SOURCE);
  const target = readingAt(numbers, TARGET);
  const owedTo = owedToIn(flags);
  if (kind === 'tombstone') return { kind, source, target, owedTo };
  return {
    kind,
    source: { ...source, content: numbers[SOURCE + 2] ?? 0, isOwn: (flags & SOURCE_IS_OWN) !== 0 },
    target: { ...target, content: numbers[TARGET + 2] ?? 0, isOwn: (flags & TARGET_IS_OWN) !== 0 },
    expiry: numbers[EXPIRY] ?? 0,
    owedTo,
  };
}

function owedToIn(flags: number): Entry['owedTo'] {
  if ((flags & OWED_TO_SOURCE) !== 0) return 'source';
  return (flags & OWED_TO_TARGET) === 0 ? undefined : 'target';
}

function readingAt(numbers: Float64Array, at: number): Reading {
  const version = numbers[at] ?? ABSENT;
  return { version: version === ABSENT ? undefined : version, at: numbers[at + 1] ?? 0 };
}
