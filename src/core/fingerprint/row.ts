import { hash53, hashOctets } from '../bytes/hash.ts';
import { encodeUtf8, type Octets } from '../bytes/utf8.ts';
import { areDistinct, distinctRows } from '../registration/distinct.ts';
import { findOwn } from '../registration/own.ts';
import { handleHash, keyHashOf, platformOf, type RecordOfRows, recordKey } from '../registration/record.ts';
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
  /** By it a row is known again in its hub: the same id, the same ETag, the same words. */
  readonly versionHash: number;
}

export function fingerprintOf(octets: Octets, fields: RegistrationFields): RowFingerprint {
  const { keyHash, handleHash: ownHandleHash, contentHash } = fingerprintContent(octets, fields);
  return { keyHash, handleHash: ownHandleHash, contentHash, versionHash: toVersionHash(octets, fields, contentHash) };
}

/** A row's fingerprint without the version hash, and the key it is of. */
export type ContentFingerprint = Omit<RowFingerprint, 'versionHash'> & { readonly key: string };

export function fingerprintContent(octets: Octets, fields: RegistrationFields): ContentFingerprint {
  const key = recordKey(fields);
  return { key, keyHash: keyHashOf(key), handleHash: handleHash(fields), contentHash: contentHashOf(octets, fields) };
}

/** The version hash of a row that has been read. */
export function versionHashOf(row: Registration): number {
  const octets = encodeUtf8(row.xml);
  return toVersionHash(octets, row, contentHashOf(octets, row));
}

function toVersionHash(octets: Octets, { id, etag }: RegistrationFields, contentHash: number): number {
  return hash53(`${id} ${etag} ${contentHash || hashOctets(octets)}`);
}

/**
 * 0 where the description is not written as the service writes it: the hub's own values cannot be found on the fast
 * path. Also of a row with the tag that earlier versions left: it has to be written again without it.
 */
function contentHashOf(octets: Octets, { tags }: Pick<RegistrationFields, 'tags'>): number {
  if (hasRepairTag(tags)) return 0;
  const own = findOwn(octets);
  return own === undefined ? 0 : hashOctets(octets, own.start, own.end);
}

/** What tells a snapshot's record from others without its text. */
export interface RecordFingerprint {
  /** Of its first row. */
  readonly platform: string;
  readonly keyHash: number;
  /** Of every row. */
  readonly handleHashes: readonly number[];
  /** Of the rows a restore would write: fewer, where some become one with another. */
  readonly contentHashes: readonly number[];
}

export function fingerprintRecord(record: RecordOfRows): RecordFingerprint {
  const wanted = areDistinct(record.rows) ? record.rows : [...distinctRows(record.rows).values()];
  return {
    platform: platformOf(record),
    keyHash: keyHashOf(record.key),
    handleHashes: record.rows.map(handleHash),
    contentHashes: wanted.map((row) => contentHashOf(encodeUtf8(row.xml), row)),
  };
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
  return hashes.length === others.length && hashes.every((hash) => others.includes(hash));
}
