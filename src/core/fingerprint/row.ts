import { hash53, hashOctets, hashPair } from '../bytes/hash.ts';
import { lookUpIn } from '../bytes/search.ts';
import { encodeUtf8, type Octets } from '../bytes/utf8.ts';
import { areDistinct, chooseRows } from '../registration/distinct.ts';
import { isPartial } from '../registration/expected.ts';
import { expiryMsOf } from '../registration/expiry.ts';
import { findOwn } from '../registration/own.ts';
import {
  handleHash,
  isInstallation,
  keyHashOf,
  platformOf,
  type RecordOfRows,
  recordKey,
} from '../registration/record.ts';
import { hasRepairTag, type Registration, type RegistrationFields } from '../registration/registration.ts';

/**
 * What tells a row from others without its text, as 53-bit hashes: equal rows have equal ones, and next to no others
 * do.
 */
export interface RowFingerprint {
  readonly keyHash: number;
  readonly handleHash: number;
  /** Of all that is the same to a device in the same words; 0 for a row that has to be looked at itself. */
  readonly contentHash: number;
  /** Of its id and ETag: a row whose version is the same is untouched in its hub, whatever its text. */
  readonly versionHash: number;
  readonly idHash: number;
  /** When it expires, in whole seconds since 1970; 0 for never. */
  readonly expiry: number;
}

/** A row's fingerprint, and the key it is of. */
export function fingerprintOf(octets: Octets, fields: RegistrationFields): RowFingerprint & { readonly key: string } {
  const key = recordKey(fields);
  const contentHash = contentHashOf(octets, fields);
  const idHash = hash53(fields.id);
  return {
    key,
    keyHash: keyHashOf(key),
    handleHash: handleHash(fields),
    contentHash,
    versionHash: toVersionHash(idHash, fields.etag, contentHash, octets),
    idHash,
    expiry: expiryOf(fields),
  };
}

/** The version hash of a row that has been read. */
export function versionHashOf(row: Registration): number {
  const { id, etag } = row;
  const octets = encodeUtf8(row.xml);
  return toVersionHash(hash53(id), etag, etag === 0 ? contentHashOf(octets, row) : 0, octets);
}

/** The version hash of a row that has an ETag. */
export function versionHashFrom(idHash: number, etag: number): number {
  return hashPair(idHash, etag);
}

/** Without an ETag only its content can tell whether a row is untouched. */
function toVersionHash(idHash: number, etag: number, contentHash: number, octets: Octets): number {
  return versionHashFrom(idHash, etag === 0 ? contentHash || hashOctets(octets) : etag);
}

/**
 * The version of a record, of those of its rows in any order: their sum without what is beyond 53 bits. 0 for a record
 * without rows.
 */
export function recordVersionOf(versionHashes: readonly number[]): number {
  let sum = 0;
  for (const hash of versionHashes) {
    const room = BEYOND_53_BITS - sum;
    sum = hash < room ? sum + hash : hash - room;
  }
  return sum;
}

/** The same of a record's rows. */
export function versionOfRows(rows: readonly Registration[]): number {
  return recordVersionOf(rows.map(versionHashOf));
}

const BEYOND_53_BITS = 2 ** 53;

/**
 * Whether a row's version is among those that a restore saw. Journals of older versions of the app hold hashes of id,
 * ETag and content.
 */
export function isAmong(seen: ReadonlySet<number>, row: Registration): boolean {
  if (seen.has(versionHashOf(row))) return true;
  const octets = encodeUtf8(row.xml);
  return seen.has(hash53(`${row.id} ${row.etag} ${hashWithoutOwn(octets) || hashOctets(octets)}`));
}

export function expiryOf({ expirationTime }: Pick<RegistrationFields, 'expirationTime'>): number {
  const atMs = expiryMsOf(expirationTime);
  return atMs === undefined ? 0 : Math.max(1, Math.floor(atMs / 1000));
}

/**
 * 0 where the description is not written as the service writes it: the hub's own values cannot be found on the fast
 * path. Also of a row with the tag that earlier versions left: it has to be written again without it.
 */
export function contentHashOf(octets: Octets, { tags }: Pick<RegistrationFields, 'tags'>): number {
  return hasRepairTag(tags) ? 0 : hashWithoutOwn(octets);
}

function hashWithoutOwn(octets: Octets): number {
  const own = findOwn(octets);
  return own === undefined ? 0 : hashOctets(octets, own.start, own.end);
}

/** What tells a snapshot's record from others without its text. */
export interface RecordFingerprint {
  /** Of its first row. */
  readonly platform: string;
  readonly keyHash: number;
  /** `recordVersionOf` all its rows. */
  readonly versionHash: number;
  /** When it expires, in whole seconds since 1970; 0 for never. */
  readonly expiry: number;
  /** Of every row. */
  readonly handleHashes: readonly number[];
  /** Of every row; none of an installation, whose rows' ids are the hub's to choose. */
  readonly idHashes: readonly number[];
  /**
   * Of the rows a restore would write: fewer, where some are left out for others. All 0 for an installation whose rows
   * are not all there: what a hub lists once it is restored differs from them.
   */
  readonly contentHashes: readonly number[];
  /** Rows left out for a newer one, or as they cannot be written. */
  readonly superseded: number;
}

export function fingerprintRecord(record: RecordOfRows): RecordFingerprint {
  const chosen = areDistinct(record.rows) ? undefined : chooseRows(record.rows);
  const wanted = chosen === undefined ? record.rows : [...chosen.rows.values()];
  return {
    platform: platformOf(record),
    keyHash: keyHashOf(record.key),
    versionHash: versionOfRows(record.rows),
    expiry: recordExpiryOf(isInstallation(record), record.rows.map(expiryOf)),
    handleHashes: record.rows.map(handleHash),
    idHashes: isInstallation(record) ? [] : record.rows.map(({ id }) => hash53(id)),
    contentHashes: wanted.map((row) => (isPartial(record) ? 0 : contentHashOf(encodeUtf8(row.xml), row))),
    superseded: chosen?.superseded ?? 0,
  };
}

/**
 * When a record expires. An installation does so at one time: a listing between two effects of a renewal shows it of
 * some rows only, and the latest counts. Of other devices the earliest that is no "never".
 */
export function recordExpiryOf(isInstallation: boolean, expiries: readonly number[]): number {
  if (isInstallation) return expiries.includes(0) ? 0 : Math.max(...expiries);
  return expiries.reduce(
    (earliest, expiry) => (earliest === 0 || (expiry > 0 && expiry < earliest) ? expiry : earliest),
    0,
  );
}

/**
 * True when the content hashes of a snapshot's record and of what lives under its key surely are those of the same
 * rows. That is how nearly every record of a restored hub looks, and no text has to be read to see it. False says
 * nothing.
 */
export function areSurelySame(hashes: readonly number[], live: readonly number[]): boolean {
  return !hashes.includes(0) && haveSame(hashes, live);
}

/** Whether the content hashes of two records are the same, as far as they tell: of two rows with 0 they say nothing. */
export function haveSame(hashes: readonly number[], others: readonly number[]): boolean {
  return hashes.length === others.length && hashes.every(lookUpIn(others));
}
