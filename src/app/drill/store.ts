import { DrError } from '../../core/errors.ts';
import { DRILLS_FOLDER, drillName, NEWEST_DRILL_NAME } from '../../core/paths.ts';
import type { Drill } from '../../core/readiness/drill.ts';
import { isRunId, startOfRunId } from '../../core/run/run.ts';
import { type App, emit, toInstant } from '../app.ts';
import { readPage } from '../runs/store.ts';
import type { Found } from '../stored/document.ts';
import { documents } from '../stored/documents.ts';

/** Between taking its place and writing its document lies one storage call. */
const BIRTH_MS = 60_000;

/**
 * The newest drill, and the newest that ended: itself, or the one before it. `isBeingBorn` while another process is
 * just storing one; `etag` is for taking the place of a new one by compare-and-swap.
 */
export async function readNewestDrills(app: App) {
  const { value: pointer, etag } = await documents.newestDrill.tryFind(app, NEWEST_DRILL_NAME);
  if (pointer === undefined) return { newest: undefined, lastEnded: undefined, isBeingBorn: false, etag };
  const newest = await readDrill(app, pointer.id);
  const isOver = newest?.value.stage === 'over';
  const before = isOver || pointer.before === undefined ? undefined : (await readDrill(app, pointer.before))?.value;
  return {
    newest,
    lastEnded: isOver ? newest.value : before,
    isBeingBorn: newest === undefined && app.world.storageNow() - Date.parse(pointer.at) < BIRTH_MS,
    etag,
  };
}

/** Stores a new drill as the newest. False when another one was faster. */
export async function createDrill(
  app: App,
  drill: Drill,
  after: { readonly etag: string | undefined },
): Promise<boolean> {
  const { id, before } = drill;
  const pointer = { id, before, at: toInstant(app.world.storageNow()) };
  const etag = await documents.newestDrill.write(app, NEWEST_DRILL_NAME, pointer, { etag: after.etag });
  if (etag === 'conflict') return false;
  return (await documents.drill.write(app, drillName(id), drill, 'new')) !== 'conflict';
}

/** `undefined` when another process advanced the drill meanwhile. */
export async function changeDrill(app: App, stored: Found<Drill>, drill: Drill): Promise<Found<Drill> | undefined> {
  const etag = await documents.drill.write(app, drillName(drill.id), drill, { etag: stored.etag });
  if (etag === 'conflict') return undefined;
  if (drill.stage === 'over') await emit(app, { kind: 'drillEnded' });
  return { value: drill, etag };
}

/** `undefined` when there is none, or when it cannot be read, which the log tells. */
export async function readDrill(app: App, id: string): Promise<Found<Drill> | undefined> {
  const { value, etag } = await documents.drill.tryFind(app, drillName(id));
  return value === undefined || etag === undefined ? undefined : { value, etag };
}

/** Throws `RunNotFound`. */
export async function findDrill(app: App, id: string): Promise<Found<Drill>> {
  const stored = isRunId(id) ? await readDrill(app, id) : undefined;
  if (stored !== undefined) return stored;
  throw new DrError('RunNotFound', `There is no drill '${id}'. List those there are: notification-hubs-dr drills`, {
    target: id,
  });
}

/** One page, newest first. */
export async function listDrills(app: App, size: number, from?: string) {
  return readPage(await listDrillIds(app), { size, from }, async (id) => (await readDrill(app, id))?.value);
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
  const drills = (await app.blobs.list(DRILLS_FOLDER)).filter(({ name }) => name !== NEWEST_DRILL_NAME);
  return drills.map(({ name }) => name.slice(DRILLS_FOLDER.length, -'.json'.length));
}
