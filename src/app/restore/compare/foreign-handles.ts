import { firstIndex } from '../../../core/bytes/search.ts';
import { foreignName } from '../../../core/paths.ts';
import { handleHash, membersOf } from '../../../core/registration/record.ts';
import type { Registration } from '../../../core/registration/registration.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { forEachConcurrent } from '../../stored/concurrent.ts';
import { documents } from '../../stored/documents.ts';

/** Documents read at once. */
const READERS = 16;
/** Passes remembered by one process: each step of a pass asks the same, and a large hub has a thousand documents. */
const REMEMBERED = 2;

/**
 * Notes the handles that live in the target under a key the snapshot's shard does not have them under, as 53-bit
 * hashes. One document a shard, even when it is empty; those of all shards together are asked for every record.
 */
export async function storeForeignHandles(app: App, run: RestoreRun, shard: number, hashes: readonly number[]) {
  const name = foreignName(run.id, run.phase.pass, shard);
  await documents.foreignHandles.write(app, name, { hashes }, 'any');
}

interface ForeignHandles {
  readonly isEmpty: boolean;
  /** By a handle's hash. */
  has(hash: number): boolean;
  hasOf(row: Registration): boolean;
}

/** Throws `StoredDocumentInvalid`, naming the blob it is about. */
export async function readForeignHandles(app: App, run: RestoreRun): Promise<ForeignHandles> {
  const hashes = await remember(app.memory.foreignHandles, `${run.id} ${run.phase.pass}`, () => readAll(app, run));
  const has = (wanted: number): boolean =>
    hashes[firstIndex(hashes.length, (index) => (hashes[index] ?? 0) >= wanted)] === wanted;
  const isEmpty = hashes.length === 0;
  return { isEmpty, has, hasOf: (row) => !isEmpty && has(handleHash(row)) };
}

type Remembered = App['memory']['foreignHandles'];

function remember(known: Remembered, key: string, read: () => Promise<Float64Array>): Promise<Float64Array> {
  const hashes = known.get(key) ?? read();
  // Set again, so that the first in the map is the one longest unused.
  known.delete(key);
  known.set(key, hashes);
  for (const oldest of [...known.keys()].slice(0, -REMEMBERED)) known.delete(oldest);
  // What failed is not remembered; who waits for it sees the failure.
  hashes.catch(() => known.delete(key));
  return hashes;
}

/** Sorted, and 8 bytes each: a `Set` of as many devices as a hub may hold would not fit. */
async function readAll(app: App, run: RestoreRun): Promise<Float64Array> {
  const all: number[] = [];
  const shards = membersOf({ first: 0, count: run.shardCount });
  await forEachConcurrent(shards, READERS, async (shard) => {
    const { hashes } = await documents.foreignHandles.read(app, foreignName(run.id, run.phase.pass, shard));
    for (const hash of hashes) all.push(hash);
  });
  return Float64Array.from(all).sort();
}
