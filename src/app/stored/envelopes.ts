import { sha256Hex, toBytes, toText } from './codec.ts';

/** How a document's JSON becomes the bytes of its blob, and back. */
export interface Envelope {
  wrap(name: string, value: object): Uint8Array;
  /** The JSON text; `undefined` when the bytes are not what `wrap` made under that name. */
  unwrap(name: string, bytes: Uint8Array): string | undefined;
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
  unwrap(name, bytes) {
    const text = toText(bytes);
    const found = /,"sha256":"([0-9a-f]{64})"\}\n$/.exec(text);
    const json = `${text.slice(0, found?.index)}}`;
    return found !== null && found[1] === digestOf(name, json) ? json : undefined;
  },
} satisfies Envelope;

/** For people to read; the schema checks the digest inside. */
export const indented: Envelope = {
  wrap: (_, value) => toBytes(`${JSON.stringify(value, null, 1)}\n`),
  unwrap: (_, bytes) => toText(bytes),
};

/** JSON without a checksum. */
export const bare: Envelope = {
  wrap: (_, value) => toBytes(JSON.stringify(value)),
  unwrap: (_, bytes) => toText(bytes),
};

function digestOf(name: string, json: string): string {
  return sha256Hex(`${name}\n${json}`);
}
