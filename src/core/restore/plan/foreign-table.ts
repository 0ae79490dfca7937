/** A row of the target whose handle, or id, the snapshot's shard does not have under its key. */
export interface ForeignRow {
  readonly keyHash: number;
  /** 0 where the handle is where the snapshot has it, and only the id is not. */
  readonly handleHash: number;
  readonly idHash: number;
  readonly versionHash: number;
  readonly kind: ForeignKind;
}

/**
 * `taken` by its device's own word; else it is as it was agreed on, and the snapshot is not older than that. Then it is
 * `ours`, and another write of the run frees it; `doomed`, to be withdrawn within bounds; `staying`, when its record is
 * neither; or `apart`, a row of a record that the run is not about: it stays, and its id is not written over.
 */
export const foreignKinds = ['taken', 'ours', 'doomed', 'staying', 'apart'] as const;
export type ForeignKind = (typeof foreignKinds)[number];

/** Numbers of a row: hashes of handle, id and version, the kind's place in `foreignKinds`, and the key's hash. */
const WIDTH = 5;
const KIND = 3;
/** What is stored of each. */
export const STORED_WIDTH = 4;

/** Rows of a target that a snapshot does not have under their keys, as numbers: they may be nearly all that it holds. */
export class ForeignTable implements Iterable<ForeignRow> {
  #numbers = new Float64Array(64 * WIDTH);
  #end = 0;

  get length(): number {
    return this.#end / WIDTH;
  }

  add({ handleHash, idHash, versionHash, kind, keyHash }: ForeignRow): void {
    if (this.#end === this.#numbers.length) {
      const larger = new Float64Array(2 * this.#end);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers.set([handleHash, idHash, versionHash, foreignKinds.indexOf(kind), keyHash], this.#end);
    this.#end += WIDTH;
  }

  /** Rows of these keys are of that kind. */
  mark(keyHashes: ReadonlySet<number>, kind: ForeignKind): void {
    if (keyHashes.size === 0) return;
    for (let at = 0; at < this.#end; at += WIDTH) {
      if (keyHashes.has(this.#numbers[at + WIDTH - 1] ?? 0)) this.#numbers[at + KIND] = foreignKinds.indexOf(kind);
    }
  }

  /** As they are stored. */
  toNumbers(): Float64Array {
    const stored = new Float64Array(this.length * STORED_WIDTH);
    for (let row = 0; row < this.length; row += 1) {
      stored.set(this.#numbers.subarray(row * WIDTH, row * WIDTH + STORED_WIDTH), row * STORED_WIDTH);
    }
    return stored;
  }

  *[Symbol.iterator](): Iterator<ForeignRow> {
    for (let at = 0; at < this.#end; at += WIDTH) {
      const [handleHash = 0, idHash = 0, versionHash = 0, kind = 0, keyHash = 0] = this.#numbers.subarray(
        at,
        at + WIDTH,
      );
      yield { handleHash, idHash, versionHash, kind: foreignKinds[kind] ?? 'taken', keyHash };
    }
  }
}
