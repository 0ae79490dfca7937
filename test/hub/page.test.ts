import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DrError } from '../../src/core/errors.ts';
import { canonicalRow, parseAnyRegistration, parseRegistration } from '../../src/core/registration/registration.ts';
import { readPage as readBytes } from '../../src/hub/page/page.ts';
import { aDescription, type Description, mutations, render } from '../property/descriptions.ts';
import { runs } from '../support/property-runs.ts';
import { descriptionsIn, readRecordings } from '../support/recordings.ts';
import { type OracleElement, readWithOracle } from '../support/xml-oracle.ts';

const readPage = (body: string): string[] => readBytes(Buffer.from(body)).map((row) => Buffer.from(row).toString());

const ATOM = 'http://www.w3.org/2005/Atom';
const CONNECT = 'http://schemas.microsoft.com/netservices/2010/10/servicebus/connect';
const INSTANCE = 'http://www.w3.org/2001/XMLSchema-instance';

const row = (id: string, extra = ''): string =>
  `<AppleRegistrationDescription xmlns="${CONNECT}" xmlns:i="${INSTANCE}"><RegistrationId>${id}</RegistrationId><DeviceToken>A</DeviceToken>${extra}</AppleRegistrationDescription>`;

/** As the service wrote it until 2022. */
const olderEntry = (description: string): string =>
  `<entry a:etag="W/&quot;1&quot;" xmlns:a="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"><id>https://n.servicebus.windows.net/h/registrations/1?api-version=2017-04&amp;$top=100</id><title type="text">1</title><published>2018-11-07T00:18:37Z</published><updated>2018-11-07T00:18:37Z</updated><link rel="self" href="https://n.servicebus.windows.net/h/registrations/1?api-version=2017-04&amp;$top=100"/><content type="application/xml">${description}</content></entry>`;

/** As it writes it since 2024. */
const newerEntry = (description: string): string =>
  `<entry p2:etag="W/&quot;1&quot;" xmlns:p2="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"><id>https://n.servicebus.windows.net/h/resources/1?api-version=2020-06</id><title type="text">1</title><published>2024-04-16T22:06:18Z</published><updated>2024-04-16T22:06:18Z</updated><link rel="self" href="https://n.servicebus.windows.net/h/resources/1?api-version=2020-06" /><content type="application/xml">${description}</content></entry>`;

const feed = (entries: string, title = 'Registrations'): string =>
  `<feed xmlns="${ATOM}"><title type="text">${title}</title><id>https://n/h</id><updated>2024-04-16T22:06:18Z</updated><link rel="self" href="https://n/h?a=1&amp;b=2" />${entries}</feed>`;

