import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { ServiceError } from './service-error.ts';

export type Right = 'Listen' | 'Send' | 'Manage';

/** A shared access policy with its two keys. */
export interface AccessRule {
  readonly name: string;
  readonly rights: readonly Right[];
  readonly keys: readonly [primary: string, secondary: string];
}

/** Keys follow from their names, so that a connection string survives a restart of the emulator; `round` counts rotations. */
export function makeRule(scope: string, name: string, rights: readonly Right[], round: number): AccessRule {
  const key = (which: string): string =>
    createHash('sha256').update(`emulator/${scope}/${name}/${which}/${round}`).digest('base64');
  return { name, rights, keys: [key('primary'), key('secondary')] };
}

/**
 * Checks an `Authorization` header and gives the rights it carries.
 * @param url host, path and query of the request, without the scheme.
 * @throws ServiceError 401; only the text of a wrong signature is recorded, the others are guesses.
 */
export function authorize(
  header: string | undefined,
  url: string,
  rules: readonly AccessRule[],
  nowMs: number,
): readonly Right[] {
  if (header === undefined) throw new ServiceError(401, 'MissingToken: The authorization header was not found.');
  const token = parseToken(header);
  const rule = rules.find(({ name }) => name === token.keyName);
  if (rule === undefined || !rule.keys.some((key) => isSignedWith(key, token))) {
    throw new ServiceError(401, 'InvalidSignature: The token has an invalid signature.');
  }
  if (!(token.expiresAt * 1000 > nowMs)) throw new ServiceError(401, 'ExpiredToken: The token is expired.');
  if (!covers(token.resource, url)) throw new ServiceError(401, 'InvalidAudience: The token is for another resource.');
  return rule.rights;
}

interface Token {
  /** As signed, still percent-encoded. */
  readonly resource: string;
  readonly signature: Buffer;
  /** Seconds since 1970. */
  readonly expiresAt: number;
  readonly keyName: string;
}

function parseToken(header: string): Token {
  const fields = new Map<string, string>();
  for (const pair of header.replace(/^SharedAccessSignature\s+/i, '').split('&')) {
    const equals = pair.indexOf('=');
    fields.set(pair.slice(0, equals), pair.slice(equals + 1));
  }
  const [resource, signature, expiry, keyName] = ['sr', 'sig', 'se', 'skn'].map((name) => fields.get(name));
  if (!/^SharedAccessSignature\s/i.test(header) || !resource || !signature || !expiry || !keyName) {
    throw new ServiceError(401, 'MalformedToken: The credentials are malformed.');
  }
  return {
    resource,
    signature: Buffer.from(decode(signature), 'base64'),
    expiresAt: Number(expiry),
    keyName: decode(keyName),
  };
}

/** The key's text is used as bytes, it is not decoded from base64. */
function isSignedWith(key: string, token: Token): boolean {
  const expected = createHmac('sha256', key).update(`${token.resource}\n${token.expiresAt}`).digest();
  return expected.length === token.signature.length && timingSafeEqual(expected, token.signature);
}

/**
 * The resource may be any ancestor of the request, whatever its scheme, port, letter case or slash at the end: the .NET
 * client leaves the port out.
 */
function covers(resource: string, url: string): boolean {
  const scope = withoutPort(
    decode(resource)
      .toLowerCase()
      .replace(/^\w+:\/\//, '')
      .replace(/\/+$/, ''),
  );
  return [url, decode(url)].some((candidate) => {
    const wanted = withoutPort(candidate.toLowerCase());
    return wanted.startsWith(scope) && /^($|[/?])/.test(wanted.slice(scope.length));
  });
}

function withoutPort(url: string): string {
  return url.replace(/^([^/?]*?):\d+(?=[/?]|$)/, '$1');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not percent-encoded after all: the text stands for itself.
    return text;
  }
}
