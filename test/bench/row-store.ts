const SLAB_BYTES = 64 * 1024 * 1024;

/** Bytes side by side outside the JavaScript heap: millions of them cost no garbage collection. */
export class ByteStore {
  readonly #slabs: Buffer[] = [];
  #slabUsed = SLAB_BYTES;

  /** Gives the place of what is kept. */
  keepText(text: string): number {
    const slab = this.#slabFor(Buffer.byteLength(text));
    return this.#taken(slab.write(text, this.#slabUsed));
  }

  keep(bytes: Uint8Array): number {
    const slab = this.#slabFor(bytes.length);
    slab.set(bytes, this.#slabUsed);
    return this.#taken(bytes.length);
  }

  at(place: number, sizeBytes: number): Buffer {
    const start = place % SLAB_BYTES;
    const slab = this.#slabs[Math.floor(place / SLAB_BYTES)] ?? Buffer.alloc(0);
    return slab.subarray(start, start + sizeBytes);
  }

  #slabFor(sizeBytes: number): Buffer {
    const last = this.#slabs.at(-1);
    if (last !== undefined && this.#slabUsed + sizeBytes <= SLAB_BYTES) return last;
    const slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    this.#slabs.push(slab);
    this.#slabUsed = 0;
    return slab;
  }

  #taken(sizeBytes: number): number {
    const start = this.#slabUsed;
    this.#slabUsed += sizeBytes;
    return (this.#slabs.length - 1) * SLAB_BYTES + start;
  }
}

/** What a page needs of a row: its id, its ETag and its description's bytes. */
export interface StoredRow {
  readonly id: string;
  readonly etag: number;
  readonly description: Buffer;
}

/** Numbers of a row: its place, the lengths of its id and of its description there, and its ETag; 0 once it is gone. */
const [PLACE, ID_LENGTH, LENGTH, ETAG, WIDTH] = [0, 1, 2, 3, 4];

/** The rows of one hub in the order they came, as bytes and numbers: as objects, a PUT would cost twice as much. */
export class RowStore {
  readonly #bytes = new ByteStore();
  #numbers = new Float64Array(WIDTH * 1024);
  #rowCount = 0;
  #removedCount = 0;
  /** Made once it is asked for: a hub that is only listed needs none. */
  #byId: Map<string, number> | undefined;

  /** Rows that are there. */
  get size(): number {
    return this.#rowCount - this.#removedCount;
  }

  etagOf(id: string): number {
    const index = this.#index().get(id);
    return index === undefined ? 0 : this.#number(index, ETAG);
  }

  /** Adds a row whose id is new. */
  add(id: string, etag: number, description: string): void {
    this.#byId?.set(id, this.#rowCount);
    this.#rowCount += 1;
    if (this.#rowCount * WIDTH > this.#numbers.length) {
      const larger = new Float64Array(2 * this.#numbers.length);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#set(this.#rowCount - 1, id, etag, description);
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
    this.#numbers[index * WIDTH + ETAG] = 0;
    this.#removedCount += 1;
    this.#byId?.delete(id);
  }

  /** Up to `top` rows from an offset, and the offset to go on from. */
  page(offset: number, top: number): { readonly rows: StoredRow[]; readonly nextOffset: number | undefined } {
    const end = Math.min(offset + top, this.#rowCount);
    const rows: StoredRow[] = [];
    for (let index = offset; index < end; index += 1) {
      const etag = this.#number(index, ETAG);
      if (etag > 0) rows.push({ id: this.#idAt(index), etag, description: this.#descriptionAt(index) });
    }
    return { rows, nextOffset: end < this.#rowCount ? end : undefined };
  }

  #set(index: number, id: string, etag: number, description: string): void {
    // One piece: what of it is the id's is told by the lengths, for ids are ASCII.
    const place = this.#bytes.keepText(id + description);
    this.#numbers.set([place, id.length, Buffer.byteLength(description), etag], index * WIDTH);
  }

  #idAt(index: number): string {
    return this.#bytes.at(this.#number(index, PLACE), this.#number(index, ID_LENGTH)).toString('latin1');
  }

  #descriptionAt(index: number): Buffer {
    const start = this.#number(index, PLACE) + this.#number(index, ID_LENGTH);
    return this.#bytes.at(start, this.#number(index, LENGTH));
  }

  #number(index: number, column: number): number {
    return this.#numbers[index * WIDTH + column] ?? 0;
  }

  #index(): Map<string, number> {
    if (this.#byId !== undefined) return this.#byId;
    const byId = new Map<string, number>();
    for (let index = 0; index < this.#rowCount; index += 1) byId.set(this.#idAt(index), index);
    this.#byId = byId;
    return byId;
  }
}
