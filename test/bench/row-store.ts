const SLAB_BYTES = 64 * 1024 * 1024;

/** Bytes side by side outside the JavaScript heap: millions of them cost no garbage collection. */
export class ByteStore {
  readonly #slabs: Buffer[] = [];
  #slabUsed = SLAB_BYTES;

  keepText(text: string): Buffer {
    const slab = this.#slabFor(Buffer.byteLength(text));
    return this.#taken(slab, slab.write(text, this.#slabUsed));
  }

  keep(bytes: Uint8Array): Buffer {
    const slab = this.#slabFor(bytes.length);
    slab.set(bytes, this.#slabUsed);
    return this.#taken(slab, bytes.length);
  }

  #slabFor(sizeBytes: number): Buffer {
    const last = this.#slabs.at(-1);
    if (last !== undefined && this.#slabUsed + sizeBytes <= SLAB_BYTES) return last;
    const slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    this.#slabs.push(slab);
    this.#slabUsed = 0;
    return slab;
  }

  #taken(slab: Buffer, sizeBytes: number): Buffer {
    const start = this.#slabUsed;
    this.#slabUsed += sizeBytes;
    return slab.subarray(start, this.#slabUsed);
  }
}

/** What a page needs of a row: its id, its ETag and its description's bytes. */
export interface StoredRow {
  readonly id: string;
  readonly etag: number;
  readonly description: Buffer;
}

/** The rows of one hub in the order they came. */
export class RowStore {
  readonly #bytes = new ByteStore();
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
    const row = { id, etag, description: this.#bytes.keepText(description) };
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
}
