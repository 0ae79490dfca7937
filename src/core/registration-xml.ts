import { DrError } from './errors.ts';

/** Where an element stands in the text. Offsets are UTF-16 units into the whole description. */
export interface ElementBounds {
  /** Local name, without prefix. */
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly contentStart: number;
  readonly contentEnd: number;
  readonly isNil: boolean;
}

/** An element with its text decoded (CDATA and entities, white space verbatim) and its child elements. */
export interface XmlElement {
  readonly name: string;
  readonly text: string;
  readonly isNil: boolean;
  readonly children: readonly XmlElement[];
}

export interface RootBounds extends ElementBounds {
  /** The kind in full, from the root's name or its `i:type`. */
  readonly type: string;
}

const startTag = /<([^\s<>/!?'"=]+)((?:\s+[^\s<>/'"=]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y;
const endTag = /<\/([^\s<>]+)\s*>/y;
const typeAttribute = /\s(?:[^\s=:]+:)?type\s*=\s*(?:"([^"]*)"|'([^']*)')/;
const nilAttribute = /\s(?:[^\s=:]+:)?nil\s*=\s*["'](?:true|1)["']/;

/** Deeper nesting than any description has; bounds the recursion on hostile input. */
const MAX_DEPTH = 32;

/** Finds the root of a description; what surrounds it may only be white space, comments and instructions. */
export function openRoot(xml: string): RootBounds {
  const start = skipMisc(xml, 0);
  const tag = readStartTag(xml, start);
  // The root's own end is the last end tag of the text: its children are walked, and checked, once only.
  let end = tag.end;
  let contentEnd = tag.end;
  if (!tag.isEmpty) {
    contentEnd = xml.lastIndexOf('</');
    if (contentEnd < tag.end) throw notWellFormed('is cut short');
    end = readEndTag(xml, contentEnd, tag.qualifiedName);
  }
  if (skipMisc(xml, end) !== xml.length) throw notWellFormed('is followed by other text');
  const localRoot = localName(tag.qualifiedName);
  const attribute = localRoot === 'RegistrationDescription' ? typeAttribute.exec(tag.attributes) : null;
  const type = attribute === null ? localRoot : localName(attribute[1] ?? attribute[2] ?? '');
  return { name: localRoot, start, end, contentStart: tag.end, contentEnd, isNil: false, type };
}

/** The child elements of an element, each with its bounds. Throws when the content is not well formed. */
export function* childrenOf(xml: string, parent: ElementBounds): Generator<ElementBounds> {
  let at = parent.contentStart;
  while (at < parent.contentEnd) {
    const next = nextMarkup(xml, at, parent.contentEnd);
    checkText(xml, at, next);
    if (next === parent.contentEnd) return;
    if (xml.charCodeAt(next + 1) === 0x21 || xml.charCodeAt(next + 1) === 0x3f) {
      at = skipSpecial(xml, next);
      continue;
    }
    const child = elementAt(xml, next, 0);
    if (child.end > parent.contentEnd) throw notWellFormed('is cut short');
    yield child;
    at = child.end;
  }
  if (at > parent.contentEnd) throw notWellFormed('is cut short');
}

/** The text of an element that has no child elements. */
export function decodeText(xml: string, element: ElementBounds): string {
  if (element.isNil) return '';
  const { contentStart, contentEnd } = element;
  const first = xml.indexOf('<', contentStart);
  if (first === -1 || first >= contentEnd) return decodeEntities(xml.slice(contentStart, contentEnd));
  return readElement(xml, element).text;
}

export function readElement(xml: string, element: ElementBounds): XmlElement {
  const children: XmlElement[] = [];
  let text = '';
  let at = element.contentStart;
  while (at < element.contentEnd) {
    const next = nextMarkup(xml, at, element.contentEnd);
    text += decodeEntities(xml.slice(at, next));
    if (next === element.contentEnd) break;
    if (xml.startsWith('<![CDATA[', next)) {
      const end = xml.indexOf(']]>', next);
      text += normaliseLineEnds(xml.slice(next + 9, end));
      at = end + 3;
    } else if (xml.charCodeAt(next + 1) === 0x21 || xml.charCodeAt(next + 1) === 0x3f) {
      at = skipSpecial(xml, next);
    } else {
      const child = elementAt(xml, next, 0);
      children.push(readElement(xml, child));
      at = child.end;
    }
  }
  return { name: element.name, text: element.isNil ? '' : text, isNil: element.isNil, children };
}

function elementAt(xml: string, start: number, depth: number): ElementBounds {
  if (depth > MAX_DEPTH) throw notWellFormed(`is nested deeper than ${MAX_DEPTH}`);
  const tag = readStartTag(xml, start);
  const name = localName(tag.qualifiedName);
  const isNil = tag.attributes !== '' && nilAttribute.test(tag.attributes);
  if (tag.isEmpty) return { name, start, end: tag.end, contentStart: tag.end, contentEnd: tag.end, isNil };
  let at = tag.end;
  for (;;) {
    const next = xml.indexOf('<', at);
    if (next === -1) throw notWellFormed('is cut short');
    checkText(xml, at, next);
    const mark = xml.charCodeAt(next + 1);
    if (mark === 0x2f) {
      const end = readEndTag(xml, next, tag.qualifiedName);
      return { name, start, end, contentStart: tag.end, contentEnd: next, isNil };
    }
    at = mark === 0x21 || mark === 0x3f ? skipSpecial(xml, next) : elementAt(xml, next, depth + 1).end;
  }
}

function readStartTag(xml: string, at: number) {
  startTag.lastIndex = at;
  const match = startTag.exec(xml);
  const qualifiedName = match?.[1];
  if (match === null || qualifiedName === undefined) throw notWellFormed('has a malformed tag');
  return { qualifiedName, attributes: match[2] ?? '', isEmpty: match[3] === '/', end: startTag.lastIndex };
}

function readEndTag(xml: string, at: number, qualifiedName: string): number {
  endTag.lastIndex = at;
  const match = endTag.exec(xml);
  if (match?.[1] !== qualifiedName) throw notWellFormed('has tags that do not match');
  return endTag.lastIndex;
}

/** Past a comment, an instruction or a CDATA section. Document types are refused: they could define entities. */
function skipSpecial(xml: string, at: number): number {
  const close = xml.startsWith('<!--', at)
    ? '-->'
    : xml.startsWith('<![CDATA[', at)
      ? ']]>'
      : xml.startsWith('<?', at)
        ? '?>'
        : undefined;
  const end = close === undefined ? -1 : xml.indexOf(close, at + (close === '-->' ? 4 : 2));
  if (close === undefined || end === -1) throw notWellFormed('has markup that does not belong there');
  return end + close.length;
}

function skipMisc(xml: string, from: number): number {
  let at = from;
  for (;;) {
    while (at < xml.length && isWhiteSpace(xml.charCodeAt(at))) at += 1;
    if (!xml.startsWith('<?', at) && !xml.startsWith('<!--', at)) return at;
    at = skipSpecial(xml, at);
  }
}

function nextMarkup(xml: string, at: number, limit: number): number {
  const next = xml.indexOf('<', at);
  return next === -1 || next > limit ? limit : next;
}

function checkText(xml: string, from: number, to: number): void {
  if (to - from < 3) return;
  const at = xml.indexOf(']]>', from);
  if (at !== -1 && at < to) throw notWellFormed('has an unescaped section end');
}

const entity = /&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|(amp|lt|gt|quot|apos));|&/g;
const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decodeEntities(text: string): string {
  const lines = normaliseLineEnds(text);
  if (!lines.includes('&')) return lines;
  return lines.replace(entity, (whole, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return named[name] ?? whole;
    const code = hex === undefined ? Number.parseInt(decimal ?? '', 10) : Number.parseInt(hex, 16);
    if (Number.isNaN(code) || code > 0x10ffff) throw notWellFormed('has an unknown entity');
    return String.fromCodePoint(code);
  });
}

/** As every XML parser does (XML 1.0, section 2.11). */
function normaliseLineEnds(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}

function localName(qualifiedName: string): string {
  return qualifiedName.slice(qualifiedName.indexOf(':') + 1);
}

function isWhiteSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09 || code === 0xfeff;
}

function notWellFormed(what: string): DrError {
  return new DrError('HubMisbehaves', `A registration's XML ${what}. Nothing of it was used.`, { retryable: true });
}
