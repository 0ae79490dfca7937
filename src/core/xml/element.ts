import { SaxesParser, type SaxesTagNS } from 'saxes';
import { misread, type XmlSource } from './misread.ts';

/** One element of a description or a feed. An element holds text or elements, never both. */
export interface XmlElement {
  /** Local name; outside the root's namespace `{namespace}name`, so that it is never taken for one of the contract. */
  readonly name: string;
  /** Empty for none. */
  readonly namespace: string;
  /** Decoded, with CDATA and white space kept. Empty when nil or when there are children. */
  readonly text: string;
  readonly isNil: boolean;
  readonly children: readonly XmlElement[];
  /** All attributes but namespace declarations and those of the schema instance namespace (`i:nil`, `i:type`). */
  readonly attributes: readonly XmlAttribute[];
  /** The local part of `i:type`, if it has one. */
  readonly type: string | undefined;
  /** The namespaces it declares, by prefix; `''` is the default. */
  readonly declared: Readonly<Record<string, string>>;
  /** The prefixes of its tag, its attributes and its type. */
  readonly prefixes: readonly string[];
  /** Offsets of the whole element in the XML it was read from: `xml.slice(start, end)`. */
  readonly start: number;
  readonly end: number;
}

export interface XmlAttribute {
  /** Local name, or `{namespace}name`. */
  readonly name: string;
  readonly value: string;
}

/** An element's name without its namespace, for answers that name theirs in more than one. */
export function localName({ name }: Pick<XmlElement, 'name'>): string {
  return name.slice(name.indexOf('}') + 1);
}

/** The text of its first child with that local name. */
export function textOfChild({ children }: Pick<XmlElement, 'children'>, name: string): string | undefined {
  return children.find((child) => localName(child) === name)?.text;
}

/**
 * Reads a whole document. Refuses what XML 1.0 with namespaces forbids, and also document types, mixed content and a
 * nil element with content. Control characters are the one exception: XML forbids them, even as references, but .NET
 * writes them, and a row that cannot be read would cost the whole backup.
 */
export function readXml(xml: string, source: XmlSource): XmlElement {
  const parser = new SaxesParser({ xmlns: true, position: false });
  const open: OpenElement[] = [];
  let root: XmlElement | undefined;
  let rootNamespace: string | undefined;
  const refuse: Refuse = (fault) => {
    throw misread(source, fault, parser.position);
  };
  const addText = (text: string): void => {
    const element = open.at(-1);
    if (element !== undefined) element.text += text;
  };
  // No UTF-8 decodes to that, but the parser throws an error of another kind where a text ends so.
  if (!xml.isWellFormed()) refuse('it has half of a surrogate pair');
  refuseFaults(parser, xml, source, refuse);
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.on('opentag', (tag) => {
    if (open.length > MAX_DEPTH) refuse('elements are nested too deeply');
    rootNamespace ??= tag.uri;
    const name = tag.uri === rootNamespace ? tag.local : `{${tag.uri}}${tag.local}`;
    const start = xml.lastIndexOf('<', parser.position - 1);
    open.push({ ...readTag(tag, parser, refuse), name, start, text: '', children: [] });
  });
  parser.on('closetag', () => {
    const last = open.pop();
    if (last === undefined) return;
    const element = complete(last, parser.position, refuse);
    root ??= open.length === 0 ? element : undefined;
    open.at(-1)?.children.push(element);
  });
  parser.write(nameControlReferences(xml, parser.ENTITIES)).close();
  return root ?? refuse('it has no element');
}

type Tag = Pick<XmlElement, 'namespace' | 'isNil' | 'attributes' | 'type' | 'declared' | 'prefixes'>;

interface OpenElement extends Tag {
  readonly name: string;
  readonly start: number;
  readonly children: XmlElement[];
  text: string;
}

function refuseFaults(parser: Parser, xml: string, { mayBeDeclared }: XmlSource, refuse: Refuse): void {
  parser.on('error', ({ message }) => {
    const isControl = message === 'disallowed character.' && xml[parser.position - 1] !== '<';
    if (!isControl) refuse(faultOf(message));
  });
  parser.on('doctype', () => refuse('it has a document type'));
  parser.on('xmldecl', () => {
    if (!mayBeDeclared) refuse('it begins with an XML declaration');
  });
  // The parser lets a target end with `?` alone, as in `<?x?y?>`, which is not well-formed.
  parser.on('processinginstruction', ({ body }) => {
    if (body.startsWith('?')) refuse('a processing instruction is malformed');
  });
}

