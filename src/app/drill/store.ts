import { z } from 'zod';
import { DrError } from '../../core/errors.ts';
import { parseJson, parseWith } from '../../core/parse.ts';
import { DRILLS_FOLDER, drillName, NEWEST_DRILL_NAME } from '../../core/paths.ts';
import { type Drill, formatDrill, parseDrill } from '../../core/readiness/drill.ts';
import { startOfRunId } from '../../core/run/run.ts';
import { type App, emit, toInstant } from '../app.ts';
import { openDocument, sealDocument } from '../stored/codec.ts';
import { forEachConcurrent } from '../stored/concurrent.ts';

const pointerSchema = z.strictObject({
  formatVersion: z.literal(1),
  id: z.string(),
  before: z.string().optional(),
  at: z.iso.datetime(),
});
type Pointer = Readonly<z.infer<typeof pointerSchema>>;

export interface StoredDrill {
  readonly drill: Drill;
  readonly etag: string;
}

/** Between taking its place and writing its document lies one storage call. */
const BIRTH_MS = 60_000;
const READERS = 16;

/** The newest drill, and the one before it; the place of a new one is taken by compare-and-swap. */
export interface NewestDrills {
  readonly newest: StoredDrill | undefined;
  /** The newest that ended: `newest` itself, or the one before it. */
  readonly lastEnded: Drill | undefined;
  /** A drill is just being stored by somebody else. */
  readonly isBeingBorn: boolean;
  readonly etag: string | undefined;
}

export async function readNewestDrills(app: App): Promise<NewestDrills> {
  const blob = await app.blobs.get(NEWEST_DRILL_NAME);
  const pointer = blob === undefined ? undefined : readPointer(app, blob.bytes);
  if (pointer === undefined) return { newest: undefined, lastEnded: undefined, isBeingBorn: false, etag: blob?.etag };
  const newest = await readDrill(app, pointer.id);
  const isOver = newest?.drill.stage === 'over';
  const before = isOver || pointer.before === undefined ? undefined : (await readDrill(app, pointer.before))?.drill;
  return {
    newest,
    lastEnded: isOver ? newest.drill : before,
    isBeingBorn: newest === undefined && app.world.now() - Date.parse(pointer.at) < BIRTH_MS,
    etag: blob?.etag,
  };
}

/** Stores a new drill as the newest. False when another one was faster. */
export async function createDrill(app: App, drill: Drill, after: NewestDrills): Promise<boolean> {
  const { id, before } = drill;
  const pointer: Pointer = {
    formatVersion: 1,
    id,
    ...(before === undefined ? {} : { before }),
    at: toInstant(app.world.now()),
  };
  const bytes = sealDocument(NEWEST_DRILL_NAME, JSON.stringify(pointer));
  const condition = after.etag === undefined ? 'new' : { etag: after.etag };
  if ((await app.blobs.put(NEWEST_DRILL_NAME, bytes, condition)) === 'conflict') return false;
  const name = drillName(id);
  return (await app.blobs.put(name, sealDocument(name, formatDrill(drill)), 'new')) !== 'conflict';
}

/** `undefined` when somebody else moved the drill on meanwhile. */
export async function changeDrill(app: App, stored: StoredDrill, drill: Drill): Promise<StoredDrill | undefined> {
  const name = drillName(drill.id);
  const etag = await app.blobs.put(name, sealDocument(name, formatDrill(drill)), { etag: stored.etag });
  if (etag === 'conflict') return undefined;
  if (drill.stage === 'over') await emit(app, { kind: 'drillEnded' });
  return { drill, etag };
}

/** `undefined` when there is none, or when it cannot be read, which the log tells. */
export async function readDrill(app: App, id: string): Promise<StoredDrill | undefined> {
  const name = drillName(id);
  const blob = await app.blobs.get(name);
  if (blob === undefined) return undefined;
  try {
    return { drill: parseDrill(openDocument(name, blob.bytes), name), etag: blob.etag };
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    app.log.error('drill unreadable', { name, code: error.code });
    return undefined;
  }
}

/** Newest first. */
export async function listDrills(app: App, limit: number): Promise<Drill[]> {
  const drills: Drill[] = [];
  await forEachConcurrent((await listDrillIds(app)).slice(-limit), READERS, async (id) => {
    const stored = await readDrill(app, id);
    if (stored !== undefined) drills.push(stored.drill);
  });
  return drills.sort((a, b) => (a.id < b.id ? 1 : -1));
}

/** Deletes the records of drills that began before. */
export async function pruneDrills(app: App, beforeMs: number): Promise<void> {
  for (const id of await listDrillIds(app)) {
    const startedAt = startOfRunId(id);
    if (startedAt !== undefined && startedAt < beforeMs) await app.blobs.remove(drillName(id));
  }
}

/** Oldest first: they sort by time. */
async function listDrillIds(app: App): Promise<string[]> {
  const names = (await app.blobs.list(DRILLS_FOLDER))
    .map(({ name }) => name)
    .filter((name) => name !== NEWEST_DRILL_NAME);
  return names.map((name) => name.slice(DRILLS_FOLDER.length, -'.json'.length));
}

function readPointer(app: App, bytes: Uint8Array): Pointer | undefined {
  const source = { code: 'StoredDocumentInvalid', what: NEWEST_DRILL_NAME, hint: 'The next drill mends it.' } as const;
  try {
    return parseWith(pointerSchema, parseJson(openDocument(NEWEST_DRILL_NAME, bytes), source), source);
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    app.log.error('drill unreadable', { name: NEWEST_DRILL_NAME, code: error.code });
    return undefined;
  }
}
