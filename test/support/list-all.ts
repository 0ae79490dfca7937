import type { BlobEntry, Blobs } from '../../src/core/ports.ts';

/** Every blob by the name that the app has for it, in name order. */
export async function listAll(blobs: Blobs): Promise<readonly BlobEntry[]> {
  const entries = await blobs.list('');
  const named = entries.map((entry) => ({ ...entry, name: entry.name.replace(ofPair, '_') }));
  return named.sort((a, b) => (a.name < b.name ? -1 : 1));
}

const ofPair = /^_pairs\/(?:[^/]+\/){4}(?=(?:runs|locks|alerts|drills|status)\/)/;
