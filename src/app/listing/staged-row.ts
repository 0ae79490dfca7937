import { z } from 'zod';
import { hash53 } from '../../core/bytes/hash.ts';
import { encodeUtf8, type Octets } from '../../core/bytes/utf8.ts';
import { fingerprintOf, type RowFingerprint, versionHashFrom, versionHashOf } from '../../core/fingerprint/row.ts';
import {
  parseOctets,
  parseRegistration,
  type Registration,
  type RegistrationFields,
} from '../../core/registration/registration.ts';
import {
  formatLine,
  isInstallationLine,
  keyIn,
  openShardRecords,
  type Piece,
  rowIn,
} from '../../core/snapshot/shard.ts';
import { toOctets } from '../stored/codec.ts';

/*
 * A backup's row as it is staged: what building a shard needs of it, as numbers in its section's table, and its
 * platform's name with the line a record of this row alone is, so that building neither reads XML nor makes a text of it.
 */

/** The numbers of a row in its section's table. */
const KEY_HASH = 0;
const ID_HASH = 1;
const ETAG = 2;
const HANDLE_HASH = 3;
const CONTENT_HASH = 4;
const TEMPLATE_HASH = 5;
const PLATFORM_LENGTH = 6;
/** Of the key as JSON, in bytes. */
const KEY_LENGTH = 7;
const EXPIRY = 8;
const WIDTH = 9;

/** `key`: of the row's record. */
export function toSnapshotRow(
  octets: Octets,
  fields: RegistrationFields,
  fingerprint: RowFingerprint & { readonly key: string },
) {
  const platform = encodeUtf8(fields.platform);
  const key = encodeUtf8(JSON.stringify(fingerprint.key));
  const { etag, isTemplate, templateName } = fields;
  return {
    octets: platform + formatLine(key, JSON.stringify(octets)),
    numbers: [
      fingerprint.keyHash,
      fingerprint.idHash,
      etag,
      fingerprint.handleHash,
      fingerprint.contentHash,
      isTemplate ? hash53(`t ${templateName ?? ''}`) : NO_TEMPLATE,
      platform.length,
      key.length,
      fingerprint.expiry,
    ],
  };
}

const NO_TEMPLATE = 0;
const UNNAMED = hash53('t ');

/** The numbers of a row that was staged for a backup, made once more. */
export function snapshotNumbersOf(row: Buffer): readonly number[] {
  const line = row.toString('utf8', row.indexOf('{'));
  const { rows } = openShardRecords({ count: 1, at: () => line }, 'of staged rows').at(0);
  return rows.flatMap((fields) => {
    const octets = encodeUtf8(fields.xml);
    return toSnapshotRow(octets, fields, fingerprintOf(octets, fields)).numbers;
  });
}

/** The numbers of rows as they were staged, by the rows' place in the order they came. */
export class SnapshotTable {
  readonly count: number;
  readonly numbers: Float64Array;

  constructor(numbers: Float64Array) {
    this.count = numbers.length / WIDTH;
    this.numbers = numbers;
  }

  keyHash = (index: number): number => this.number(index, KEY_HASH);
  idHash = (index: number): number => this.number(index, ID_HASH);
  etag = (index: number): number => this.number(index, ETAG);
  handleHash = (index: number): number => this.number(index, HANDLE_HASH);
  contentHash = (index: number): number => this.number(index, CONTENT_HASH);
  /** Rows of one record may stand for one another where this is the same. */
  templateHash = (index: number): number => this.number(index, TEMPLATE_HASH);
  expiry = (index: number): number => this.number(index, EXPIRY);
  isUnnamed = (index: number): boolean => this.templateHash(index) === UNNAMED;
  isTemplate = (index: number): boolean => this.templateHash(index) !== NO_TEMPLATE;

  protected number(index: number, column: number): number {
    return this.numbers[index * WIDTH + column] ?? 0;
  }
}

/** A shard's rows with their numbers. */
export class SnapshotRows extends SnapshotTable {
  readonly #rows: readonly Buffer[];

  /** Throws a `RangeError` when rows and table are not of each other. */
  constructor(rows: readonly Buffer[], table: Float64Array) {
    super(table);
    if (rows.length !== this.count) throw new RangeError('There are not as many numbers as rows.');
    this.#rows = rows;
  }

  bytes(index: number): Buffer {
    const row = this.#rows[index];
    if (row === undefined) throw new RangeError(`There is no row ${index}.`);
    return row;
  }

  platform(index: number): string {
    return this.bytes(index).toString('utf8', 0, this.number(index, PLATFORM_LENGTH));
  }

  versionHash(index: number): number {
    const etag = this.etag(index);
    return etag === 0 ? versionHashOf(this.read(index)) : versionHashFrom(this.idHash(index), etag);
  }

  isInstallation(index: number): boolean {
    return isInstallationLine(this.bytes(index), this.line(index).start);
  }

  /** The line of a record of this row alone, with its line feed. */
  line(index: number): Piece {
    return { start: this.number(index, PLATFORM_LENGTH), end: this.bytes(index).length };
  }

  /** The record's key as JSON. */
  key(index: number): Piece {
    return keyIn(this.line(index), this.number(index, KEY_LENGTH));
  }

  /** The description as JSON. */
  description(index: number): Piece {
    return rowIn(this.line(index), this.number(index, KEY_LENGTH));
  }

  read(index: number): Registration {
    return parseRegistration(this.text(index, this.description(index)));
  }

  text(index: number, { start, end }: Piece): string {
    return z.string().parse(JSON.parse(this.bytes(index).toString('utf8', start, end)));
  }
}

/* A restore's row is staged as it was listed; the numbers in its section's table are its fingerprint. */

export function fingerprintNumbers({
  keyHash,
  handleHash,
  contentHash,
  versionHash,
  idHash,
  expiry,
}: RowFingerprint): readonly number[] {
  return [keyHash, handleHash, contentHash, versionHash, idHash, expiry];
}

/** The numbers of a row that was staged for a restore, made once more. */
export function fingerprintNumbersOf(row: Buffer): readonly number[] {
  const octets = toOctets(row);
  return fingerprintNumbers(fingerprintOf(octets, parseOctets(octets)));
}
