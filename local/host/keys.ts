import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

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

/** What the first key in `x-functions-key`, or else in `?code=`, opens; a wrong key opens what no key does. */
export function grantedLevel(
  keys: HostKeys,
  { headersDistinct }: IncomingMessage,
  query: URLSearchParams,
  functionName?: string,
): AuthLevel {
  const key = headersDistinct['x-functions-key']?.[0] ?? codeIn(query);
  if (key === '') return 'anonymous';
  if (key === keys.master) return 'admin';
  const ofFunction = functionName === undefined ? [] : Object.values(keys.functions?.[functionName] ?? {});
  return key === keys.default || ofFunction.includes(key) ? 'function' : 'anonymous';
}

/** The name in any case. */
function codeIn(query: URLSearchParams): string {
  return [...query].find(([name]) => name.toLowerCase() === 'code')?.[1] ?? '';
}

export function isAllowed(granted: AuthLevel, required: AuthLevel): boolean {
  return order.indexOf(granted) >= order.indexOf(required);
}

const order: readonly AuthLevel[] = ['anonymous', 'function', 'admin'];
