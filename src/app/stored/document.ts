import type { z } from 'zod';
import { DrError, type ErrorCode } from '../../core/errors.ts';
import { parseJson, parseWith, type Source } from '../../core/parse.ts';
import type { BlobFacts, PutCondition } from '../../core/ports.ts';
import type { App } from '../app.ts';
import { decompress } from './codec.ts';
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

export interface Found<T> {
  readonly value: T;
  readonly etag: string;
}

/** A document that is there and cannot be used. */
export interface Unusable {
  readonly fault: DrError;
  readonly etag: string;
}

type Storage = Pick<App, 'blobs' | 'world'>;
/** An ETag that is absent is that of a document which was not there. */
type Condition = PutCondition | { readonly etag: string | undefined };

export type StoredDocument<T extends object> = ReturnType<typeof defineDocument<T>>;

/** The only way the blobs of one kind of document are read and written. */
export function defineDocument<T extends object>(kind: DocumentKind<T>) {
  const { what, hint, version, envelope = checksummed, isGzipped = false, codes = usualCodes } = kind;
  /** The kind's error, for what only the reader can see is wrong. */
  const invalid = (name: string, why: string): DrError => invalidOf(kind, name, why);
  /** The bytes before they are compressed. */
  const pack = (name: string, value: T): Uint8Array =>
    envelope.wrap(name, version === 'none' ? value : { formatVersion: version, ...value });
  const open = (name: string, bytes: Uint8Array): T => {
    const source: Source = { code: codes.invalid, what: `${what} ${name}`, hint, target: name };
    const content = envelope.unwrap(name, bytes, (text) => parseJson(text, source));
    if (content === undefined) throw invalid(name, 'is not as it was written under that name');
    return parseWith(kind.schema, withoutVersion(kind, name, content), source);
  };
  /** `undefined` when there is none; what is wrong with one is given and not thrown. */
  const look = async (app: Storage, name: string, how?: 'mayBeMissing'): Promise<Found<T> | Unusable | undefined> => {
    const blob = await app.blobs.get(name, how);
    if (blob === undefined) return undefined;
    const { bytes, etag } = blob;
    try {
      return { value: open(name, isGzipped ? await decompress(app.world, bytes, name) : bytes), etag };
    } catch (fault) {
      if (fault instanceof DrError) return { fault, etag };
      throw fault;
    }
  };
  /** The same, but throws the kind's error (`StoredDocumentInvalid`), naming the blob, when it cannot be used. */
  const find = async (app: Storage, name: string): Promise<Found<T> | undefined> => {
    const found = await look(app, name);
    if (found !== undefined && 'fault' in found) throw found.fault;
    return found;
  };
  return {
    look,
    find,
    open,
    pack,
    invalid,
    /** The same, but throws when it is missing, too. */
    async read(app: Storage, name: string): Promise<T> {
      const found = await find(app, name);
      if (found === undefined) throw invalid(name, 'is missing');
      return found.value;
    },
    /** For what can be done without: one that cannot be used is logged, and has no value. */
    async tryFind(app: Storage & Pick<App, 'log'>, name: string, how?: 'mayBeMissing'): Promise<Partial<Found<T>>> {
      const found = await look(app, name, how);
      if (found === undefined || !('fault' in found)) return found ?? {};
      app.log.warn(`${what} unreadable`, { name, code: found.fault.code });
      return { etag: found.etag };
    },
    /** As `Blobs.put`; the value is taken at once, before anything is awaited. */
    async write(app: Storage, name: string, value: T, condition: Condition, facts?: BlobFacts) {
      const bytes = pack(name, value);
      return app.blobs.put(name, isGzipped ? await app.world.gzip(bytes) : bytes, toPut(condition), facts);
    },
  };
}

function toPut(condition: Condition): PutCondition {
  if (typeof condition !== 'object') return condition;
  const { etag } = condition;
  return etag === undefined ? 'new' : { etag };
}

const usualCodes = { invalid: 'StoredDocumentInvalid', unknownVersion: 'StoredDocumentInvalid' } as const;
type Kind = Omit<DocumentKind<object>, 'schema' | 'envelope'>;

function invalidOf({ what, hint, codes = usualCodes }: Kind, name: string, why: string, isVersion = false): DrError {
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
