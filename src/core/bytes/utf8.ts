/**
 * UTF-8 held as a text of one character a byte, here called octets. Most of what a hub gives is ASCII, the same in both
 * forms; what is not costs ten times as much to decode as to search, cut and store as it is.
 */
export type Octets = string;

const BEYOND_ASCII = /[\x80-\xff]/;
const BEYOND_ASCII_UTF16 = /[\u0080-\uffff]/;
// A byte order mark inside a text is a character like any other.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** The text that octets stand for. Throws a `TypeError` on what is no UTF-8. */
export function decodeUtf8(octets: Octets): string {
  if (!BEYOND_ASCII.test(octets)) return octets;
  const bytes = new Uint8Array(octets.length);
  for (let at = 0; at < octets.length; at += 1) bytes[at] = octets.charCodeAt(at);
  return decoder.decode(bytes);
}

/** The octets of a text. */
export function encodeUtf8(text: string): Octets {
  if (!BEYOND_ASCII_UTF16.test(text)) return text;
  let octets = '';
  for (const byte of encoder.encode(text)) octets += String.fromCharCode(byte);
  return octets;
}
