import { DrError } from '../errors.ts';

/** What is being read, for the message, and whether reading it again could help. */
export interface XmlSource {
  readonly what: string;
  readonly isRetryable: boolean;
}

/** The error for XML that cannot be trusted. `fault` is fixed text, never a piece of what was read. */
export function misread(source: XmlSource, fault: string, offset?: number): DrError {
  const place = offset === undefined ? '' : ` (character ${offset})`;
  return new DrError(
    'HubMisbehaves',
    `${source.what} cannot be read: ${fault}${place}. Nothing of it was used; if this stays, report it as a bug with the hub's region.`,
    { retryable: source.isRetryable },
  );
}

/** Character data between tags as an XML parser reports it. */
export function decodeText(raw: string, source: XmlSource): string {
  return decodeReferences(normaliseLineEnds(raw), source);
}

/** An attribute's value as an XML parser reports it: every white space character is a space. */
export function decodeAttribute(raw: string, source: XmlSource): string {
  if (raw.includes('<')) throw misread(source, "an attribute holds '<'");
  const isOneLine = !raw.includes('\n') && !raw.includes('\t') && !raw.includes('\r');
  return decodeReferences(isOneLine ? raw : normaliseLineEnds(raw).replace(/[\t\n]/g, ' '), source);
}

/** XML 1.0 section 2.11: `\r\n` and a lone `\r` are read as `\n`, in CDATA too. */
export function normaliseLineEnds(raw: string): string {
  return raw.includes('\r') ? raw.replace(/\r\n?/g, '\n') : raw;
}

function decodeReferences(text: string, source: XmlSource): string {
  let at = text.indexOf('&');
  if (at === -1) return text;
  let decoded = '';
  let copied = 0;
  while (at !== -1) {
    const end = text.indexOf(';', at);
    if (end === -1) throw misread(source, "'&' begins no reference");
    decoded += text.slice(copied, at) + decodeReference(text.slice(at + 1, end), source);
    copied = end + 1;
    at = text.indexOf('&', copied);
  }
  return decoded + text.slice(copied);
}

function decodeReference(name: string, source: XmlSource): string {
  switch (name) {
    case 'lt':
      return '<';
    case 'gt':
      return '>';
    case 'amp':
      return '&';
    case 'quot':
      return '"';
    case 'apos':
      return "'";
    default:
      return decodeCharacterReference(name, source);
  }
}

/**
 * XML 1.0 forbids control characters, even as references; .NET writers emit them all the same. They are carried: a
 * row that cannot be read would cost the whole backup. Half a surrogate pair has no bytes and is refused.
 */
function decodeCharacterReference(name: string, source: XmlSource): string {
  const digits = /^#(?:x(?<hex>[0-9a-fA-F]+)|(?<decimal>[0-9]+))$/.exec(name)?.groups;
  if (digits === undefined) throw misread(source, 'it holds an unknown entity');
  const { hex, decimal } = digits;
  const point = hex === undefined ? Number.parseInt(decimal ?? '', 10) : Number.parseInt(hex, 16);
  const isCharacter = point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
  if (!isCharacter) throw misread(source, 'a character reference stands for no character');
  return String.fromCodePoint(point);
}
