import { expect, test } from 'vitest';
import {
  canonicalRow,
  descriptionForWrite,
  parseRegistration,
  withId,
} from '../../src/core/registration/registration.ts';
import { importLine, REFUSED, readImportResult, UNTOLD, withoutId } from '../../src/core/restore/import-file.ts';
import { anAppleRow } from '../support/rows.ts';

const token = 'AB'.repeat(32);
const body = 'a\r\nb\t<c> & "d" ]]> e';
const row = anAppleRow({ id: '1-2-3', token, tags: ['a', 'b'], template: { name: 'hi', body } });
const written = descriptionForWrite(row);

test('a line is one line, without what jobs refuse, and the registration that it was', () => {
  const line = importLine(written, '1-2-3') ?? '';
  expect(line).toMatch(
    /^<RegistrationDescription xmlns:i="[^"]+" i:type="AppleTemplateRegistrationDescription" xmlns="[^"]+"><RegistrationId>1-2-3</,
  );
  expect(line).not.toMatch(/[\r\n]|ExpirationTime|ETag|CDATA/);
  expect(canonicalRow(line)).toBe(canonicalRow(row));
  expect(parseRegistration(line)).toMatchObject({ id: '1-2-3', handle: token, tags: ['a', 'b'] });
  expect(withoutId(line)).toBe(importLine(written));
});

test.each<[string, string, string?]>([
  ['has a tag that begins with a dollar sign', written.replace('<Tags>a', '<Tags>a, $UserId:{u}')],
  ['is not in the form the service lists', written.replace(/xmlns="[^"]+"/, 'xmlns="urn:other"')],
  ['has line ends outside CDATA', written.replace('<Tags>', '\n<Tags>')],
  ['has a comment', written.replace('<Tags>', '<!-- a --><Tags>')],
  [
    'has a root with a prefix',
    withId(written, '1')
      .replace(/^<A/, '<p:A')
      .replace(/<\/A(?=\w*>$)/, '</p:A'),
  ],
  ['has an id that would have to be escaped', written, '1&2'],
])('a registration that %s is left to direct writing', (_, xml, id) => {
  expect(importLine(xml, id)).toBe(undefined);
});

const sent = (line: number) => (line === 1 ? 'my-own' : undefined);
const of = (output: string, failed = '') => readImportResult({ output, failed }, 3, sent);

test('what a job says is read line by line, whether it counts from 0 or 1', () => {
  const made = ['1234567-1-1', 'my-own', '7654321-2-3'];
  expect(of('1,1234567-1-1\r\n2,my-own\r\n3,7654321-2-3\r\n').made).toEqual(made);
  expect(of('0,1234567-1-1\n1,my-own\n2,Success,7654321-2-3\n').made).toEqual(made);
  const xml = '<A><RegistrationId>x-1</RegistrationId></A>';
  expect(of(`\uFEFF1,${xml}`).made).toEqual(['x-1', UNTOLD, UNTOLD]);
});

test('what it does not say, or cannot be understood, is not taken for made', () => {
  expect(of('').made).toEqual([UNTOLD, UNTOLD, UNTOLD]);
  expect(of('all is well\n9,1234567-1-1\n2,done on 2026-11-29\n').made).toEqual([UNTOLD, UNTOLD, UNTOLD]);
});

test('refusals are counted by their words, of which none is a registration’s own', () => {
  const { made, refusals } = of('1,1234567-1-1\n2,BadRequest,Bad Format\n', `2,BadRequest,Bad Format\n3,${token},x`);
  expect(made).toEqual(['1234567-1-1', REFUSED, REFUSED]);
  expect(refusals).toEqual({ 'BadRequest, Bad Format': 1, 'no reason that can be shown': 1 });
});
