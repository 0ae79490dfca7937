import { DrError, orFault } from '../core/errors.ts';
import { isSameHub, LOCKS_FOLDER, manifestAsideName, manifestName, runKinds, snapshotFolder } from '../core/paths.ts';
import type { HubRef } from '../core/ports.ts';
import type { Drill } from '../core/readiness/drill.ts';
import { isOver, type Run, startOfRunId } from '../core/run/run.ts';
import { type KeptSnapshot, snapshotsToDelete } from '../core/snapshot/retention.ts';
import type { App } from './app.ts';
import { findUnfinished } from './baseline/store.ts';
import { pruneDrills, readNewestDrills } from './drill/store.ts';
import { pruneConfirmed } from './dual/confirmed.ts';
import { readLocked } from './runs/lock.ts';
import { appsOfOtherPairs } from './runs/other-pairs.ts';
import { listRuns, readHolder, removeRun, removeStaging } from './runs/store.ts';
import { isSync } from './runs/sync-rests.ts';
import { newestProven, readMarks, removeMarks } from './snapshots/marks.ts';
import { type ListedSnapshot, listSnapshotIds, listSnapshots } from './snapshots/store.ts';
import { noteRefusal } from './stored/refusals.ts';
import { removeAll } from './stored/remove-all.ts';

const DAY_MS = 86_400_000;
/** One comes with each backup. */
const KEEP_SYNCS_MS = 30 * DAY_MS;
const KEEP_RUNS_MS = { backup: 30 * DAY_MS, restore: 365 * DAY_MS, verification: 30 * DAY_MS };
const ALL_RUNS = 100_000;

/**
 * Deletes snapshots the policy no longer keeps, what dead backups left, and the records of old runs. What the storage
 * refuses to remove keeps nothing else, and is shown by the card until all can be removed.
 */
export async function prune(app: App): Promise<void> {
  const listed = await listSnapshots(app);
  // Before it has heard from the storage a process goes by its own clock.
  const nowMs = app.world.storageNow();
  const inUse = await findSnapshotsInUse(app);
  const refused: DrError[] = [];
  /** Whether it did, and was not refused. */
  const tryTo: TryTo = async (work) => {
    const done = await orFault(work());
    if (done instanceof DrError) refused.push(done);
    return done === true;
  };
  const [primary, secondary] = [app.primary.ref, app.secondary.ref];
  const existingOf = (hub: HubRef) => ({ listed: listed.filter((one) => isSameHub(one.hub, hub)), inUse, tryTo });
  const ofPrimary = await pruneSnapshots(app, primary, existingOf(primary));
  const ofSecondary = await pruneSnapshots(app, secondary, existingOf(secondary));
  let runsRemoved = 0;
  for (const kind of runKinds) {
    for (const run of await listRuns(app, kind, ALL_RUNS)) {
      if (!isOver(run)) continue;
      const isOld = nowMs - Date.parse(run.createdAt) > (isSync(run) ? KEEP_SYNCS_MS : KEEP_RUNS_MS[kind]);
      if (await tryTo(() => removeOf(app, run, isOld))) runsRemoved += isOld ? 1 : 0;
    }
  }
  await tryTo(async () => {
    await pruneDrills(app, nowMs - KEEP_RUNS_MS.restore);
    await pruneConfirmed(app);
    // Their jobs are over, or may write no longer.
    await (app.exports ?? app.imports)?.files.removeBefore(nowMs - DAY_MS);
    return true;
  });
  await noteRefusal(app, 'removal', refused[0]);
  app.log.info('retention', {
    kept: ofPrimary.kept + ofSecondary.kept,
    deleted: ofPrimary.deleted + ofSecondary.deleted,
    abandoned: ofPrimary.abandoned + ofSecondary.abandoned,
    runsRemoved,
    refused: refused.length,
  });
}

type TryTo = (work: () => Promise<boolean>) => Promise<boolean>;

/** All of the run, or what it staged. */
async function removeOf(app: App, run: Run, isOld: boolean): Promise<boolean> {
  await (isOld ? removeRun(app, run) : removeStaging(app, run));
  return true;
}

interface Existing {
  readonly listed: readonly ListedSnapshot[];
  readonly inUse: ReadonlySet<string>;
  readonly tryTo: TryTo;
}

/** Of each hub the policy keeps as many. */
async function pruneSnapshots(app: App, hub: HubRef, { listed, inUse, tryTo }: Existing) {
  // A snapshot whose manifest cannot be read is evidence, not rubbish: it stays until a person has looked at it.
  const known: KeptSnapshot[] = listed.flatMap(({ id, manifest }) =>
    manifest === undefined ? [] : [{ id, takenAtMs: Date.parse(manifest.readStartedAt), health: manifest.health }],
  );
  const marks = await readMarks(app, hub);
  const pinned = [...marks].flatMap(([id, { isPinned }]) => (isPinned ? [id] : []));
  // Newer ones may not restore: the newest that is known to stays.
  const proven = newestProven(marks);
  const keep = new Set([...inUse, ...pinned, ...(proven === undefined ? [] : [proven.id])]);
  const { retention } = app.policy;
  const old = retention === undefined ? [] : snapshotsToDelete(known, retention, keep, app.world.storageNow());
  const abandoned = await abandonedSnapshots(app, hub, new Set(listed.map(({ id }) => id)), inUse);
  let [deleted, removed] = [0, 0];
  for (const id of old) deleted += (await tryTo(() => removeSnapshot(app, hub, id))) ? 1 : 0;
  for (const id of abandoned) {
    // A backup that took more than a day may have published it since.
    if ((await app.blobs.get(manifestName(hub, id), 'mayBeMissing')) !== undefined) continue;
    removed += (await tryTo(() => removeSnapshot(app, hub, id))) ? 1 : 0;
  }
  return { kept: known.length - deleted, deleted, abandoned: removed };
}

