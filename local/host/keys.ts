import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** `functions` holds the named keys that open one function only: by its name, then by the key's. */
export interface HostKeys {
  readonly master: string;
  readonly default: string;
  readonly functions?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export type AuthLevel = 'anonymous' | 'function' | 'admin';

export function randomKey(): string {
  return randomBytes(40).toString('base64url');
}

/** What the key in `x-functions-key`, or else in `?code=`, opens; a wrong key opens what no key does. */
export function grantedLevel(
  keys: HostKeys,
  headers: IncomingHttpHeaders,
  query: URLSearchParams,
  functionName?: string,
): AuthLevel {
  const header = headers['x-functions-key'];
  const key = (Array.isArray(header) ? header[0] : header) ?? codeIn(query);
  if (key === '') return 'anonymous';
  if (key === keys.master) return 'admin';
  const ofFunction = functionName === undefined ? [] : Object.values(keys.functions?.[functionName] ?? {});
  return key === keys.default || ofFunction.includes(key) ? 'function' : 'anonymous';
}

/** The name in any case; given twice, it is no key. */
function codeIn(query: URLSearchParams): string {
  return [...query].flatMap(([name, value]) => (name.toLowerCase() === 'code' ? [value] : [])).join();
}

export function isAllowed(granted: AuthLevel, required: AuthLevel): boolean {
  return order.indexOf(granted) >= order.indexOf(required);
}

const order: readonly AuthLevel[] = ['anonymous', 'function', 'admin'];
