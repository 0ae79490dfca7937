import { z } from 'zod';
import { DrError } from '../../../core/errors.ts';
import { parseJson, parseWith } from '../../../core/parse.ts';
import { foreignName } from '../../../core/paths.ts';
import { handleHash, membersOf } from '../../../core/registration/record.ts';
import type { Registration } from '../../../core/registration/registration.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { openDocument, sealDocument } from '../../stored/codec.ts';
import { forEachConcurrent } from '../../stored/concurrent.ts';

/**
 * The handles that live in the target under a key the snapshot's shard does not have them under, as 53-bit hashes. Each
 * seal of a restore stores one document, also when it is empty; all shards' together are asked for every record.
 */
const foreignSchema = z.strictObject({ formatVersion: z.literal(1), hashes: z.array(z.int().nonnegative()) });

/** Documents read at once. */
const READERS = 16;
/** Passes remembered by one process: each step of a pass asks the same, and a large hub has a thousand documents. */
const REMEMBERED = 2;

export async function storeForeignHandles(app: App, run: RestoreRun, shard: number, hashes: readonly number[]) {
  const name = foreignName(run.id, run.phase.pass, shard);
  await app.blobs.put(name, sealDocument(name, JSON.stringify({ formatVersion: 1, hashes })), 'any');
}

/** Tells of a row whether its handle is one of them. Throws `StoredDocumentInvalid`, naming the blob it is about. */
export async function readForeignHandles(app: App, run: RestoreRun): Promise<(row: Registration) => boolean> {
  const hashes = await remember(app.memory.foreignHandles, `${run.id} ${run.phase.pass}`, () => readAll(app, run));
  return (row) => hashes.length > 0 && includes(hashes, handleHash(row));
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
    for (const hash of await readOne(app, foreignName(run.id, run.phase.pass, shard))) all.push(hash);
  });
  return Float64Array.from(all).sort();
}

async function readOne(app: App, name: string): Promise<readonly number[]> {
  const blob = await app.blobs.get(name);
  const source = {
    code: 'StoredDocumentInvalid',
    what: `list of handles ${name}`,
    hint: 'Start a new restore.',
    target: name,
  } as const;
  if (blob === undefined) {
    throw new DrError(source.code, `The ${source.what} is missing. ${source.hint}`, { target: name });
  }
  return parseWith(foreignSchema, parseJson(openDocument(name, blob.bytes), source), source).hashes;
}

function includes(sorted: Float64Array, wanted: number): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === wanted;
}
