import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DrError } from '../../src/core/errors.ts';
import { canonicalAnyRow } from '../../src/core/registration/canonical.ts';
import { readAnyContents, readContents, readPushVariables } from '../../src/core/registration/contents.ts';
import { areDistinct, distinctRows } from '../../src/core/registration/distinct.ts';
import { recordKey } from '../../src/core/registration/record.ts';
import {
  anyDescriptionForWrite,
  canonicalRow,
  descriptionForWrite,
  parseRegistration,
} from '../../src/core/registration/registration.ts';
import { planCreation } from '../../src/core/restore/plan/first-writes.ts';
import { runs } from '../support/property-runs.ts';
import { readRecordings } from '../support/recordings.ts';
import { aDescription, asDecoded, mutations, renderPlainly, shuffled } from './descriptions.ts';

/** What is read of a row at a glance when a restore writes it is what the general reader reads. */

test('what an installation is rebuilt from, and the description for a write, are the same by both ways', () => {
  fc.assert(
    fc.property(
      aDescription,
      fc.infiniteStream(fc.nat()),
      mutations,
      fc.constantFrom('whole', 'damaged', 'shuffled', 'headers first', 'own twice', 'free'),
      ({ source, xml }, choices, mutate, kind) => {
        const plain = renderPlainly(kind === 'shuffled' ? shuffled(source, choices) : source);
        const texts = {
          whole: plain,
          shuffled: plain,
          damaged: asDecoded(mutate(plain)),
          'headers first': headersFirst(plain),
          'own twice': plain.replace(/<(ETag|ExpirationTime)>[^<]*<\/\1>/, '$&$&'),
          free: xml,
        };
        expectSame(texts[kind]);
      },
    ),
    { numRuns: runs(5000) },
  );
});

const connect = 'http://schemas.microsoft.com/netservices/2010/10/servicebus/connect';
const instance = 'http://www.w3.org/2001/XMLSchema-instance';
const usual = `<WindowsTemplateRegistrationDescription xmlns="${connect}" xmlns:i="${instance}"><ETag>1</ETag><ExpirationTime>2030-01-01T00:00:00Z</ExpirationTime><RegistrationId>1-2-3</RegistrationId><Tags>a,b</Tags><PushVariables>{"x":"y"}</PushVariables><ChannelUri>https://c</ChannelUri><BodyTemplate><![CDATA[<toast/>]]></BodyTemplate><Expiry>2031-01-01T00:00:00Z</Expiry><WnsHeaders><WnsHeader><Header>X-WNS-Type</Header><Value>wns/toast</Value></WnsHeader></WnsHeaders><TemplateName>alert</TemplateName></WindowsTemplateRegistrationDescription>`;

