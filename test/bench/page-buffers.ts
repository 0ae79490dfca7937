const PAGE_BYTES = 512 * 1024;

/** A page that is being written into memory that is there already. */
export class PageBuffer {
  #memory = Buffer.allocUnsafeSlow(PAGE_BYTES);
  #used = 0;

  text(text: string): void {
    // No character takes more bytes than three a code unit.
    this.#makeRoom(text.length * 3);
    this.#used += this.#memory.write(text, this.#used);
  }

  bytes(bytes: Buffer): void {
    this.#makeRoom(bytes.length);
    this.#used += bytes.copy(this.#memory, this.#used);
  }

  written(): Buffer {
    return this.#memory.subarray(0, this.#used);
  }

  clear(): void {
    this.#used = 0;
  }

  #makeRoom(sizeBytes: number): void {
    if (this.#used + sizeBytes <= this.#memory.length) return;
    const larger = Buffer.allocUnsafeSlow(this.#memory.length * 2 + sizeBytes);
    this.#memory.copy(larger, 0, 0, this.#used);
    this.#memory = larger;
  }
}

/** Pages that were sent are written anew, so that no page needs memory of its own from the system. */
export class PageBuffers {
  readonly #free: PageBuffer[] = [];

  take(): PageBuffer {
    return this.#free.pop() ?? new PageBuffer();
  }

  giveBack(page: PageBuffer): void {
    page.clear();
    this.#free.push(page);
  }
}
