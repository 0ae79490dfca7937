import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../src/core/bytes/utf8.ts';
import { DrError } from '../../src/core/errors.ts';
import { areSurelySame as areHashesAlike, fingerprintOf, fingerprintRecord } from '../../src/core/fingerprint/row.ts';
import { distinctRows } from '../../src/core/registration/distinct.ts';
import { recordKey } from '../../src/core/registration/record.ts';
import { parseRegistration, type Registration } from '../../src/core/registration/registration.ts';
import { runs } from '../support/property-runs.ts';
import { aDescription, mutations, render } from './descriptions.ts';

/** Choices that write a description as the service does. */
function* plainly(): Generator<number> {
  for (;;) yield 2;
}

/** What another hub gives a row of its own. */
const elsewhere = (xml: string): string =>
  xml
    .replace(/<ETag>\d*/, '<ETag>77')
    .replace(/<ExpirationTime>[^<]*/, '<ExpirationTime>2031-01-01T00:00:00Z')
    .replace(/<RegistrationId>[^<]*/, '<RegistrationId>9-9-9');

const read = (xmls: readonly string[]): Registration[] | undefined => {
  try {
    return xmls.map(parseRegistration);
  } catch (error) {
    if (error instanceof DrError) return undefined;
    throw error;
  }
};

const someRow = fc.tuple(aDescription, fc.boolean()).map(([{ source, xml }, isPlain]) => ({
  xml: isPlain ? render(source, plainly()) : xml,
}));
const someRows = fc.array(someRow, { minLength: 1, maxLength: 4 }).map((rows) => rows.map(({ xml }) => xml));

/** As a restore sees it: the snapshot's record by what is to be written of it, what is live row by row. */
function areSurelySame(rows: readonly Registration[], live: readonly Registration[]): boolean {
  return areHashesAlike(
    fingerprintRecord({ key: rows.map(recordKey)[0] ?? '', rows }).contentHashes,
    live.map((row) => fingerprintOf(encodeUtf8(row.xml), row).contentHash),
  );
}

function expectTruth(rows: readonly Registration[], live: readonly Registration[]): void {
  const [forms, liveForms] = [distinctRows(rows), distinctRows(live)];
  expect(liveForms.size).toBe(live.length);
  expect([...liveForms.keys()].sort()).toEqual([...forms.keys()].sort());
}

test('what is seen to be alike has the same canonical forms, and nothing that lives could collapse', () => {
  fc.assert(
    fc.property(
      someRows,
      mutations,
      fc.constantFrom('same', 'reversed', 'doubled', 'one changed'),
      (xmls, mutate, kind) => {
        const moved = xmls.map(elsewhere);
        if (kind === 'reversed') moved.reverse();
        if (kind === 'doubled') moved.splice(1, 1, moved[0] ?? '');
        if (kind === 'one changed') moved.splice(0, 1, mutate(moved[0] ?? ''));
        const [rows, others] = [read(xmls), read(moved)];
        if (rows === undefined || others === undefined) return;
        if (areSurelySame(rows, others)) expectTruth(rows, others);
        if (areSurelySame(others, rows)) expectTruth(others, rows);
      },
    ),
    { numRuns: runs(4000) },
  );
});

test('a row as the service writes it is seen to be alike in another hub, in any order of rows', () => {
  fc.assert(
    fc.property(fc.array(aDescription, { minLength: 1, maxLength: 4 }), (given) => {
      const rows = given.map(({ source }) => render(source, plainly()));
      const [before, after] = [read(rows) ?? [], read(rows.map(elsewhere).reverse()) ?? []];
      const isWhole = distinctRows(before).size === before.length;
      expect(areSurelySame(before, after)).toBe(isWhole);
    }),
    { numRuns: runs(1000) },
  );
});

test.each([
  ['an ETag of another namespace', '<c:AppleRegistrationDescription xmlns:c="urn:c" xmlns="urn:x"><ETag>1</ETag>'],
  ['an ETag in a comment', '<!-- --><AppleRegistrationDescription xmlns="urn:c"><!--<ETag>1</ETag>-->'],
])('%s is not taken for the hub’s own', (_, start) => {
  const prefix = start.includes('<c:') ? 'c:' : '';
  const row = (etag: number): string =>
    `${start.replace('<ETag>1', `<ETag>${etag}`)}<${prefix}RegistrationId>1</${prefix}RegistrationId><${prefix}DeviceToken>A</${prefix}DeviceToken></${prefix}AppleRegistrationDescription>`;
  expect(areSurelySame([parseRegistration(row(1))], [parseRegistration(row(2))])).toBe(false);
});