test.each([
  ['nothing', '', ''],
  ['line ends in a body', '<toast/>', '<toast>\r\n\r</toast>'],
  ['line ends in push variables', '{"x"', '{\r\n"x"'],
  ['references in push variables', '{"x":"y"}', '{&quot;x&quot;:&#34;y&#x22;}'],
  ['empty push variables', '{"x":"y"}', ''],
  ['nil push variables', /<PushVariables>.*?<.PushVariables>/, '<PushVariables i:nil="true"/>'],
  ['push variables in a namespace of their own', '<PushVariables>', '<PushVariables xmlns="urn:x">'],
  ['an empty body', '<toast/>', ''],
  ['a body of two CDATA sections', '<toast/>', '<toast/>]]><![CDATA[<more/>'],
  ['a body with the end of a CDATA section', '<toast/>', 'a]]]]><![CDATA[>b'],
  ['a body with carriage returns', '<toast/>', 'a\r\nb]]>&#xD;<![CDATA[\nc]]>&#xD;&#xD;<![CDATA['],
  ['a body of references only', '<![CDATA[<toast/>]]>', '&#xD;'],
  ['a body with text between two CDATA sections', '<toast/>', 'a]]>b<![CDATA[c'],
  ['a body whose CDATA section does not end', ']]></Body', '</Body'],
  ['a nil expiry', /<Expiry>.*?<.Expiry>/, '<Expiry i:nil="true"/>'],
  ['an empty expiry', /<Expiry>[^<]*/, '<Expiry>'],
  ['a header without name', 'X-WNS-Type', ''],
  ['a header without value', 'wns/toast', ''],
  ['a header called __proto__', 'X-WNS-Type', '__proto__'],
  ['references in a header', 'wns/toast', 'a&amp;b'],
  ['a header twice', /<WnsHeader>.*<.WnsHeader>/, '$&$&'],
  ['no headers', /<WnsHeaders>.*<.WnsHeaders>/, ''],
  ['headers after the name', /(<WnsHeaders>.*<.WnsHeaders>)(<TemplateName>.*?<.TemplateName>)/, '$2$1'],
  ['two collections of headers', /(<WnsHeaders>.*<.WnsHeaders>)(<TemplateName>.*?<.TemplateName>)/, '$1$2$1'],
  ['headers of another platform', /Wns/g, 'Apns'],
  ['an empty ETag', '<ETag>1', '<ETag>'],
  ['an ETag with references', '<ETag>1', '<ETag>&#49;'],
  ['no ETag', '<ETag>1</ETag>', ''],
  ['the id before the ETag', /(<ETag>.*?<.ETag>)(.*?)(<RegistrationId>.*?<.RegistrationId>)/, '$3$2$1'],
  ['an ETag of another namespace at the end', '</WindowsT', '<e:ETag xmlns:e="urn:e">2</e:ETag></WindowsT'],
  ['a second ETag by a prefix', '</WindowsT', `<e:ETag xmlns:e="${connect}">2</e:ETag></WindowsT`],
  ['the name of an own element in the body', '<toast/>', '<ETag>7</ETag>'],
])('%s is read alike', (_, what, instead) => {
  expectSame(usual.replace(what, instead));
});

test('every recorded description is read alike', () => {
  for (const { responseBody } of readRecordings()) {
    for (const [xml] of responseBody.matchAll(/<(\w+RegistrationDescription) .*?<\/\1>/gs)) expectSame(xml);
  }
});

test('rows that are seen to be distinct do not collapse, so that a new record is planned without canonical forms', () => {
  fc.assert(
    fc.property(fc.array(aDescription, { minLength: 1, maxLength: 4 }), fc.boolean(), (given, isDoubled) => {
      const rows = given.map(({ source }) => parseRegistration(renderPlainly(source)));
      if (isDoubled) rows.push(...rows.slice(0, 1));
      const distinct = [...distinctRows(rows).values()];
      if (areDistinct(rows)) expect(distinct).toEqual(rows);
      const [first] = rows;
      if (first === undefined || recordKey(first).startsWith('i:')) return;
      const writes = planCreation(
        { key: recordKey(first), rows },
        {
          expiryFloorAtMs: 0,
          isTargetEmpty: true,
          elsewhere: { isTaken: () => false, oursUnder: () => [] },
          mintedFor: () => [],
        },
      );
      expect(writes).toEqual(
        distinct.map(({ id, xml }) => ({ kind: 'registration', id, xml: anyDescriptionForWrite(xml) })),
      );
    }),
    { numRuns: runs(1000) },
  );
});

/** Only what `parseRegistration` takes becomes a row. */
function expectSame(xml: string): void {
  try {
    parseRegistration(xml);
  } catch (error) {
    if (error instanceof DrError) return;
    throw error;
  }
  const contents = readAnyContents(xml);
  expect(readContents(xml)).toEqual(contents);
  expect(canonicalRow(xml)).toBe(canonicalAnyRow(xml));
  expect(readPushVariables(xml)).toBe(contents.pushVariables);
  expect(descriptionForWrite(xml)).toBe(anyDescriptionForWrite(xml));
}

/** Where they stand relative to the template's name is not the same on all platforms. */
function headersFirst(xml: string): string {
  return xml.replace(/(<TemplateName>.*?<\/TemplateName>)(<(\w+Headers)>.*<\/\3>)/s, '$2$1');
}
