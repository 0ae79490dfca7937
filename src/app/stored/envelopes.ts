import { z } from 'zod';
import { packFrame, sha256Hex, toBytes, toText, unpackFrame } from './codec.ts';

/** How a document becomes the bytes of its blob, and back. */
export interface Envelope<T extends object = object> {
  wrap(name: string, value: T): Uint8Array;
  /**
   * What `wrap` was given, not checked yet; `undefined` when the bytes are not what it made under that name.
   * `parseJson` throws the document's own error.
   */
  unwrap(name: string, bytes: Uint8Array, parseJson: (text: string) => unknown): unknown;
}

/**
 * The JSON object with one more field at its end: the SHA-256 of the blob's name, a line feed and the object without
 * that field. With the name in it, a document put in another's place is refused, too.
 * By hand: `(echo NAME; jq -cj 'del(.sha256)' FILE) | sha256sum`.
 */
export const checksummed = {
  wrap(name, value) {
    const json = JSON.stringify(value);
    return toBytes(`${json.slice(0, -1)},"sha256":"${digestOf(name, json)}"}\n`);
  },
  unwrap(name, bytes, parseJson) {
    const text = toText(bytes);
    const found = /,"sha256":"([0-9a-f]{64})"\}\n$/.exec(text);
    const json = `${text.slice(0, found?.index)}}`;
    return found !== null && found[1] === digestOf(name, json) ? parseJson(json) : undefined;
  },
} satisfies Envelope;

/** For people to read; the schema checks the digest inside. */
export const indented: Envelope = {
  wrap: (_, value) => toBytes(`${JSON.stringify(value, null, 1)}\n`),
  unwrap: (_, bytes, parseJson) => parseJson(toText(bytes)),
};

/** JSON without a checksum. */
export const bare: Envelope = {
  wrap: (_, value) => toBytes(JSON.stringify(value)),
  unwrap: (_, bytes, parseJson) => parseJson(toText(bytes)),
};

export interface Numbers {
  readonly title: object;
  readonly numbers: Float64Array;
}

/**
 * Numbers, and before them on a line of its own their title as JSON; packed. A field of the title holds the blob's name:
 * with it, numbers put in another's place are refused, too.
 */
export function numbered(nameField: string): Envelope<Numbers> {
  return {
    wrap(name, { title, numbers }) {
      const titleLine = `${JSON.stringify({ [nameField]: name, ...title })}\n`;
      return packFrame(Buffer.concat([Buffer.from(titleLine), bytesOf(numbers)]));
    },
    unwrap(name, bytes, parseJson) {
      const content = unpackFrame(bytes, name);
      const titleEnd = content.indexOf('\n');
      const numbers = Uint8Array.from(content.subarray(titleEnd + 1));
      if (titleEnd === -1 || numbers.length % Float64Array.BYTES_PER_ELEMENT !== 0) return undefined;
      const { [nameField]: storedName, ...title } = anyTitle.parse(parseJson(toText(content.subarray(0, titleEnd))));
      // Copied above, because numbers must lie at a multiple of their size.
      return storedName === name ? { title, numbers: new Float64Array(numbers.buffer) } : undefined;
    },
  };
}

/** What is no object has no name in it. */
const anyTitle = z.record(z.string(), z.unknown()).catch({});

export function digestOfNumbers(numbers: Float64Array): string {
  return sha256Hex(bytesOf(numbers));
}

function bytesOf({ buffer, byteOffset, byteLength }: Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function digestOf(name: string, json: string): string {
  return sha256Hex(`${name}\n${json}`);
}
