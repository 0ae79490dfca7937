import type { z } from 'zod';
import type { DrError, ErrorCode } from '../../core/errors.ts';
import { parseJson, parseWith, type Source } from '../../core/parse.ts';
import { checksummed, type Envelope } from './envelopes.ts';
import { invalidDocument } from './invalid.ts';

export interface DocumentKind<T extends object> {
  /** What it is called in messages: "run document". */
  readonly what: string;
  /** What to do when it cannot be used, as a sentence. */
  readonly hint: string;
  /** Of the document without its `formatVersion`. */
  readonly schema: z.ZodType<T>;
  /** Stored as `formatVersion`; any other version is refused by name. */
  readonly version: number | 'none';
  readonly envelope?: Envelope<NoInfer<T>>;
  /** For large ones. */
  readonly isGzipped?: boolean;
  readonly codes?: { readonly invalid: ErrorCode; readonly unknownVersion: ErrorCode };
}

/** Reads the bytes of one kind's documents. What it gives throws the kind's error, naming the blob, when they cannot be used. */
export function openerOf<T extends object>(kind: DocumentKind<T>): (name: string, bytes: Uint8Array) => T {
  const { what, hint, envelope = checksummed, codes = usualCodes } = kind;
  return (name, bytes) => {
    const source: Source = { code: codes.invalid, what: `${what} ${name}`, hint, target: name };
    const content = envelope.unwrap(name, bytes, (text) => parseJson(text, source));
    if (content === undefined) throw invalidOf(kind, name, 'is not as it was written under that name');
    return parseWith(kind.schema, withoutVersion(kind, name, content), source);
  };
}

const usualCodes = { invalid: 'StoredDocumentInvalid', unknownVersion: 'StoredDocumentInvalid' } as const;
type Kind = Omit<DocumentKind<object>, 'schema' | 'envelope'>;

export function invalidOf(
  { what, hint, codes = usualCodes }: Kind,
  name: string,
  why: string,
  isVersion = false,
): DrError {
  return invalidDocument({ what, name, why, hint, code: isVersion ? codes.unknownVersion : codes.invalid });
}

function withoutVersion(kind: Kind, name: string, json: unknown): unknown {
  const { version } = kind;
  if (version === 'none' || typeof json !== 'object' || json === null) return json;
  const { formatVersion, ...rest }: { formatVersion?: unknown } = json;
  if (formatVersion === version) return rest;
  if (typeof formatVersion !== 'number') throw invalidOf(kind, name, 'has no format version');
  const why = `has format version ${formatVersion}; this version of the app reads version ${version}`;
  throw invalidOf(kind, name, why, true);
}
