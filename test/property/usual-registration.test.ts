import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DrError } from '../../src/core/errors.ts';
import { parseAnyRegistration, parseRegistration } from '../../src/core/registration/registration.ts';
import { readUsual } from '../../src/core/registration/usual.ts';
import { runs } from '../support/property-runs.ts';
import { readRecordings } from '../support/recordings.ts';
import { anAppleRow } from '../support/rows.ts';
import { aDescription, asDecoded, type Description, mutations, renderPlainly, shuffled } from './descriptions.ts';

test('a description read at a glance says what the general reader says of it, damaged ones included', () => {
  fc.assert(
    fc.property(
      aDescription,
      fc.infiniteStream(fc.nat()),
      mutations,
      fc.constantFrom('whole', 'damaged', 'shuffled', 'doubled', 'free'),
      ({ source, xml }, choices, mutate, kind) => {
        const plain = renderPlainly(kind === 'shuffled' ? shuffled(source, choices) : source);
        const texts = {
          whole: plain,
          shuffled: plain,
          damaged: asDecoded(mutate(plain)),
          doubled: double(plain),
          free: xml,
        };
        expectSame(texts[kind]);
      },
    ),
    { numRuns: runs(5000) },
  );
});

const usual = anAppleRow({
  id: '1-2-3',
  tags: ['a', 'b'],
  template: { name: 'alert', body: '{"aps":{}}' },
}).replace(
  '</AppleT',
  '<ApnsHeaders><ApnsHeader><Header>h</Header><Value>v</Value></ApnsHeader></ApnsHeaders></AppleT',
);

test.each([
  ['nothing', '', ''],
  ['something after its end', /$/, '<a/>'],
  ['text after its end', /$/, 'a'],
  ['a comment after its end', /$/, '<!-- -->'],
  ['a space before it', /^/, ' '],
  ['no id', /<RegistrationId>.*?<.RegistrationId>/, ''],
  ['an empty id', '1-2-3', ''],
  ['a blank id', '1-2-3', ' \n'],
  ['an id in white space', '1-2-3', ' 1 '],
  ['an id of references', '1-2-3', '&#49;&lt;&#x41;'],
  ['an id with an unknown entity', '1-2-3', '&nbsp;'],
  ['an id in CDATA', '1-2-3', '<![CDATA[1]]>'],
  ['the end of CDATA in its tags', 'a,b', 'a]]>b'],
  ['a return in its tags', 'a,b', 'a\r\n,b'],
  ['empty tags', 'a,b', ''],
  ['an empty ETag', /<ETag>1/, '<ETag>'],
  ['an ETag that is no number', /<ETag>1/, '<ETag>x'],
  ['an ETag beyond whole numbers', /<ETag>1/, '<ETag>99999999999999999999'],
  ['an attribute', '<Tags>', '<Tags a="b">'],
  ['nil tags', /<Tags>.*?<.Tags>/, '<Tags i:nil="true"/>'],
  ['a nil and a filled name', '<TemplateName>', '<TemplateName i:nil="true"/><TemplateName>'],
  ['a filled and a nil name', '</TemplateName>', '</TemplateName><TemplateName i:nil="true"/>'],
  ['a nil name', /<TemplateName>.*?<.TemplateName>/, '<TemplateName i:nil="true"/>'],
  ['an empty name', 'alert', ''],
  ['an empty handle', /<DeviceToken>[^<]*/, '<DeviceToken>'],
  ['a second handle', '</DeviceToken>', '</DeviceToken><DeviceToken>A</DeviceToken>'],
  ['another namespace', /xmlns="[^"]*"/, 'xmlns="urn:x"'],
  ['an undeclared prefix', '<Tags>', '<x:Tags>'],
  ['the closing tag of another', '</AppleTemplate', '</Apple'],
  ['another kind of handle', /Apple/g, 'FcmV1'],
  ['no platform', /AppleTemplate/g, 'Template'],
  ['headers of two kinds', '</ApnsHeaders>', '</WnsHeaders>'],
  ['a header twice', '<Header>h', '<Header>h</Header><Header>h'],
])('%s is judged alike', (_, what, instead) => {
  expectSame(usual.replace(what, instead));
  expectSame(usual.replace(/Template(?=Reg)/g, '').replace(what, instead));
});

test('wherever a description is cut, it is refused by both', () => {
  fc.assert(
    fc.property(aDescription, ({ source }) => {
      const whole = renderPlainly(source);
      for (let length = 0; length < whole.length; length++) {
        expect(attempt(() => parseRegistration(whole.slice(0, length)))).toBe('HubMisbehaves');
      }
    }),
    { numRuns: 20 },
  );
});

test('most of what the generators write plainly is read at a glance', () => {
  const given = fc.sample(aDescription, { numRuns: 400, seed: 1 }).map(({ source }) => known(source));
  const read = given.filter((source) => readUsual(renderPlainly(source)) !== undefined);
  expect(read.length / given.length).toBeGreaterThan(0.6);
});

test('every recorded description is read alike', () => {
  for (const { responseBody } of readRecordings()) {
    for (const [xml] of responseBody.matchAll(/<(\w+RegistrationDescription) .*?<\/\1>/gs)) expectSame(xml);
  }
});

function expectSame(xml: string): void {
  expect(attempt(() => parseRegistration(xml))).toEqual(attempt(() => parseAnyRegistration(xml)));
}

/** What was read, or the code with which it was refused. */
function attempt<T>(work: () => T): T | string {
  try {
    return work();
  } catch (error) {
    if (error instanceof DrError) return error.code;
    throw error;
  }
}

/** One of its elements twice. */
function double(xml: string): string {
  const [first = ''] =
    /<(RegistrationId|Tags|TemplateName|BodyTemplate)>[\s\S]*?<\/\1>/.exec(xml.slice(xml.length % 300)) ?? [];
  return xml.replace(first, () => first + first);
}

/** Without the elements no service writes. */
function known({ type, fields }: Description): Description {
  return { type, fields: fields.filter(({ name }) => !name.startsWith('Zz')) };
}
