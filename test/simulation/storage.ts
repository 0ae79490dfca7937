import type { BlobEntry, BlobFacts, Blobs, PutCondition } from '../../src/core/ports.ts';
import type { Engine } from './engine.ts';
import type { Knobs } from './knobs.ts';
import type { Caller, Net } from './net.ts';
import type { Scheduler } from './scheduler.ts';

export interface Stored {
  readonly bytes: Uint8Array;
  readonly etag: string;
  readonly facts: BlobFacts;
  /** By the storage's own clock, which keeps whole seconds. */
  readonly createdAt: Date;
  readonly modifiedAt: Date;
  /** By no clock of anybody. */
  readonly storedAt: number;
}

/** A blob was written, or removed. */
type Observe = (name: string, after: Stored | undefined) => void;

/** The one container that all processes share. */
export class Container {
  readonly #scheduler: Scheduler;
  readonly #stored = new Map<string, Stored>();
  /** Sorted, so that a listing is a slice. */
  readonly #names: string[] = [];
  /** Shards of snapshots as they were written, that are removed or damaged. */
  readonly #former = new Map<string, Stored>();
  readonly #skewMs: number;
  readonly #observe: Observe;
  #version = 0;

  constructor(scheduler: Scheduler, skewMs: number, observe: Observe) {
    this.#scheduler = scheduler;
    this.#skewMs = skewMs;
    this.#observe = observe;
  }

  get(name: string): Stored | undefined {
    return this.#stored.get(name);
  }

  put(name: string, bytes: Uint8Array, condition: PutCondition, facts: BlobFacts): string | 'conflict' {
    const before = this.#stored.get(name);
    if (condition === 'new' && before !== undefined) return 'conflict';
    if (typeof condition === 'object' && before?.etag !== condition.etag) return 'conflict';
    this.#version += 1;
    const modifiedAt = new Date(this.now);
    const createdAt = before?.createdAt ?? modifiedAt;
    const etag = `"${this.#version}"`;
    if (before === undefined) this.#names.splice(this.#placeOf(name), 0, name);
    const after = { bytes: bytes.slice(), etag, facts, createdAt, modifiedAt, storedAt: this.#scheduler.now };
    this.#stored.set(name, after);
    this.#observe(name, after);
    return etag;
  }

  list(prefix: string): BlobEntry[] {
    const entries: BlobEntry[] = [];
    for (const name of this.names(prefix)) {
      const stored = this.#stored.get(name);
      if (stored === undefined) continue;
      const { facts, bytes, createdAt, modifiedAt, etag } = stored;
      const ageMs = this.ageOf(stored);
      entries.push({ name, facts, sizeBytes: bytes.length, createdAt, modifiedAt, etag, ageMs });
    }
    return entries;
  }

  ageOf({ modifiedAt }: Pick<Stored, 'modifiedAt'>): number {
    return this.now - modifiedAt.getTime();
  }

  /** By its own clock. */
  get now(): number {
    return Math.floor((this.#scheduler.now + this.#skewMs) / 1000) * 1000;
  }

  names(prefix: string): string[] {
    const names: string[] = [];
    for (let at = this.#placeOf(prefix); at < this.#names.length; at += 1) {
      const name = this.#names[at] ?? '';
      if (!name.startsWith(prefix)) break;
      names.push(name);
    }
    return names;
  }

  remove(name: string, etag: string | undefined): void {
    const stored = this.#stored.get(name);
    if (stored === undefined || (etag !== undefined && stored.etag !== etag)) return;
    if (name.includes('/shards/')) this.#keepFormer(name, stored);
    this.#stored.delete(name);
    this.#names.splice(this.#placeOf(name), 1);
    this.#observe(name, undefined);
  }

  /** One byte of a blob is another one, and nothing shows that. */
  damage(name: string, at: number): void {
    const stored = this.#stored.get(name);
    if (stored === undefined) return;
    this.#keepFormer(name, stored);
    const bytes = Uint8Array.from(stored.bytes);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    this.#stored.set(name, { ...stored, bytes });
  }

  /** The shards with that prefix as they were written, whatever became of them. */
  shards(prefix: string): Stored[] {
    const there = this.names(prefix).filter((name) => !this.#former.has(name));
    const former = [...this.#former].filter(([name]) => name.startsWith(prefix));
    return [...former, ...there.map((name) => [name, this.#stored.get(name)] as const)]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, stored]) => stored ?? []);
  }

  #keepFormer(name: string, stored: Stored): void {
    if (!this.#former.has(name)) this.#former.set(name, stored);
  }

  #placeOf(name: string): number {
    let low = 0;
    let high = this.#names.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#names[middle] ?? '') < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The `Blobs` port of any process: the current caller's. */
export function createBlobs(container: Container, net: Net, engine: Pick<Engine, 'DrError'>, knobs: Knobs): Blobs {
  const fault = (): Error =>
    new engine.DrError('StorageUnavailable', 'The simulated storage does not answer.', { retryable: true });
  const call = <T>(label: string, work: () => T, saysTime = false): Promise<T> => {
    const effect = ({ process }: Caller): T => {
      if (saysTime) process.noteStorageTime(container.now);
      return work();
    };
    return net.call({ label, milliseconds: knobs.storageMs, faults: knobs.storageFaults, effect, fault });
  };
  const read = <T>(label: string, work: () => T): Promise<T> => call(label, work, true);
  return {
    get: (name, how) =>
      read(`get ${name}`, () => {
        const blob = container.get(name);
        if (blob === undefined) return undefined;
        const { bytes, etag } = blob;
        const ageMs = container.ageOf(blob);
        if (how === undefined || how === 'mayBeMissing') return { bytes, etag, ageMs };
        return { bytes: bytes.subarray(how.offset, how.offset + how.length), etag, ageMs };
      }),
    put: (name, bytes, condition, facts = {}) =>
      call(`put ${name}`, () => container.put(name, bytes, condition, facts)),
    list: (prefix) => read(`list ${prefix}`, () => container.list(prefix)),
    listFolders: (prefix) => read(`folders ${prefix}`, () => foldersOf(container.names(prefix), prefix)),
    remove: (name, etag) => call(`remove ${name}`, () => container.remove(name, etag)),
    removeFolder: async () => {},
    ensure: async () => {},
  };
}

function foldersOf(names: readonly string[], prefix: string): string[] {
  const rests = names.map((name) => name.slice(prefix.length)).filter((rest) => rest.includes('/'));
  return [...new Set(rests.map((rest) => `${prefix}${rest.slice(0, rest.indexOf('/') + 1)}`))];
}
