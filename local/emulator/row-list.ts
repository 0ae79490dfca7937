import { platforms } from './platforms.ts';
import type { Row } from './row.ts';

type RowKey = Pick<Row, 'platform' | 'id'>;

const chunkLimit = 128;
const rank = new Map(platforms.map((platform, index) => [platform.name, index]));

/**
 * Rows in the service's list order (platform, then numeric id), as sorted chunks: an insert moves at most one chunk,
 * a page by offset walks chunk lengths, so that a million rows stay quick to list while they change.
 */
export class RowList {
  readonly #chunks: Row[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Inserts, or replaces the row with the same platform and id. */
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

  find(key: RowKey): Row | undefined {
    const { chunk, index, isFound } = this.#locate(key);
    return isFound ? chunk?.[index] : undefined;
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
        lowerBound(this.#chunks.length, (at) => compare(this.#chunks[at]?.at(-1), key)),
      ),
    );
    const chunk = this.#chunks[chunkIndex];
    const index = lowerBound(chunk?.length ?? 0, (at) => compare(chunk?.[at], key));
    return { chunk, chunkIndex, index, isFound: compare(chunk?.[index], key) === 0 };
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

function compare(a: RowKey | undefined, b: RowKey): number {
  if (a === undefined) return 1;
  if (a.platform !== b.platform) return (rank.get(a.platform) ?? 0) - (rank.get(b.platform) ?? 0);
  return compareIds(a.id, b.id);
}

/** Ids are numbers joined by dashes, too large for a double: of two numbers the longer one is greater. */
export function compareIds(a: string, b: string): number {
  if (a === b) return 0;
  const lengthOfA = firstPartLength(a);
  const lengthOfB = firstPartLength(b);
  if (lengthOfA !== lengthOfB) return lengthOfA - lengthOfB;
  if (a.charCodeAt(0) === b.charCodeAt(0) && a.startsWith(b.slice(0, lengthOfB))) {
    return compareIds(a.slice(lengthOfA + 1), b.slice(lengthOfB + 1));
  }
  return a < b ? -1 : 1;
}

function firstPartLength(id: string): number {
  const dash = id.indexOf('-');
  return dash === -1 ? id.length : dash;
}
