import { type Cursor, isSpace, readName, skipSpace } from './cursor.ts';
import { decodeAttribute, misread } from './text.ts';

export interface XmlAttribute {
  /** Local name, or `{namespace}name`. */
  readonly name: string;
  readonly value: string;
}

export interface TagAttributes {
  /** All but namespace declarations and those of the schema instance namespace. */
  readonly attributes: readonly XmlAttribute[];
  /** The local part of `i:type`. */
  readonly type: string | undefined;
  /** `i:nil`. */
  readonly isNil: boolean;
}

const SCHEMA_INSTANCE = 'http://www.w3.org/2001/XMLSchema-instance';

/** What a bare tag says. */
export const NO_TAG_ATTRIBUTES: TagAttributes = { attributes: [], type: undefined, isNil: false };

/** Reads the attributes of a tag up to its `/` or `>` and puts its namespace declarations in force. */
export function readAttributes(cursor: Cursor): TagAttributes {
  const written = readWritten(cursor);
  let others = 0;
  for (const { name, value } of written) {
    if (name === 'xmlns') bind(cursor, '', value);
    else if (name.startsWith('xmlns:')) bind(cursor, name.slice('xmlns:'.length), value);
    else others += 1;
  }
  if (others === 0) return NO_TAG_ATTRIBUTES;
  return interpret(cursor, written);
}

/** The namespace a prefix stands for; `''` for no prefix and no default. */
export function resolvePrefix(cursor: Cursor, prefix: string): string {
  for (let binding = cursor.bindings; binding !== undefined; binding = binding.outer) {
    if (binding.prefix !== prefix) continue;
    if (binding.position < cursor.outermostUse) cursor.outermostUse = binding.position;
    return binding.namespace;
  }
  if (prefix === '') return '';
  if (prefix === 'xml') return XML_NAMESPACE;
  throw misread(cursor.source, 'a namespace prefix is not declared', cursor.position);
}

function readWritten(cursor: Cursor): XmlAttribute[] {
  const written: XmlAttribute[] = [];
  for (;;) {
    const { xml, position } = cursor;
    skipSpace(cursor);
    const unit = xml.charCodeAt(cursor.position);
    if (unit === SLASH || unit === GREATER) return written;
    if (cursor.position === position) throw misread(cursor.source, 'a tag is malformed', position);
    const name = readName(cursor);
    if (written.some((attribute) => attribute.name === name)) {
      throw misread(cursor.source, 'an attribute stands twice', position);
    }
    written.push({ name, value: readValue(cursor) });
  }
}

function readValue(cursor: Cursor): string {
  const { xml } = cursor;
  if (isSpace(xml.charCodeAt(cursor.position))) skipSpace(cursor);
  if (xml[cursor.position] !== '=') throw misread(cursor.source, 'an attribute has no value', cursor.position);
  cursor.position += 1;
  if (isSpace(xml.charCodeAt(cursor.position))) skipSpace(cursor);
  const quote = xml[cursor.position];
  const start = cursor.position + 1;
  const end = quote === '"' || quote === "'" ? xml.indexOf(quote, start) : -1;
  if (end === -1) throw misread(cursor.source, 'an attribute is not quoted', cursor.position);
  cursor.position = end + 1;
  return decodeAttribute(xml.slice(start, end), cursor.source);
}

/** Namespaces in XML 1.0, section 3: what may not be declared. */
function bind(cursor: Cursor, prefix: string, namespace: string): void {
  const isReserved = namespace === XML_NAMESPACE || namespace === XMLNS_NAMESPACE;
  const isXml = prefix === 'xml' && namespace === XML_NAMESPACE;
  if (prefix === 'xmlns' || (prefix === 'xml') !== isXml || (isReserved && !isXml)) {
    throw misread(cursor.source, 'a reserved namespace is declared', cursor.position);
  }
  if (prefix !== '' && namespace === '') throw misread(cursor.source, 'a prefix has no namespace', cursor.position);
  cursor.bindings = { prefix, namespace, position: cursor.position, outer: cursor.bindings };
}

function interpret(cursor: Cursor, written: readonly XmlAttribute[]): TagAttributes {
  const attributes: XmlAttribute[] = [];
  const seen: string[] = [];
  let type: string | undefined;
  let isNil = false;
  for (const { name, value } of written) {
    if (name === 'xmlns' || name.startsWith('xmlns:')) continue;
    const colon = name.indexOf(':');
    const namespace = colon === -1 ? '' : resolvePrefix(cursor, name.slice(0, colon));
    const local = name.slice(colon + 1);
    const expanded = namespace === '' ? local : `{${namespace}}${local}`;
    if (seen.includes(expanded)) throw misread(cursor.source, 'an attribute stands twice', cursor.position);
    seen.push(expanded);
    if (namespace !== SCHEMA_INSTANCE) attributes.push({ name: expanded, value });
    else if (local === 'type') type = localPart(cursor, value.trim());
    else if (local === 'nil') isNil = readBoolean(cursor, value.trim());
  }
  return { attributes, type, isNil };
}

function localPart(cursor: Cursor, qualifiedName: string): string {
  const colon = qualifiedName.indexOf(':');
  resolvePrefix(cursor, colon === -1 ? '' : qualifiedName.slice(0, colon));
  return qualifiedName.slice(colon + 1);
}

function readBoolean(cursor: Cursor, value: string): boolean {
  if (value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0') return false;
  throw misread(cursor.source, 'i:nil is neither true nor false', cursor.position);
}

const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';
const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/';
const SLASH = 0x2f;
const GREATER = 0x3e;
