import type { Agreed, BaselineRecord, Note, Reading, Side } from './record.ts';

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

  static of(records: readonly BaselineRecord[]): BaselineTable {
    const numbers = new Float64Array(records.length * WIDTH);
    for (const [index, record] of records.entries()) numbers.set(toNumbers(record), index * WIDTH);
    return new BaselineTable(numbers);
  }

  get count(): number {
    return this.#places.size;
  }

  keyHashes(): Iterable<number> {
    return this.#places.keys();
  }

  get(keyHash: number): BaselineRecord | undefined {
    const at = this.#places.get(keyHash);
    return at === undefined ? undefined : toRecord(this.numbers.subarray(at, at + WIDTH));
  }
}

function toNumbers({ keyHash, agreed, note }: BaselineRecord): number[] {
  const kind = kinds.indexOf(typeof agreed === 'string' ? agreed : agreed.kind);
  const sides = typeof agreed === 'string' ? [0, 0, 0, 0, 0, 0, 0] : sidesOf(agreed);
  const own = typeof agreed === 'object' && agreed.kind === 'entry' ? ownFlags(agreed) : 0;
  const noted = note === undefined ? [0, 0, 0, 0] : [...readingOf(note.source), ...readingOf(note.target)];
  return [keyHash, kind + own + (note === undefined ? 0 : HAS_NOTE), ...sides, ...noted];
}

function sidesOf(agreed: Exclude<Agreed, string>): number[] {
  if (agreed.kind === 'tombstone') return [...readingOf(agreed.source), 0, ...readingOf(agreed.target), 0, 0];
  const { source, target, expiry } = agreed;
  return [...readingOf(source), source.content, ...readingOf(target), target.content, expiry];
}

function ownFlags({ source, target }: { readonly source: Side; readonly target: Side }): number {
  return (source.isOwn ? SOURCE_IS_OWN : 0) + (target.isOwn ? TARGET_IS_OWN : 0);
}

function readingOf({ version, at }: Reading): [number, number] {
  return [version ?? ABSENT, at];
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
  if (kind === 'tombstone') return { kind, source, target };
  return {
    kind,
    source: { ...source, content: numbers[SOURCE + 2] ?? 0, isOwn: (flags & SOURCE_IS_OWN) !== 0 },
    target: { ...target, content: numbers[TARGET + 2] ?? 0, isOwn: (flags & TARGET_IS_OWN) !== 0 },
    expiry: numbers[EXPIRY] ?? 0,
  };
}

function readingAt(numbers: Float64Array, at: number): Reading {
  const version = numbers[at] ?? ABSENT;
  return { version: version === ABSENT ? undefined : version, at: numbers[at + 1] ?? 0 };
}