/** `false`, and nothing is removed, when it was pinned, or a run has begun to use it, since the caller looked. */
export async function removeSnapshot(app: App, hub: HubRef, snapshotId: string): Promise<boolean> {
  // The manifest first: without it the snapshot no longer exists, whatever happens next. What dies before it has looked
  // who needs it leaves it aside, and the next retention looks.
  const name = manifestName(hub, snapshotId);
  const aside = manifestAsideName(hub, snapshotId);
  const manifest = (await app.blobs.get(name, 'mayBeMissing')) ?? (await app.blobs.get(aside, 'mayBeMissing'));
  if (manifest !== undefined) await app.blobs.put(aside, manifest.bytes, 'any');
  await app.blobs.remove(name);
  // Who pins it, or starts with it, after this look finds no snapshot.
  const isPinned = async () => (await readMarks(app, hub, snapshotId)).get(snapshotId)?.isPinned === true;
  if (manifest !== undefined && ((await isPinned()) || (await findSnapshotsInUse(app)).has(snapshotId))) {
    await app.blobs.put(name, manifest.bytes, 'new');
    app.log.info('snapshot needed: not removed', { snapshotId });
    return false;
  }
  // Of what has lost a part nothing is put back.
  await app.blobs.remove(aside);
  // The folder last: by it the next retention finds a removal that was cut short.
  await removeMarks(app, hub, snapshotId);
  await removeAll(app, snapshotFolder(hub, snapshotId));
  return true;
}

/**
 * Those that a drill uses, and runs of this pair of hubs or of another one: the snapshots of a hub are for all.
 */
export async function findSnapshotsInUse(app: App): Promise<Set<string>> {
  const inUse = new Set(await snapshotsInRuns(app));
  const own = [app.primary.ref, app.secondary.ref];
  const usesOwn = ({ primary, secondary }: App): boolean =>
    own.some((hub) => isSameHub(hub, primary.ref) || isSameHub(hub, secondary.ref));
  for (const other of (await appsOfOtherPairs(app)).filter(usesOwn)) {
    for (const id of await snapshotsInRuns(other)) inUse.add(id);
  }
  const { newest } = await readNewestDrills(app);
  for (const id of await snapshotsOfDrill(app, newest?.value)) inUse.add(id);
  return inUse;
}

/**
 * Those a running backup makes, and a running restore or verification reads; and those that tell what a restore has
 * written that did not come to its own end: the next one takes that in.
 */
async function snapshotsInRuns(app: App): Promise<Set<string>> {
  const inUse = new Set<string>();
  for (const entry of await app.blobs.list(LOCKS_FOLDER)) {
    const run = (await readLocked(app, entry.name))?.run;
    if (typeof run === 'object' && !isOver(run)) inUse.add(snapshotOf(run));
  }
  for (const id of await findUnfinished(app)) {
    const run = await readHolder(app, 'restore', id);
    if (typeof run === 'object' && run.status !== 'Succeeded') inUse.add(snapshotOf(run));
  }
  return inUse;
}

/** What a drill works with, and what it needs to take back what it, or one before it, left in the scratch hub. */
async function snapshotsOfDrill(app: App, drill: Drill | undefined): Promise<string[]> {
  if (drill === undefined) return [];
  const owed = drill.owes === undefined ? 'missing' : await readHolder(app, 'restore', drill.owes);
  return [
    ...(drill.stage === 'over' ? [] : [drill.snapshotId]),
    ...(typeof owed === 'object' ? [snapshotOf(owed)] : []),
  ];
}

function snapshotOf(run: Run): string {
  if (run.kind === 'backup') return run.id;
  return run.kind === 'restore' ? run.request.snapshotId : run.snapshotId;
}

/** Folders of a day ago or more without a manifest, whose backup is over; and those of which that was set aside. */
async function abandonedSnapshots(
  app: App,
  hub: HubRef,
  existing: ReadonlySet<string>,
  inUse: ReadonlySet<string>,
): Promise<string[]> {
  const ids = (await listSnapshotIds(app, hub)).filter((id) => !existing.has(id));
  const isAbandoned = (id: string): boolean => {
    const startedAt = startOfRunId(id);
    return !inUse.has(id) && startedAt !== undefined && app.world.storageNow() - startedAt > DAY_MS;
  };
  const abandoned: string[] = [];
  for (const id of ids) {
    const isOfOne = isAbandoned(id) || (await app.blobs.get(manifestAsideName(hub, id), 'mayBeMissing')) !== undefined;
    if (isOfOne) abandoned.push(id);
  }
  return abandoned;
}
