import { NO_TAG_ATTRIBUTES, readAttributes, resolvePrefix, type XmlAttribute } from './attributes.ts';
import { type Binding, type Cursor, readCdata, readName, skipComment, skipInstruction, skipSpace } from './cursor.ts';
import { decodeText, misread, normaliseLineEnds } from './text.ts';

/** One element of a description or a feed. An element holds text or elements, never both. */
export interface XmlElement {
  /** Local name; outside the root's namespace `{namespace}name`, so that it is never taken for one of the contract. */
  readonly name: string;
  /**
   * Decoded text with CDATA, white space kept, as an XML parser reports it (`\r\n` is `\n`). Empty when nil or when
   * there are children.
   */
  readonly text: string;
  readonly isNil: boolean;
  readonly children: readonly XmlElement[];
  /** All attributes but namespace declarations and those of the schema instance namespace (`i:nil`, `i:type`). */
  readonly attributes: readonly XmlAttribute[];
  /** The local part of `i:type`, if it has one. */
  readonly type: string | undefined;
  /** Offsets of the whole element in the XML it was read from: `xml.slice(start, end)`. */
  readonly start: number;
  readonly end: number;
}

/**
 * Reads the element at the cursor, which stands on its `<`, and leaves the cursor behind it. Strict: anything XML 1.0
 * with namespaces forbids throws, and so do names outside ASCII, document types, mixed content and a filled nil
 * element. Only control characters are let through.
 */
export function readElement(cursor: Cursor): XmlElement {
  return completeElement(cursor, readOpenTag(cursor));
}

/** Reads the rest of the element whose opening tag was read last. */
export function completeElement(cursor: Cursor, tag: OpenTag): XmlElement {
  const { text, children } = tag.isClosed ? NOTHING : readContent(cursor);
  readCloseTag(cursor, tag);
  const { start, name, attributes, isNil, type } = tag;
  if (isNil && (text !== '' || children.length > 0)) throw misread(cursor.source, 'a nil element has content', start);
  return { name, text, isNil, children, attributes, type, start, end: cursor.position };
}

/** Moves past white space, comments and processing instructions: all that may stand around a root element. */
export function skipMisc(cursor: Cursor): void {
  for (;;) {
    skipSpace(cursor);
    const { xml, position } = cursor;
    if (xml.startsWith('<!--', position)) skipComment(cursor);
    else if (xml.startsWith('<?', position)) skipInstruction(cursor);
    else return;
  }
}

export interface OpenTag {
  readonly start: number;
  readonly outerBindings: Binding | undefined;
  readonly qualifiedName: string;
  /** As in `XmlElement`. */
  readonly name: string;
  readonly attributes: readonly XmlAttribute[];
  readonly type: string | undefined;
  readonly isNil: boolean;
  /** `<x/>`: there is no closing tag. */
  readonly isClosed: boolean;
}

/** Reads `<name ...>`; the cursor must stand on `<`. Namespace declarations in it hold from here on. */
export function readOpenTag(cursor: Cursor): OpenTag {
  const { xml, source, position: start, bindings: outerBindings } = cursor;
  if (xml.charCodeAt(start) !== LESS) throw misread(source, 'an element is missing', start);
  cursor.position += 1;
  const qualifiedName = readName(cursor);
  const isBare = xml.charCodeAt(cursor.position) === GREATER;
  const { attributes, type, isNil } = isBare ? NO_TAG_ATTRIBUTES : readAttributes(cursor);
  const isClosed = xml.charCodeAt(cursor.position) === SLASH;
  if (isClosed) cursor.position += 1;
  if (xml.charCodeAt(cursor.position) !== GREATER) throw misread(source, 'a tag is not closed', start);
  cursor.position += 1;
  const name = expandName(cursor, qualifiedName);
  return { start, outerBindings, qualifiedName, name, attributes, type, isNil, isClosed };
}

/** Reads `</name>`, if the element has one, and ends its namespace declarations. */
export function readCloseTag(cursor: Cursor, tag: OpenTag): void {
  const { xml, position } = cursor;
  cursor.bindings = tag.outerBindings;
  if (tag.isClosed) return;
  const isOurs = xml.startsWith('</', position) && xml.startsWith(tag.qualifiedName, position + 2);
  cursor.position += 2 + tag.qualifiedName.length;
  if (xml.charCodeAt(cursor.position) !== GREATER) skipSpace(cursor);
  if (!isOurs || xml.charCodeAt(cursor.position) !== GREATER) {
    throw misread(cursor.source, 'an element is not closed by its own tag', position);
  }
  cursor.position += 1;
}

interface Content {
  readonly text: string;
  readonly children: readonly XmlElement[];
}

const NO_ELEMENTS: readonly XmlElement[] = [];
const NOTHING: Content = { text: '', children: NO_ELEMENTS };

/** Deeper than any contract of the service nests; bounds the recursion on hostile input. */
const MAX_DEPTH = 32;

/** Everything up to the closing tag. */
function readContent(cursor: Cursor): Content {
  const { xml } = cursor;
  let text = readCharacters(cursor);
  if (xml.charCodeAt(cursor.position + 1) === SLASH) return { text, children: NO_ELEMENTS };
  if (cursor.depth >= MAX_DEPTH) throw misread(cursor.source, 'elements are nested too deeply', cursor.position);
  cursor.depth += 1;
  const children: XmlElement[] = [];
  while (xml.charCodeAt(cursor.position + 1) !== SLASH) {
    if (xml.startsWith('<![CDATA[', cursor.position)) text += normaliseLineEnds(readCdata(cursor));
    else if (xml.startsWith('<!--', cursor.position)) skipComment(cursor);
    else if (xml.startsWith('<?', cursor.position)) skipInstruction(cursor);
    else children.push(readElement(cursor));
    text += readCharacters(cursor);
  }
  cursor.depth -= 1;
  if (children.length === 0) return { text, children: NO_ELEMENTS };
  if (text.trim() !== '') throw misread(cursor.source, 'text stands between elements', cursor.position);
  return { text: '', children };
}

/** The text up to the next `<`. */
function readCharacters(cursor: Cursor): string {
  const { xml, position, source } = cursor;
  const end = xml.indexOf('<', position);
  if (end === -1) throw misread(source, 'it ends inside an element', position);
  cursor.position = end;
  if (end === position) return '';
  const raw = xml.slice(position, end);
  if (cursor.hasCdataEnd && raw.includes(']]>')) throw misread(source, "text holds ']]>'", position);
  return cursor.isPlain ? raw : decodeText(raw, source);
}

function expandName(cursor: Cursor, qualifiedName: string): string {
  const colon = qualifiedName.indexOf(':');
  const namespace = resolvePrefix(cursor, colon === -1 ? '' : qualifiedName.slice(0, colon));
  cursor.rootNamespace ??= namespace;
  const local = colon === -1 ? qualifiedName : qualifiedName.slice(colon + 1);
  return namespace === cursor.rootNamespace ? local : `{${namespace}}${local}`;
}

const LESS = 0x3c;
const SLASH = 0x2f;
const GREATER = 0x3e;