describe('readPage', () => {
  test.each([
    ['older', olderEntry],
    ['newer', newerEntry],
  ])('slices the descriptions out verbatim, as the %s service writes them', (_, entry) => {
    const rows = [
      row('1'),
      row('2', '<BodyTemplate><![CDATA[</AppleRegistrationDescription>]]></BodyTemplate>'),
      row('3'),
    ];
    expect(readPage(feed(rows.map(entry).join('')))).toEqual(rows);
  });

  test('is not misled by what looks like an end', () => {
    const rows = [
      row('1', '<!-- </AppleRegistrationDescription> -->'),
      row('2', '<?x </AppleRegistrationDescription> ?>'),
      row('3', '<T><![CDATA[</content></entry></feed><entry>]]></T>'),
    ];
    expect(readPage(`<?xml version="1.0" encoding="utf-8"?>\n${feed(rows.map(newerEntry).join('\n'))}\n`)).toEqual(
      rows,
    );
  });

  test.each([
    ['written as usual', feed],
    ['that begins with a declaration', (entries: string) => `<?xml version="1.0"?>${feed(entries)}`],
  ])('leaves a fault inside one description to its reader, on a page %s', (_, page) => {
    const rows = [row('1'), row('2', '<Tags>&unknown;</Tags>'), row('3', '<Tags>a</Tagz>'), row('4')];
    expect(readPage(page(rows.map(newerEntry).join('')))).toEqual(rows);
    for (const faulty of rows.slice(1, 3)) expect(() => parseRegistration(faulty)).toThrow(DrError);
    expect(parseRegistration(rows[3] ?? '').id).toBe('4');
  });

  test('reads an empty page and a page of one', () => {
    expect(readPage(feed(''))).toEqual([]);
    expect(readPage(`<feed xmlns="${ATOM}"/>`)).toEqual([]);
    expect(readPage(feed(newerEntry(row('1'))))).toHaveLength(1);
  });

  test('carries namespaces that are declared outside the description into it', () => {
    const outside = `<feed xmlns="${ATOM}" xmlns:c="${CONNECT}" xmlns:i="${INSTANCE}" xmlns:u="urn:a&amp;b"><entry><content><c:RegistrationDescription i:type="c:AppleRegistrationDescription"><c:RegistrationId>1</c:RegistrationId><c:DeviceToken>a</c:DeviceToken><c:Tags i:nil="true"/></c:RegistrationDescription></content></entry></feed>`;
    const [xml] = readPage(outside);
    expect(parseRegistration(xml ?? '')).toMatchObject({ id: '1', platform: 'Apple', handle: 'A', tags: [] });
    expect(xml).toContain('xmlns:u="urn:a&amp;b"');
  });

  test('says that the hub does not exist where the namespace lists its public services', () => {
    const fault = faultOf(feed('', 'Publicly Listed Services'));
    expect(fault).toMatchObject({ code: 'HubNotFound', retryable: false });
  });

  test.each([
    ['nothing', ''],
    ['another document', '<Error><Code>500</Code></Error>'],
    ['a page of HTML', '<html><body>Service unavailable<br></body></html>'],
    ['an entry without content', feed('<entry><id>1</id></entry>')],
    ['an empty content', feed('<entry><content/></entry>')],
    ['content of another kind', feed('<entry><content><NotificationHubJob/></content></entry>')],
    ['two descriptions in an entry', feed(newerEntry(row('1') + row('2')))],
    ['two descriptions in a later entry', feed(newerEntry(row('0')) + newerEntry(row('1') + row('2')))],
    ['an entry that ends after its description', feed(newerEntry(row('0')) + newerEntry(row('1').concat('<x>')))],
    ['an entry in an entry', feed(newerEntry(newerEntry(row('1'))))],
    ['two feeds', feed('') + feed('')],
    ['a description that another closes', feed(newerEntry(row('1').replace('</Apple', '</Windows')))],
  ])('refuses %s, to be asked for again', (_, body) => {
    expect(faultOf(body)).toMatchObject({ code: 'HubMisbehaves', retryable: true });
  });

  test('never gives part of a page, wherever the page is cut', () => {
    const whole = feed(
      [row('1'), row('2', '<T><![CDATA[x]]></T>')].flatMap((xml) => [olderEntry(xml), newerEntry(xml)]).join(''),
    );
    for (let length = 0; length < whole.length; length++) expect(faultOf(whole.slice(0, length)).retryable).toBe(true);
  });

  test('takes a namespace with white space around its name for another one', () => {
    const page = feed(newerEntry(row('1'))).replace(`"${ATOM}"`, `" ${ATOM}"`);
    expect(() => readPage(page)).toThrow(DrError);
    expect(() => parseAnyRegistration(row('1').replace(`"${CONNECT}"`, `"${CONNECT} "`))).toThrow(DrError);
  });

  test('agrees with a complete XML parser on every page, or throws where the page is damaged', () => {
    const page = fc.array(fc.tuple(aDescription, fc.boolean()), { maxLength: 4 }).map((entries) => ({
      rows: entries.map(([{ xml }]) => xml),
      body: feed(entries.map(([{ xml }, isOld]) => (isOld ? olderEntry(xml) : newerEntry(xml))).join('')),
    }));
    fc.assert(
      fc.property(page, mutations, ({ rows, body }, mutate) => {
        expect(readPage(body)).toEqual(rows);
        const damaged = mutate(body);
        // References to control characters pass here and not there.
        if (damaged.includes('&#')) return;
        const ours = canonicalRows(damaged);
        if (ours !== undefined) expect(ours).toEqual(expectedRows(damaged));
      }),
      { numRuns: runs(1500) },
    );
  });

  test('reads a page at a glance as it reads one with unusual declarations, which it reads piece by piece', () => {
    const page = fc.array(fc.tuple(aDescription, fc.boolean(), fc.boolean()), { minLength: 2, maxLength: 5 });
    const declaration = ' xmlns:zz="urn:zz"';
    const open = `<feed xmlns="${ATOM}"`;
    fc.assert(
      fc.property(page, mutations, fc.boolean(), (entries, mutate, isDamaged) => {
        const rows = entries.map(([{ xml, source }, , isPlain]) => (isPlain ? renderPlainly(source) : xml));
        const written = rows.map((xml, index) => (entries[index]?.[1] ? olderEntry(xml) : newerEntry(xml)));
        const whole = feed(written.join('')).slice(open.length);
        const rest = isDamaged ? mutate(whole) : whole;
        const slow = attempt(() => readPage(`${open}${declaration}${rest}`));
        const fast = attempt(() => readPage(open + rest));
        // What is inside a description is seen by the reader of the description, or by the page's general reader in passing.
        if (slow === undefined) expect(fast?.every(isReadable) ?? false).toBe(false);
        else expect(fast).toEqual(slow.map((xml) => xml.replace(declaration, '')));
      }),
      { numRuns: runs(3000) },
    );
  });

  test('reads every recorded listing', () => {
    for (const { responseBody, path } of readRecordings()) {
      if (!responseBody.startsWith('<feed') || path?.includes('jobs') || !/\/registrations\b/.test(path ?? ''))
        continue;
      const rows = readPage(responseBody);
      expect(rows).toEqual(descriptionsIn(responseBody));
      expect(rows).toHaveLength(responseBody.split('<entry ').length - 1);
    }
  });
});