function complete(element: OpenElement, end: number, refuse: Refuse): XmlElement {
  const { isNil, text, children } = element;
  const hasChildren = children.length > 0;
  if (isNil && (hasChildren || text !== '')) refuse('a nil element has content');
  if (hasChildren && text.trim() !== '') refuse('there is text between elements');
  return { ...element, text: hasChildren ? '' : text, end };
}

type Parser = SaxesParser<{ xmlns: true }>;
type Refuse = (fault: string) => never;

/** Deeper than any contract of the service nests; bounds what hostile input can build. */
const MAX_DEPTH = 32;

const SCHEMA_INSTANCE = 'http://www.w3.org/2001/XMLSchema-instance';
const NAMESPACES = 'http://www.w3.org/2000/xmlns/';

function readTag(tag: SaxesTagNS, parser: Parser, refuse: Refuse): Tag {
  const attributes: XmlAttribute[] = [];
  const prefixes = [tag.prefix];
  let type: string | undefined;
  let isNil = false;
  for (const attribute of Object.values(tag.attributes)) {
    const { local, prefix, uri } = attribute;
    const value = attribute.value.trim();
    // The parser would take the name without its white space for that of the contract.
    if (uri === NAMESPACES && value !== attribute.value) refuse('a namespace has white space around its name');
    if (uri === NAMESPACES) continue;
    if (prefix !== '') prefixes.push(prefix);
    if (uri !== SCHEMA_INSTANCE) {
      attributes.push({ name: uri === '' ? local : `{${uri}}${local}`, value: attribute.value });
    } else if (local === 'nil') {
      if (!/^(?:true|1|false|0)$/.test(value)) refuse('i:nil is neither true nor false');
      isNil = value === 'true' || value === '1';
    } else if (local === 'type') {
      const typePrefix = value.includes(':') ? value.slice(0, value.indexOf(':')) : '';
      if (typePrefix !== '' && parser.resolve(typePrefix) === undefined) refuse('a namespace prefix is not declared');
      prefixes.push(typePrefix);
      type = value.slice(value.indexOf(':') + 1);
    }
  }
  return { namespace: tag.uri, isNil, attributes, type, declared: tag.ns, prefixes };
}

/** The parser's own messages quote what it reads. */
function faultOf(message: string): string {
  if (message.includes('entity')) return 'it holds an unknown entity';
  if (message.includes('prefix')) return 'a namespace prefix is missing or not usable';
  if (/clos|end/.test(message)) return 'an element is not closed by its own tag';
  return 'it is not well-formed XML';
}

/**
 * The parser takes no references to control characters, but any entity it is given by name: `&#1;` becomes `&_1;`, as
 * long as before.
 */
function nameControlReferences(xml: string, entities: Record<string, string>): string {
  if (!xml.includes('&#')) return xml;
  return xml.replace(REFERENCE_OR_SKIPPED, (whole, hex: string | undefined, decimal: string | undefined) => {
    const point = hex === undefined ? Number.parseInt(decimal ?? '', 10) : Number.parseInt(hex, 16);
    if (!FORBIDDEN.has(point)) return whole;
    entities[`_${hex === undefined ? '' : 'x'}${hex ?? decimal}`] = String.fromCodePoint(point);
    return whole.replace('#', '_');
  });
}

/** References are not looked for in CDATA and comments, which end with the text where they are not closed. */
const REFERENCE_OR_SKIPPED = /<!\[CDATA\[.*?(?:\]\]>|$)|<!--.*?(?:-->|$)|&#(?:x([\da-fA-F]+)|(\d+));/gs;

/** The control characters and noncharacters XML 1.0 leaves out of the first plane. */
const FORBIDDEN: ReadonlySet<number> = new Set([
  ...Array.from({ length: 32 }, (_, point) => point).filter((point) => ![9, 10, 13].includes(point)),
  0xfffe,
  0xffff,
]);
