import type { Row } from './row.ts';
import { byPlatform, type RowKey, type RowOrder } from './row-order.ts';

const chunkLimit = 128;

/**
 * Sorted rows, as chunks: an insert moves at most one chunk, a page by offset walks chunk lengths, so that a million
 * rows stay quick to list while they change.
 */
export class RowList {
  readonly #order: RowOrder;
  readonly #chunks: Row[][] = [];
  #size = 0;

  constructor(order: RowOrder = byPlatform) {
    this.#order = order;
  }

  get size(): number {
    return this.#size;
  }

  /** Inserts, or replaces the row that the order does not tell from it. */
  put(row: Row): void {
    const { chunk, chunkIndex, index, isFound } = this.#locate(row);
    if (chunk === undefined) {
      this.#chunks.push([row]);
    } else {
      chunk.splice(index, isFound ? 1 : 0, row);
      if (chunk.length > chunkLimit) this.#chunks.splice(chunkIndex + 1, 0, chunk.splice(chunkLimit / 2));
    }
    if (!isFound) this.#size += 1;
  }

  remove(row: RowKey): void {
    const { chunk, chunkIndex, index, isFound } = this.#locate(row);
    if (chunk === undefined || !isFound) return;
    chunk.splice(index, 1);
    if (chunk.length === 0) this.#chunks.splice(chunkIndex, 1);
    this.#size -= 1;
  }

  *from(offset = 0): Iterable<Row> {
    let skipped = 0;
    for (const chunk of this.#chunks) {
      const start = Math.max(0, offset - skipped);
      for (let index = start; index < chunk.length; index += 1) {
        const row = chunk[index];
        if (row !== undefined) yield row;
      }
      skipped += chunk.length;
    }
  }

  /** How many rows come before the key or have it: the offset of the first row after it. */
  offsetAfter(key: RowKey): number {
    const { chunkIndex, index, isFound } = this.#locate(key);
    let offset = index + (isFound ? 1 : 0);
    for (let at = 0; at < chunkIndex; at += 1) offset += this.#chunks[at]?.length ?? 0;
    return offset;
  }

  #locate(key: RowKey): { chunk: Row[] | undefined; chunkIndex: number; index: number; isFound: boolean } {
    const last = this.#chunks.length - 1;
    const chunkIndex = Math.max(
      0,
      Math.min(
        last,
        lowerBound(this.#chunks.length, (at) => this.#compare(this.#chunks[at]?.at(-1), key)),
      ),
    );
    const chunk = this.#chunks[chunkIndex];
    const index = lowerBound(chunk?.length ?? 0, (at) => this.#compare(chunk?.[at], key));
    return { chunk, chunkIndex, index, isFound: this.#compare(chunk?.[index], key) === 0 };
  }

  #compare(row: Row | undefined, key: RowKey): number {
    return row === undefined ? 1 : this.#order(row, key);
  }
}

/** First position whose comparison is not negative. */
function lowerBound(length: number, compareAt: (index: number) => number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareAt(middle) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
