import { DrError } from '../../core/errors.ts';
import { kindOfLock, type LockKind, lockName, type RunKind } from '../../core/paths.ts';
import type { HubRef } from '../../core/ports.ts';
import { isOver, type Run } from '../../core/run/run.ts';
import { hasMadeWay } from '../../core/run/sync.ts';
import { type App, toInstant } from '../app.ts';
import { documents } from '../stored/documents.ts';
import { orLeave } from '../stored/refusals.ts';
import { silenceOf } from './living-steps.ts';
import { appsOfOtherPairs, describePair } from './other-pairs.ts';
import { changeRun, readHolder } from './store.ts';
import { refuseWhileWriting } from './writers.ts';

/** A holder that gives no sign of life for this long is dead: the next run takes its place. */
const TAKEOVER_AFTER_MS = 15 * 60_000;
/** Between taking a lock and writing the run lie two storage calls. */
export const BIRTH_MS = 60_000;

/**
 * Makes it the one active run of its kind on its hub. Throws `RunInProgress` while another one lives, and
 * `RunNotOver` while steps of one that is over may still write; one that is over or dead is taken over. A hub may be the
 * target of several pairs: a restore holds the lock of its own pair first and then looks at the others, so that of two
 * that start at once at least one sees the other.
 */
export async function takeLock(app: App, run: Run): Promise<void> {
  const wasOurs = await takeOwn(app, run);
  if (lockKindOf(run) !== 'restore') return;
  try {
    for (const dead of await refuseIfHeldByOthers(app, run.kind, run.hub)) await endTakenOver(dead.app, dead.run);
  } catch (error) {
    if (!wasOurs) await releaseLock(app, run);
    throw error;
  }
}

function lockKindOf(run: Run): LockKind {
  return run.kind === 'restore' && run.request.dryRun ? 'dry-run' : run.kind;
}

/** In the pair's own folder. Whether the run had the lock before. */
async function takeOwn(app: App, run: Run): Promise<boolean> {
  const name = lockName(lockKindOf(run), run.hub);
  const lock = { runId: run.id, takenAt: toInstant(app.world.storageNow()) };
  for (let tries = 1; ; tries += 1) {
    if (await putLock(app, name, lock, tries < LOCK_TRIES)) return false;
    const holder = await readLock(app, name);
    if (holder === undefined) continue;
    if (holder.runId === run.id) return true;
    const dead = await refuseLivingHolder(app, run.kind, holder);
    if (dead !== undefined) await endTakenOver(app, dead);
    if ((await documents.lock.write(app, name, lock, { etag: holder.etag })) !== 'conflict') return false;
  }
}

/**
 * Throws what taking the lock for `runId` would throw, and takes nothing: for a caller with checks to make before, which
 * a run in progress may make fail for another reason.
 */
export async function refuseIfHeld(app: App, kind: RunKind, hub: HubRef, runId?: string): Promise<void> {
  const holder = await readLock(app, lockName(kind, hub));
  if (holder !== undefined && holder.runId !== runId) await refuseLivingHolder(app, kind, holder);
  if (kind === 'restore') await refuseIfHeldByOthers(app, kind, hub);
}

/** By apps of other pairs. Gives the holders that are dead, each with its app. */
async function refuseIfHeldByOthers(app: App, kind: RunKind, hub: HubRef) {
  const dead: { readonly app: App; readonly run: Run }[] = [];
  for (const other of await appsOfOtherPairs(app)) {
    const holder = await readLock(other, lockName(kind, hub));
    const run = holder && (await refuseLivingHolder(other, kind, holder, 'elsewhere'));
    if (run !== undefined) dead.push({ app: other, run });
  }
  return dead;
}

/** A put whose outcome stays unclear so often has another cause than a run that ends just now. */
const LOCK_TRIES = 3;

/**
 * Whether the lock surely is ours. The lock of a run that ends just now is there when the put is refused and gone when
 * it is looked at, so that the put's outcome is not known: with `mayBeUnclear` that is no error, and the caller looks
 * itself.
 */
async function putLock(app: App, name: string, lock: Lock, mayBeUnclear: boolean): Promise<boolean> {
  try {
    return (await documents.lock.write(app, name, lock, 'new')) !== 'conflict';
  } catch (error) {
    if (mayBeUnclear && error instanceof DrError && error.retryable) return false;
    throw error;
  }
}

/** The holder that is dead but not yet over, if that is what it is. */
async function refuseLivingHolder(
  app: App,
  kind: RunKind,
  holder: HeldLock,
  where: 'here' | 'elsewhere' = 'here',
): Promise<Run | undefined> {
  const run = await readHolder(app, kind, holder.runId);
  const message =
    where === 'here'
      ? `The ${kind} '${holder.runId}' is still running on this hub. Watch it: notification-hubs-dr watch ${holder.runId}; or stop it: notification-hubs-dr cancel ${holder.runId}`
      : `The ${kind} '${holder.runId}' is still running on this hub. It is a run of ${describePair(app)}: wait until it is over, or cancel it there.`;
  const inProgress = new DrError('RunInProgress', message, { target: holder.runId });
  if (run === 'missing' || run === 'unreadable') {
    if (holder.ageMs < (run === 'missing' ? BIRTH_MS : TAKEOVER_AFTER_MS)) throw inProgress;
    return undefined;
  }
  if (isOver(run)) {
    if (!hasMadeWay(run, app.world.storageNow())) await refuseWhileWriting(app, run);
    return undefined;
  }
  if ((await silenceOf(app, run)) < TAKEOVER_AFTER_MS) throw inProgress;
  return run;
}

export async function endTakenOver(app: App, { kind, id }: Run): Promise<void> {
  const why = 'It gave no sign of life for 15 minutes and a new run took its place.';
  const finishedAt = toInstant(app.world.storageNow());
  await changeRun(app, kind, id, (current) =>
    isOver(current)
      ? undefined
      : { ...current, status: 'Failed', finishedAt, error: { code: 'RunTakenOver', message: why } },
  );
}

/** By the clock of the storage. */
type HeldLock = Lock & { readonly etag: string; readonly ageMs: number };
type Lock = Awaited<ReturnType<typeof documents.lock.read>>;

/** The run that holds the hub, if any. A damaged lock names no run, and any run may take it. */
async function readLock(app: App, name: string): Promise<HeldLock | undefined> {
  const { value, etag, ageMs = 0 } = await documents.lock.tryFind(app, name);
  return etag === undefined ? undefined : { ...(value ?? { runId: '', takenAt: toInstant(0) }), etag, ageMs };
}

/** A lock, and the run it names. A damaged lock, or one whose run was never stored, has a `missing` one. */
export async function readLocked(app: App, name: string) {
  const lock = await readLock(app, name);
  if (lock === undefined) return undefined;
  const run = lock.runId === '' ? 'missing' : await readHolder(app, kindOfLock(name), lock.runId);
  return { lock, run };
}

export async function releaseLock(app: App, run: Run): Promise<void> {
  const name = lockName(lockKindOf(run), run.hub);
  const lock = await readLock(app, name);
  if (lock?.runId === run.id) await orLeave(app, () => app.blobs.remove(name, lock.etag));
}
