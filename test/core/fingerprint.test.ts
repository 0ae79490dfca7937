import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../src/core/bytes/utf8.ts';
import {
  fingerprintOf,
  fingerprintRecord,
  type RowFingerprint,
  recordVersionOf,
  versionHashOf,
} from '../../src/core/fingerprint/row.ts';
import { recordKey } from '../../src/core/registration/record.ts';
import { parseRegistration } from '../../src/core/registration/registration.ts';
import { anAppleRow, anInstallation, tokenOf } from '../support/rows.ts';

const token = tokenOf('phone');

function fingerprint(xml: string): RowFingerprint {
  return fingerprintOf(encodeUtf8(xml), parseRegistration(xml));
}

function recordOf(...xmls: readonly string[]) {
  const rows = xmls.map(parseRegistration);
  return fingerprintRecord({ key: rows.map(recordKey)[0] ?? '', rows });
}

const withoutEtag = (xml: string): string => xml.replace(/<ETag>\d*<\/ETag>/, '');

test('a row whose id and ETag are the same has the same version, whatever its text', () => {
  const { versionHash } = fingerprint(anAppleRow({ id: '1-1-1', tags: ['a'], token, etag: 3 }));
  const other = anAppleRow({ id: '1-1-1', tags: ['b'], etag: 3, expirationTime: '2030-01-01T00:00:00Z' });
  expect(fingerprint(other).versionHash).toBe(versionHash);
  expect(versionHashOf(parseRegistration(other))).toBe(versionHash);
  expect(fingerprint(anAppleRow({ id: '1-1-1', tags: ['a'], token, etag: 4 })).versionHash).not.toBe(versionHash);
  expect(fingerprint(anAppleRow({ id: '1-1-2', tags: ['a'], token, etag: 3 })).versionHash).not.toBe(versionHash);
});

test('without an ETag the content is part of the version', () => {
  const versionOf = (xml: string): number => {
    const { versionHash } = fingerprint(xml);
    expect(versionHashOf(parseRegistration(xml))).toBe(versionHash);
    return versionHash;
  };
  const row = (tag: string): string => anAppleRow({ id: '1-1-1', tags: [tag], token, etag: 0 });
  expect(versionOf(row('a'))).toBe(versionOf(row('a')));
  expect(versionOf(row('a'))).not.toBe(versionOf(row('b')));
  expect(versionOf(withoutEtag(row('a')))).not.toBe(versionOf(withoutEtag(row('b'))));
});

test.each([
  ['9999-12-31T23:59:59.999Z', 0],
  ['9999-12-31T23:59:59.9999999', 0],
  ['2030-01-01T00:00:00.9999999Z', 1_893_456_000],
  ['2030-01-01T00:00:00.5', 1_893_456_000],
  ['2030-01-01T02:00:00+02:00', 1_893_456_000],
  ['0001-01-01T00:00:00Z', 1],
  ['soon', 0],
])('an expiry is in whole seconds, and 0 for never: %s', (expirationTime, expiry) => {
  expect(fingerprint(anAppleRow({ id: '1-1-1', expirationTime })).expiry).toBe(expiry);
});

test('a record expires with the first of its rows', () => {
  const row = (id: string, expirationTime?: string) =>
    anAppleRow({ id, token, ...(expirationTime === undefined ? {} : { expirationTime }) });
  const rows = [row('1-1-1'), row('1-1-2', '2031-01-01T00:00:00Z'), row('1-1-3', '2030-01-01T00:00:00Z')];
  expect(recordOf(...rows).expiry).toBe(1_893_456_000);
  expect(recordOf(row('1-1-1')).expiry).toBe(0);
});

test('a record of plain rows has their ids, an installation none', () => {
  const rows = ['1-1-1', '1-1-2'].map((id) => anAppleRow({ id, token }));
  expect(recordOf(...rows).idHashes).toEqual(rows.map((xml) => fingerprint(xml).idHash));
  expect(recordOf(...anInstallation('app').map(([, xml]) => xml)).idHashes).toEqual([]);
});

const versions = fc.array(fc.maxSafeNat(), { minLength: 1, maxLength: 8 });

test('a record’s version is that of its rows in any order, and of no others', () => {
  fc.assert(
    fc.property(versions, fc.nat(), fc.maxSafeNat(), (given, at, other) => {
      const version = recordVersionOf(given);
      expect(Number.isSafeInteger(version)).toBe(true);
      expect(recordVersionOf(given.toReversed())).toBe(version);
      expect(recordVersionOf([...given.slice(1), given[0] ?? 0])).toBe(version);
      const changed = given.with(at % given.length, other);
      expect(recordVersionOf(changed) === version).toBe(given[at % given.length] === other);
    }),
  );
});
