import { hash53 } from '../core/hash.ts';
import { recordKey } from '../core/record.ts';
import type { RegistrationFields } from '../core/registration.ts';
import type { RowPrint } from '../core/row-print.ts';
import { encodeUtf8, type Octets } from '../core/utf8.ts';

/**
 * A backup's row as it is staged: what sealing wants to know of it, and the pieces of the line it will be part of, so
 * that sealing neither reads XML nor makes a text of it.
 */
export interface SnapshotRows {
  readonly keyHash: (row: number) => number;
  readonly idHash: (row: number) => number;
  readonly etag: (row: number) => number;
  readonly handleHash: (row: number) => number;
  readonly contentHash: (row: number) => number;
  /** Rows of one record may become one with another where this is the same. */
  readonly templateHash: (row: number) => number;
  readonly isTemplate: (row: number) => boolean;
  readonly platform: (row: number) => string;
  /** Where the record's key stands as JSON in UTF-8. */
  readonly key: (row: number) => Piece;
  /** Likewise the description. */
  readonly description: (row: number) => Piece;
}

export interface Piece {
  readonly start: number;
  readonly end: number;
}

/** After six numbers of eight bytes a byte each for template and length of the platform's name, four for that of the key. */
const TEMPLATE_AT = 6 * 8;
const PLATFORM_LENGTH_AT = TEMPLATE_AT + 1;
const KEY_LENGTH_AT = TEMPLATE_AT + 2;
const PLATFORM_AT = TEMPLATE_AT + 6;

/** Gives the bytes of one row after another; those of one are good until the next is asked for. */
export function createRowWriter(): (octets: Octets, fields: RegistrationFields, print: RowPrint) => Uint8Array {
  let bytes = Buffer.allocUnsafe(64 * 1024);
  return (octets, fields, { keyHash, handleHash, contentHash }) => {
    const platform = encodeUtf8(fields.platform).slice(0, 255);
    const key = encodeUtf8(JSON.stringify(recordKey(fields)));
    const description = JSON.stringify(octets);
    const keyAt = PLATFORM_AT + platform.length;
    const size = keyAt + key.length + description.length;
    if (size > bytes.length) bytes = Buffer.allocUnsafe(2 * size);
    bytes.writeDoubleLE(keyHash, 0);
    bytes.writeDoubleLE(hash53(fields.id), 8);
    bytes.writeDoubleLE(fields.etag, 16);
    bytes.writeDoubleLE(handleHash, 24);
    bytes.writeDoubleLE(contentHash, 32);
    bytes.writeDoubleLE(fields.isTemplate ? hash53(`t ${fields.templateName ?? ''}`) : 0, 40);
    bytes[TEMPLATE_AT] = fields.isTemplate ? 1 : 0;
    bytes[PLATFORM_LENGTH_AT] = platform.length;
    bytes.writeUInt32LE(key.length, KEY_LENGTH_AT);
    bytes.write(platform, PLATFORM_AT, 'latin1');
    bytes.write(key, keyAt, 'latin1');
    bytes.write(description, keyAt + key.length, 'latin1');
    return bytes.subarray(0, size);
  };
}

/** The hash of the record's key of one row. */
export function keyHashAt(bytes: Buffer, { start }: Piece): number {
  return bytes.readDoubleLE(start);
}

/** Reads what a row writer wrote, of rows that stand where `bounds` says. */
export function readRowsAt(bytes: Buffer, bounds: readonly Piece[]): SnapshotRows {
  const at = (row: number): Piece => bounds[row] ?? { start: 0, end: 0 };
  const keyStart = (start: number): number => start + PLATFORM_AT + (bytes[start + PLATFORM_LENGTH_AT] ?? 0);
  const keyEnd = (start: number): number => keyStart(start) + bytes.readUInt32LE(start + KEY_LENGTH_AT);
  return {
    keyHash: (row) => bytes.readDoubleLE(at(row).start),
    idHash: (row) => bytes.readDoubleLE(at(row).start + 8),
    etag: (row) => bytes.readDoubleLE(at(row).start + 16),
    handleHash: (row) => bytes.readDoubleLE(at(row).start + 24),
    contentHash: (row) => bytes.readDoubleLE(at(row).start + 32),
    templateHash: (row) => bytes.readDoubleLE(at(row).start + 40),
    isTemplate: (row) => bytes[at(row).start + TEMPLATE_AT] === 1,
    platform: (row) => bytes.toString('utf8', at(row).start + PLATFORM_AT, keyStart(at(row).start)),
    key: (row) => ({ start: keyStart(at(row).start), end: keyEnd(at(row).start) }),
    description: (row) => ({ start: keyEnd(at(row).start), end: at(row).end }),
  };
}
