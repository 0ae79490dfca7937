import { misread, type XmlSource } from './text.ts';

/** A place in an XML text and what is known there. The reading functions move it. */
export interface Cursor {
  readonly xml: string;
  readonly source: XmlSource;
  position: number;
  /** How many elements are open. */
  depth: number;
  /** Namespace declarations in force, innermost first. */
  bindings: Binding | undefined;
  /** Where the outermost declaration stands that was used since this was last set to infinity. */
  outermostUse: number;
  /** The root element's namespace, once its tag is read. */
  rootNamespace: string | undefined;
  /** No text in the XML needs decoding: known at the start, it saves looking at every piece. */
  readonly isPlain: boolean;
  /** `]]>` stands somewhere, which text outside CDATA may not hold. */
  readonly hasCdataEnd: boolean;
}

export interface Binding {
  readonly prefix: string;
  readonly namespace: string;
  /** Where it is declared. */
  readonly position: number;
  readonly outer: Binding | undefined;
}

/** A cursor at the start of `xml`. */
export function createCursor(xml: string, source: XmlSource): Cursor {
  return {
    xml,
    source,
    position: 0,
    depth: 0,
    bindings: undefined,
    outermostUse: Number.POSITIVE_INFINITY,
    rootNamespace: undefined,
    isPlain: !xml.includes('&') && !xml.includes('\r'),
    hasCdataEnd: xml.includes(']]>'),
  };
}

/** Reads `name` or `prefix:name`, ASCII only. */
export function readName(cursor: Cursor): string {
  const { xml, position } = cursor;
  let end = position;
  let colon = -1;
  for (;;) {
    const unit = xml.charCodeAt(end);
    if (unit === COLON) {
      if (colon !== -1) break;
      colon = end;
    } else if (!isNameUnit(unit)) break;
    end += 1;
  }
  if (!isNameStart(xml.charCodeAt(position)) || (colon !== -1 && !isNameStart(xml.charCodeAt(colon + 1)))) {
    throw misread(cursor.source, 'a name is missing or unusable', position);
  }
  cursor.position = end;
  return xml.slice(position, end);
}

export function skipSpace(cursor: Cursor): void {
  const { xml } = cursor;
  while (isSpace(xml.charCodeAt(cursor.position))) cursor.position += 1;
}

export function isSpace(unit: number): boolean {
  return unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09;
}

/** The cursor stands on `<!--`. */
export function skipComment(cursor: Cursor): void {
  const end = cursor.xml.indexOf('--', cursor.position + 4);
  if (end === -1 || cursor.xml[end + 2] !== '>') {
    throw misread(cursor.source, 'a comment is not closed', cursor.position);
  }
  cursor.position = end + 3;
}

/** The cursor stands on `<?`. An XML declaration is refused: a description is put into other documents as it is. */
export function skipInstruction(cursor: Cursor): void {
  const start = cursor.position;
  cursor.position += 2;
  const target = readName(cursor);
  if (target.includes(':') || target.toLowerCase() === 'xml') {
    throw misread(cursor.source, 'a processing instruction stands where none may', start);
  }
  const end = cursor.xml.indexOf('?>', cursor.position);
  if (end === -1 || (end !== cursor.position && !isSpace(cursor.xml.charCodeAt(cursor.position)))) {
    throw misread(cursor.source, 'a processing instruction is not closed', start);
  }
  cursor.position = end + 2;
}

/** The cursor stands on `<![CDATA[`; answers what is in it, as written. */
export function readCdata(cursor: Cursor): string {
  const start = cursor.position + '<![CDATA['.length;
  const end = cursor.xml.indexOf(']]>', start);
  if (end === -1) throw misread(cursor.source, 'a CDATA section is not closed', cursor.position);
  cursor.position = end + 3;
  return cursor.xml.slice(start, end);
}

const COLON = 0x3a;

/** 1: may begin a name, 2: may stand in one. By UTF-16 unit below 128. */
const nameUnits = Uint8Array.from({ length: 128 }, (_, unit) => {
  const character = String.fromCharCode(unit);
  if (/[A-Za-z_]/.test(character)) return 1;
  return /[0-9.-]/.test(character) ? 2 : 0;
});

function isNameStart(unit: number): boolean {
  return nameUnits[unit] === 1;
}

function isNameUnit(unit: number): boolean {
  return unit < 128 && nameUnits[unit] !== 0;
}
