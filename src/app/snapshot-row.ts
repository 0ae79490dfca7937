import { hash53 } from '../core/hash.ts';
import type { RegistrationFields } from '../core/registration.ts';
import type { ContentPrint } from '../core/row-print.ts';
import { encodeUtf8, type Octets } from '../core/utf8.ts';

/*
 * A backup's row as it is staged: what sealing wants to know of it, and the line a record of this row alone is, so that
 * sealing neither reads XML nor makes a text of it.
 *
 * Six numbers of eight bytes (hashes of key and id, ETag, hashes of handle, content and template name), one byte each for
 * whether it is a template and the length of its platform's name, four for the length of the key as JSON; then the
 * platform and the line.
 */
const ID_HASH_AT = 8;
const ETAG_AT = 16;
const HANDLE_HASH_AT = 24;
const CONTENT_HASH_AT = 32;
const TEMPLATE_HASH_AT = 40;
const TEMPLATE_AT = 48;
const PLATFORM_LENGTH_AT = 49;
const KEY_LENGTH_AT = 50;
const PLATFORM_AT = 54;

const LINE_START = '{"key":';
const BEFORE_ROWS = ',"rows":[';
const LINE_END = ']}\n';

export interface Piece {
  readonly start: number;
  readonly end: number;
}

/** Gives the bytes of one row after another; those of one are good until the next is asked for. */
export function createRowWriter(): (octets: Octets, fields: RegistrationFields, print: ContentPrint) => Uint8Array {
  let bytes = Buffer.allocUnsafe(64 * 1024);
  return (octets, fields, { key, keyHash, handleHash, contentHash }) => {
    const platform = encodeUtf8(fields.platform).slice(0, 255);
    const jsonKey = encodeUtf8(JSON.stringify(key));
    const line = `${LINE_START}${jsonKey}${BEFORE_ROWS}${JSON.stringify(octets)}${LINE_END}`;
    const lineAt = PLATFORM_AT + platform.length;
    const size = lineAt + line.length;
    if (size > bytes.length) bytes = Buffer.allocUnsafe(2 * size);
    bytes.writeDoubleLE(keyHash, 0);
    bytes.writeDoubleLE(hash53(fields.id), ID_HASH_AT);
    bytes.writeDoubleLE(fields.etag, ETAG_AT);
    bytes.writeDoubleLE(handleHash, HANDLE_HASH_AT);
    bytes.writeDoubleLE(contentHash, CONTENT_HASH_AT);
    bytes.writeDoubleLE(fields.isTemplate ? hash53(`t ${fields.templateName ?? ''}`) : 0, TEMPLATE_HASH_AT);
    bytes[TEMPLATE_AT] = fields.isTemplate ? 1 : 0;
    bytes[PLATFORM_LENGTH_AT] = platform.length;
    bytes.writeUInt32LE(jsonKey.length, KEY_LENGTH_AT);
    bytes.write(platform, PLATFORM_AT, 'latin1');
    bytes.write(line, lineAt, 'latin1');
    return bytes.subarray(0, size);
  };
}

export const keyHashOfRow = (row: Buffer): number => row.readDoubleLE(0);
export const idHashOfRow = (row: Buffer): number => row.readDoubleLE(ID_HASH_AT);
export const etagOfRow = (row: Buffer): number => row.readDoubleLE(ETAG_AT);
export const handleHashOfRow = (row: Buffer): number => row.readDoubleLE(HANDLE_HASH_AT);
export const contentHashOfRow = (row: Buffer): number => row.readDoubleLE(CONTENT_HASH_AT);
/** Rows of one record may become one with another where this is the same. */
export const templateHashOfRow = (row: Buffer): number => row.readDoubleLE(TEMPLATE_HASH_AT);
export const isTemplateRow = (row: Buffer): boolean => row[TEMPLATE_AT] === 1;
export const platformOfRow = (row: Buffer): string => row.toString('utf8', PLATFORM_AT, lineAtOf(row));
export const isInstallationRow = (row: Buffer): boolean => row[keyOfRow(row).start + 1] === INSTALLATION_LETTER;

const INSTALLATION_LETTER = 'i'.charCodeAt(0);

/** The line of a record of this row alone, with its line feed. */
export function lineOfRow(row: Buffer): Piece {
  return { start: lineAtOf(row), end: row.length };
}

/** The record's key as JSON. */
export function keyOfRow(row: Buffer): Piece {
  const start = lineAtOf(row) + LINE_START.length;
  return { start, end: start + row.readUInt32LE(KEY_LENGTH_AT) };
}

/** The description as JSON. */
export function descriptionOfRow(row: Buffer): Piece {
  return { start: keyOfRow(row).end + BEFORE_ROWS.length, end: row.length - LINE_END.length };
}

function lineAtOf(row: Buffer): number {
  return PLATFORM_AT + (row[PLATFORM_LENGTH_AT] ?? 0);
}
