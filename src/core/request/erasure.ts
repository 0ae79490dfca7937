import { z } from 'zod';
import { bodySource, parseWith } from '../parse.ts';
import { type Identity, installationIdOf, userIdOf } from '../registration/registration.ts';
import { parseBody } from './restore.ts';

/** What a person, or one of their devices, is known by. */
export const erasureKinds = ['userId', 'installationId', 'handle', 'registrationId', 'tag'] as const;
export type ErasureKind = (typeof erasureKinds)[number];

export interface Erasure {
  readonly kind: ErasureKind;
  readonly value: string;
}

/** Browser endpoints are the longest handles. */
const MAX_LENGTH = 4096;
const identifier = z.string().trim().min(1, 'must not be empty').max(MAX_LENGTH).optional();

const erasureSchema = z.strictObject({
  userId: identifier,
  installationId: identifier,
  handle: identifier,
  registrationId: identifier,
  tag: identifier,
});

/** Reads the body of `POST /api/erasures`. Throws `BadRequest` or `UnknownField`. */
export function parseErasure(body: string): Erasure {
  const source = bodySource(`Send a JSON object with exactly one of: ${erasureKinds.join(', ')}.`);
  const [erasure] = parseWith(
    erasureSchema
      .transform((fields): Erasure[] =>
        erasureKinds.flatMap((kind) => {
          const value = fields[kind];
          return value === undefined ? [] : [{ kind, value }];
        }),
      )
      .refine((given) => given.length === 1, 'must have exactly one field'),
    parseBody(body, source),
    source,
  );
  if (erasure === undefined) throw new Error('The schema has let a body without a field pass.');
  return erasure;
}

/** By what a record could be erased, of one kind, as it is compared: upper and lower case are the same. */
export function identifiersOf({ rows }: { readonly rows: readonly Identity[] }, kind: ErasureKind): string[] {
  const found = rows.flatMap((row): (string | undefined)[] => {
    switch (kind) {
      case 'userId':
        return [userIdOf(row.tags)];
      case 'installationId':
        return [installationIdOf(row.tags)];
      case 'handle':
        return [row.handle];
      case 'registrationId':
        return [row.id];
      case 'tag':
        return [...row.tags];
      default:
        return kind satisfies never;
    }
  });
  return found.flatMap((text) => (text === undefined ? [] : [comparable(text)]));
}

/** Hubs compare tags without case, and Apple tokens come in both. */
export function comparable(text: string): string {
  return text.toLowerCase();
}
