import type { DocumentKind } from '../../src/app/stored/opener.ts';

type Real = typeof import('../../src/app/stored/opener.ts');

/** A build's module, whose URL follows the question mark of this one's. */
const real: Real = await import(new URL(import.meta.url).search.slice(1));

export const { invalidOf } = real;

/** The app reads the same stored bytes again and again: here what they say is worked out once. */
export function openerOf<T extends object>(kind: DocumentKind<T>): (name: string, bytes: Uint8Array) => T {
  const open = real.openerOf(kind);
  const known = new WeakMap<Uint8Array, T>();
  return (name, bytes) => {
    const value = known.get(bytes) ?? open(name, bytes);
    known.set(bytes, value);
    return value;
  };
}
