import { toFacts, toMetadata } from '../../src/azure/facts.ts';
import type { Blob, BlobEntry, BlobFacts, Blobs } from '../../src/core/ports.ts';

interface Stored {
  readonly bytes: Uint8Array;
  readonly etag: string;
  readonly facts: BlobFacts;
  readonly createdAt: Date;
  readonly modifiedAt: Date;
}

export interface MemoryBlobs extends Blobs {
  /** Blobs that begin with what these hold now. */
  copy(now: () => number): MemoryBlobs;
}

/** Blobs in memory, as atomic and as strict about facts as the real ones. Every call takes effect at once. */
export function createMemoryBlobs(now: () => number = Date.now): MemoryBlobs {
  return openMemoryBlobs(now, new Map(), 0);
}

function openMemoryBlobs(now: () => number, stored: Map<string, Stored>, startVersion: number): MemoryBlobs {
  let version = startVersion;
  return {
    copy: (copyNow) => openMemoryBlobs(copyNow, new Map(stored), version),
    get: async (name, how) => {
      const range = how === 'mayBeMissing' ? undefined : how;
      const blob = stored.get(name);
      if (blob === undefined) return undefined;
      const end = range === undefined ? blob.bytes.length : range.offset + range.length;
      const { etag, modifiedAt } = blob;
      const ageMs = now() - modifiedAt.getTime();
      return { bytes: blob.bytes.slice(range?.offset ?? 0, end), etag, ageMs } satisfies Blob;
    },
    put: async (name, bytes, condition, facts = {}) => {
      const checked = toFacts(toMetadata(facts, 'memory'));
      const before = stored.get(name);
      if (condition === 'new' && before !== undefined) return 'conflict';
      if (typeof condition === 'object' && before?.etag !== condition.etag) return 'conflict';
      version += 1;
      const modifiedAt = new Date(now());
      const createdAt = before?.createdAt ?? modifiedAt;
      const etag = `"memory-${version}"`;
      stored.set(name, { bytes: bytes.slice(), etag, facts: checked, createdAt, modifiedAt });
      return etag;
    },
    list: async (prefix) => {
      const entries: BlobEntry[] = [];
      for (const [name, blob] of stored) if (name.startsWith(prefix)) entries.push(toEntry(name, blob, now()));
      return entries.sort(byName);
    },
    listFolders: async (prefix) => {
      const folders = new Set<string>();
      for (const name of stored.keys()) {
        const end = name.indexOf('/', prefix.length) + 1;
        if (end > 0 && name.startsWith(prefix)) folders.add(name.slice(0, end));
      }
      return [...folders].sort();
    },
    remove: async (name, etag) => {
      if (etag === undefined || stored.get(name)?.etag === etag) stored.delete(name);
    },
    removeFolder: async () => {},
    ensure: async () => {},
  };
}

function toEntry(name: string, { bytes, etag, facts, createdAt, modifiedAt }: Stored, nowMs: number): BlobEntry {
  const ageMs = nowMs - modifiedAt.getTime();
  return { name, facts, sizeBytes: bytes.length, createdAt, modifiedAt, etag, ageMs };
}

function byName(a: BlobEntry, b: BlobEntry): number {
  if (a.name === b.name) return 0;
  return a.name < b.name ? -1 : 1;
}
