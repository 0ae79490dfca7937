import { isUtf8 } from 'node:buffer';
import { DrError } from '../../core/errors.ts';
import { readXml, type XmlElement } from '../../core/xml/element.ts';
import { misread, type XmlSource } from '../../core/xml/misread.ts';
import { endOf, readUsualPage } from './usual-page.ts';

/**
 * Slices every registration description out of a page of the listing (an atom feed), verbatim: one piece of `body` an
 * entry, in the feed's order. All or nothing: a truncated or malformed page throws `HubMisbehaves` (retryable). What is
 * inside a description is left to `parseRegistration`. An entry of a well-formed page that is not one description is, where
 * that is wanted, one piece that nothing reads. The feed with which the service answers for a hub that does not exist
 * throws `HubNotFound`.
 */
export function readPage(body: Uint8Array, { takesOddEntries = false } = {}): Uint8Array[] {
  if (!isUtf8(body)) throw misread(FEED, 'it is not UTF-8');
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const bounds = readUsualPage(bytes);
  if (bounds !== undefined) return bounds.map(({ start, end }) => bytes.subarray(start, end));
  return readAnyPage(utf8.decode(body), takesOddEntries).map((xml) => Buffer.from(xml));
}

/** The registration description in the answer to a call about one registration, which is an entry and no feed. */
export function readSingle(body: Uint8Array): Uint8Array {
  if (!isUtf8(body)) throw misread(ENTRY, 'it is not UTF-8');
  const text = utf8.decode(body);
  const entry = readXml(withoutContents(text), ENTRY);
  if (entry.name !== 'entry' || entry.namespace !== ATOM) throw misread(ENTRY, 'it is not an entry');
  return Buffer.from(readEntry(text, entry));
}

/** A byte order mark at the beginning is left out. */
const utf8 = new TextDecoder();

/** `readPage` for any page, decoded. */
function readAnyPage(body: string, takesOddEntries: boolean): string[] {
  const feed = readXml(withoutContents(body), FEED);
  if (feed.name !== 'feed' || feed.namespace !== ATOM) throw misread(FEED, 'it is not a feed');
  if (feed.children.some(({ name, text }) => name === 'title' && text === TITLE_OF_NO_HUB)) {
    const message = 'The namespace answered the listing, but has no hub of this name. Check the hub name setting.';
    throw new DrError('HubNotFound', message);
  }
  const entries = feed.children.filter(({ name }) => name === 'entry');
  return entries.map((entry) => {
    try {
      return readEntry(body, entry, feed);
    } catch (error) {
      if (!takesOddEntries || !(error instanceof DrError)) throw error;
      return body.slice(entry.start, entry.end);
    }
  });
}

/**
 * The page with blanks in place of what is inside its descriptions, so that a fault in one is not a fault of the page.
 * A description is left as it is where its end is not certain, or where it may use declarations from outside.
 */
function withoutContents(body: string): string {
  let blanked = '';
  let from = 0;
  for (const { 0: tag, 1: name = '', index: start } of body.matchAll(DESCRIPTION_TAG)) {
    if (start < from || isInSection(body, start)) continue;
    const end = endOf(body, start, name);
    if (end === undefined || mayUseOutside(tag, body.slice(start, end))) continue;
    const contentStart = start + tag.length;
    const contentEnd = end - `</${name}>`.length;
    blanked += body.slice(from, contentStart) + ' '.repeat(contentEnd - contentStart);
    from = contentEnd;
  }
  return blanked + body.slice(from);
}

const DESCRIPTION_TAG =
  /<((?:[\w.-]+:)?\w*RegistrationDescription)(?:\s+[^\s=<>"'/]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*>/g;

/** Whether a comment, a CDATA section or a processing instruction may be open there: then it is no tag. */
function isInSection(body: string, at: number): boolean {
  return SECTIONS.some(([open, close]) => body.lastIndexOf(open, at) > body.lastIndexOf(close, at));
}

const SECTIONS = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
] as const;

/** True also where a text only looks like it. */
function mayUseOutside(tag: string, description: string): boolean {
  if (!/\sxmlns\s*=/.test(tag)) return true;
  const declared = new Set(Array.from(tag.matchAll(/\sxmlns:([\w.-]+)\s*=/g), ([, prefix]) => prefix));
  const used = description.matchAll(/[</\s"']([^\s"'<>/=:&;]+):[^\s"'<>/=:&;]/g);
  return Array.from(used).some(([, prefix = '']) => prefix !== 'xmlns' && !declared.has(prefix));
}

const ATOM = 'http://www.w3.org/2005/Atom';

const FEED: XmlSource = { what: "A page of the hub's listing", isRetryable: true, mayBeDeclared: true };

const ENTRY: XmlSource = { ...FEED, what: "The hub's answer about a registration" };

/** Recorded in 2020: asked for a hub it does not know, the service answers 200 with an empty feed of this title. */
const TITLE_OF_NO_HUB = 'Publicly Listed Services';

function readEntry(body: string, entry: XmlElement, ...around: readonly XmlElement[]): string {
  const contents = entry.children.filter(({ name }) => name === 'content');
  const [description, second] = contents.flatMap(({ children }) => children);
  if (description === undefined) throw misread(FEED, 'an entry holds no registration', entry.start);
  if (second !== undefined) throw misread(FEED, 'an entry holds two registrations', second.start);
  if (!description.name.endsWith('RegistrationDescription')) {
    throw misread(FEED, 'an entry holds something other than a registration', description.start);
  }
  const outer = Object.fromEntries([...around, entry, ...contents].flatMap(({ declared }) => Object.entries(declared)));
  return carryNamespaces(body.slice(description.start, description.end), description, outer);
}

/** Puts the declarations outside a description into its tag if it uses any. No recording has such; XML allows it. */
function carryNamespaces(xml: string, root: XmlElement, outer: Readonly<Record<string, string>>): string {
  if (!prefixesFromOutside(root).some((prefix) => outer[prefix])) return xml;
  const declarations = Object.entries(outer)
    .filter(([prefix, namespace]) => namespace !== '' && root.declared[prefix] === undefined)
    .map(([prefix, namespace]) => ` xmlns${prefix === '' ? '' : `:${prefix}`}="${escapeAttribute(namespace)}"`);
  return xml.replace(/^<[^\s/>]+/, (tag) => tag + declarations.join(''));
}

function prefixesFromOutside({ prefixes, declared, children }: XmlElement): string[] {
  return [...prefixes, ...children.flatMap(prefixesFromOutside)].filter((prefix) => declared[prefix] === undefined);
}

function escapeAttribute(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
