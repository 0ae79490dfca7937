import { DrError } from '../../core/errors.ts';
import type { BlobFacts, PutCondition } from '../../core/ports.ts';
import type { App } from '../app.ts';
import { decompress } from './codec.ts';
import { checksummed } from './envelopes.ts';
import { type DocumentKind, invalidOf, openerOf } from './opener.ts';

export interface Found<T> {
  readonly value: T;
  readonly etag: string;
  /** As `BlobEntry` has it, where it was read. */
  readonly ageMs?: number;
}

/** A document that is there and cannot be used. */
export interface Unusable {
  readonly fault: DrError;
  readonly etag: string;
  readonly ageMs: number;
}

type Storage = Pick<App, 'blobs' | 'world'>;
/** An ETag that is absent is that of a document which was not there. */
type Condition = PutCondition | { readonly etag: string | undefined };

export type StoredDocument<T extends object> = ReturnType<typeof defineDocument<T>>;

/** The only way the blobs of one kind of document are read and written. */
export function defineDocument<T extends object>(kind: DocumentKind<T>) {
  const { what, version, envelope = checksummed, isGzipped = false } = kind;
  /** The kind's error, for what only the reader can see is wrong. */
  const invalid = (name: string, why: string): DrError => invalidOf(kind, name, why);
  /** The bytes before they are compressed. */
  const pack = (name: string, value: T): Uint8Array =>
    envelope.wrap(name, version === 'none' ? value : { formatVersion: version, ...value });
  const open = openerOf(kind);
  /** `undefined` when there is none; what is wrong with one is given and not thrown. */
  const look = async (app: Storage, name: string, how?: 'mayBeMissing'): Promise<Found<T> | Unusable | undefined> => {
    const blob = await app.blobs.get(name, how);
    if (blob === undefined) return undefined;
    const { bytes, etag, ageMs } = blob;
    try {
      return { value: open(name, isGzipped ? await decompress(app.world, bytes, name) : bytes), etag, ageMs };
    } catch (fault) {
      if (fault instanceof DrError) return { fault, etag, ageMs };
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
      return { etag: found.etag, ageMs: found.ageMs };
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
