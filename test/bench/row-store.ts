import { ByteStore } from './byte-store.ts';

/** What a page needs of a row. */
export interface StoredRow {
  readonly id: string;
  readonly etag: number;
  readonly description: Buffer;
}

/**
 * The rows of one hub in the order they came, as bytes and numbers: as objects, a PUT would cost twice as much. Ids are
 * ASCII, and lie before the description.
 */
export class RowStore {
  readonly #bytes = new ByteStore();
  /** By row. V8 keeps arrays of numbers without an object each. An ETag of 0 is a row that is gone. */
  readonly #places: number[] = [];
  readonly #sizes: number[] = [];
  readonly #idLengths: number[] = [];
  readonly #etags: number[] = [];
  #removedCount = 0;
  /** Made once it is asked for: a hub that is only listed needs none. */
  #byId: Map<string, number> | undefined;

  /** Rows that are there. */
  get size(): number {
    return this.#places.length - this.#removedCount;
  }

  etagOf(id: string): number {
    return this.#etags[this.#index().get(id) ?? -1] ?? 0;
  }

  get(id: string): StoredRow | undefined {
    const index = this.#index().get(id);
    return index === undefined ? undefined : this.#rowAt(index);
  }

  /** Adds a row whose id is new. */
  add(id: string, etag: number, description: string): void {
    this.#byId?.set(id, this.#places.length);
    this.#set(this.#places.length, id, etag, description);
  }

  /** Adds a row, or replaces the one with this id in its place. */
  put(id: string, etag: number, description: string): void {
    const index = this.#index().get(id);
    if (index === undefined) this.add(id, etag, description);
    else this.#set(index, id, etag, description);
  }

  remove(id: string): void {
    const index = this.#index().get(id);
    if (index === undefined) return;
    this.#etags[index] = 0;
    this.#removedCount += 1;
    this.#byId?.delete(id);
  }

  /** Up to `top` rows from an offset, and the offset of the next page. */
  page(offset: number, top: number): { readonly rows: StoredRow[]; readonly nextOffset: number | undefined } {
    const end = Math.min(offset + top, this.#places.length);
    const rows: StoredRow[] = [];
    for (let index = offset; index < end; index += 1) {
      const row = this.#rowAt(index);
      if (row.etag > 0) rows.push(row);
    }
    return { rows, nextOffset: end < this.#places.length ? end : undefined };
  }

  #rowAt(index: number): StoredRow {
    const description = this.#bytesAt(index).subarray(this.#idLengths[index]);
    return { id: this.#idAt(index), etag: this.#etags[index] ?? 0, description };
  }

  #set(index: number, id: string, etag: number, description: string): void {
    const bytes = Buffer.from(id + description);
    this.#places[index] = this.#bytes.keep(bytes);
    this.#sizes[index] = bytes.length;
    this.#idLengths[index] = id.length;
    this.#etags[index] = etag;
  }

  #bytesAt(index: number): Buffer {
    return this.#bytes.at(this.#places[index] ?? 0, this.#sizes[index] ?? 0);
  }

  #idAt(index: number): string {
    return this.#bytesAt(index).toString('latin1', 0, this.#idLengths[index]);
  }

  #index(): Map<string, number> {
    this.#byId ??= new Map(this.#places.map((_, index) => [this.#idAt(index), index]));
    return this.#byId;
  }
}