/** As the service writes it. */
function renderPlainly(source: Description): string {
  const choices = (function* (): Generator<number> {
    for (;;) yield 2;
  })();
  return render(source, choices).replace('\n', ' ').replace(' = ', '=');
}

function canonicalRows(body: string): string[] | undefined {
  return attempt(() =>
    readPage(body).map((xml) => {
      parseRegistration(xml);
      return canonicalRow(xml);
    }),
  );
}

function isReadable(xml: string): boolean {
  return attempt(() => parseAnyRegistration(xml)) !== undefined;
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof DrError) return undefined;
    throw error;
  }
}

/** The rows as the oracle bounds them, re-read from its own tree. */
function expectedRows(body: string): string[] {
  const entries = readWithOracle(body).children.filter(({ name, namespace }) => name === 'entry' && namespace === ATOM);
  return entries.flatMap((entry) =>
    entry.children
      .filter(({ name }) => name === 'content')
      .flatMap(({ children }) => children.map((child) => canonicalRow(write(child)))),
  );
}

function write({ name, namespace, text, children, attributes }: OracleElement): string {
  const quote = (value: string): string =>
    escapeText(value).replaceAll('"', '&quot;').replaceAll('\n', '&#10;').replaceAll('\t', '&#9;');
  const written = attributes
    .filter((attribute) => attribute.namespace !== 'http://www.w3.org/2000/xmlns/')
    .map((attribute, index) =>
      attribute.namespace === ''
        ? ` ${attribute.name}="${quote(attribute.value)}"`
        : ` n${index}:${attribute.name}="${quote(attribute.value)}" xmlns:n${index}="${quote(attribute.namespace)}"`,
    );
  const types = attributes.filter(
    (attribute) => attribute.namespace === INSTANCE && attribute.name === 'type' && attribute.value.includes(':'),
  );
  const prefixes = types.map(({ value }) => ` xmlns:${value.trim().split(':')[0]}="${CONNECT}"`);
  const content = children.length > 0 ? children.map(write).join('') : escapeText(text);
  return `<${name} xmlns="${quote(namespace)}"${written.join('')}${prefixes.join('')}>${content}</${name}>`;
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('\r', '&#13;');
}

function faultOf(body: string): DrError {
  try {
    readPage(body);
  } catch (error) {
    if (error instanceof DrError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
