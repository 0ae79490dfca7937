/** What a page needs of a row: its id, its ETag and its description's bytes. */
export interface StoredRow {
  readonly id: string;
  readonly etag: number;
  readonly description: Buffer;
}

const SLAB_BYTES = 64 * 1024 * 1024;

/**
 * The rows of one hub in the order they came, their bytes side by side outside the JavaScript heap: a million of them
 * cost no garbage collection, which would show in everybody's figures.
 */
export class RowStore {
  readonly #slabs: Buffer[] = [];
  #slabUsed = SLAB_BYTES;
  readonly #rows: (StoredRow | undefined)[] = [];
  readonly #byId = new Map<string, number>();

  /** Rows that are there. */
  get size(): number {
    return this.#byId.size;
  }

  etagOf(id: string): number {
    const index = this.#byId.get(id);
    return (index === undefined ? undefined : this.#rows[index]?.etag) ?? 0;
  }

  /** Inserts, or replaces the row with this id in its place. */
  put(id: string, etag: number, description: string): void {
    const row = { id, etag, description: this.#store(description) };
    const index = this.#byId.get(id);
    if (index !== undefined) this.#rows[index] = row;
    else this.#byId.set(id, this.#rows.push(row) - 1);
  }

  remove(id: string): void {
    const index = this.#byId.get(id);
    if (index === undefined) return;
    this.#rows[index] = undefined;
    this.#byId.delete(id);
  }

  /** Up to `top` rows from an offset, and the offset to go on from. */
  page(offset: number, top: number): { readonly rows: StoredRow[]; readonly nextOffset: number | undefined } {
    const end = Math.min(offset + top, this.#rows.length);
    const rows = this.#rows.slice(offset, end).filter((row) => row !== undefined);
    return { rows, nextOffset: end < this.#rows.length ? end : undefined };
  }

  #store(text: string): Buffer {
    const sizeBytes = Buffer.byteLength(text);
    if (this.#slabUsed + sizeBytes > SLAB_BYTES) {
      this.#slabs.push(Buffer.allocUnsafeSlow(SLAB_BYTES));
      this.#slabUsed = 0;
    }
    const slab = this.#slabs.at(-1);
    if (slab === undefined) throw new Error('There is no slab.');
    const start = this.#slabUsed;
    this.#slabUsed += slab.write(text, start);
    return slab.subarray(start, this.#slabUsed);
  }
}
