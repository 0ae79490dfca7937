import { DrError } from '../../core/errors.ts';
import type { BlobRange, Hub, HubRef, Page } from '../../core/ports.ts';
import { counted } from '../../core/words.ts';
import { cutDescriptions } from './export-text.ts';

/** An export that cannot be what the hub holds: the listing takes over. */
export class ExportUnfit extends DrError {
  /** @param why the end of a sentence about the export. */
  constructor(why: string) {
    super('HubMisbehaves', why);
  }
}

/** Bytes of one read: up to this size the storage gives a checksum, too. */
const RANGE_BYTES = 4 * 1024 * 1024;
/** Reads under way at once. */
const RANGES_AHEAD = 4;
/** Rows taken without letting others in: some 10 ms. */
const PAGE_ROWS = 1000;
/** No description is as large. */
const MOST_BYTES = 4 * RANGE_BYTES;

/**
 * The file of an export job as pages of rows, like those of a listing: it is read by ranges, some of them at once, and cut
 * into its registrations one after another. A token is the place in the file where the next registration begins.
 */
export class ExportRows implements Pick<Hub, 'listPage'> {
  readonly ref: HubRef;
  readonly #read: (range: BlobRange) => Promise<Uint8Array>;
  readonly #sizeBytes: number;
  /** Ranges that were asked for and not taken yet, in order. */
  #ahead: Promise<Uint8Array>[] = [];
  /** Where the next range to be asked for begins. */
  #askedTo = 0;
  /** What was read and not cut yet. */
  #rest: Buffer = Buffer.alloc(0);
  /** Where that begins. */
  #at = 0;

  constructor(ref: HubRef, sizeBytes: number, read: (range: BlobRange) => Promise<Uint8Array>) {
    this.ref = ref;
    this.#sizeBytes = sizeBytes;
    this.#read = read;
  }

  /** Throws `ExportUnfit` where the file is not one registration after another up to its end. */
  async listPage(token: string | undefined): Promise<Page> {
    this.#goTo(token === undefined ? 0 : placeIn(token));
    for (;;) {
      const { rows, end } = cutDescriptions(this.#rest, PAGE_ROWS);
      if (end === undefined)
        throw new ExportUnfit(`it holds something else than registrations after ${counted(this.#at, 'byte')}`);
      this.#rest = this.#rest.subarray(end);
      this.#at += end;
      const isRead = this.#at + this.#rest.length >= this.#sizeBytes;
      if (isRead && rows.length < PAGE_ROWS) {
        if (this.#rest.length > 0) throw new ExportUnfit('it ends in the middle of a registration');
        return { rows, nextToken: undefined };
      }
      if (rows.length > 0) return { rows, nextToken: `${PLACE}${this.#at}` };
      if (this.#rest.length > MOST_BYTES) throw new ExportUnfit('one of its registrations has no end');
      this.#rest = Buffer.concat([this.#rest, await this.#nextRange()]);
    }
  }

  #goTo(place: number): void {
    if (place === this.#at) return;
    this.#ahead = [];
    this.#rest = Buffer.alloc(0);
    this.#at = place;
    this.#askedTo = place;
  }

  async #nextRange(): Promise<Uint8Array> {
    while (this.#ahead.length < RANGES_AHEAD && this.#askedTo < this.#sizeBytes) {
      const length = Math.min(RANGE_BYTES, this.#sizeBytes - this.#askedTo);
      const range = this.#read({ offset: this.#askedTo, length });
      // Whether anybody comes for it is not known yet.
      range.catch(() => {});
      this.#ahead.push(range);
      this.#askedTo += length;
    }
    const next = this.#ahead.shift();
    if (next === undefined) throw new ExportUnfit('it is shorter than it was');
    return next;
  }
}

const PLACE = 'export:';

function placeIn(token: string): number {
  const place = token.startsWith(PLACE) ? Number(token.slice(PLACE.length)) : Number.NaN;
  if (Number.isSafeInteger(place)) return place;
  throw new ExportUnfit('the place reached in it is lost');
}
