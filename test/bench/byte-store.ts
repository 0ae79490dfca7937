const SLAB_BYTES = 64 * 1024 * 1024;

/** Bytes side by side outside the JavaScript heap: millions of them cost no garbage collection. */
export class ByteStore {
  readonly #slabs: Buffer[] = [];
  #used = SLAB_BYTES;

  /** Gives the place of what is kept. */
  keep(bytes: Uint8Array): number {
    if (this.#used + bytes.length > SLAB_BYTES) {
      this.#slabs.push(Buffer.allocUnsafeSlow(SLAB_BYTES));
      this.#used = 0;
    }
    const start = this.#used;
    this.#slabs.at(-1)?.set(bytes, start);
    this.#used += bytes.length;
    return (this.#slabs.length - 1) * SLAB_BYTES + start;
  }

  at(place: number, sizeBytes: number): Buffer {
    const start = place % SLAB_BYTES;
    return (this.#slabs[Math.floor(place / SLAB_BYTES)] ?? Buffer.alloc(0)).subarray(start, start + sizeBytes);
  }
}
