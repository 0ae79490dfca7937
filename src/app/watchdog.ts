import { LOCKS_FOLDER } from '../core/paths.ts';
import type { BlobEntry } from '../core/ports.ts';
import { isOver } from '../core/run/run.ts';
import type { App } from './app.ts';
import { advanceDrills } from './drill/advance.ts';
import { enqueueRepairs } from './dual/lane.ts';
import { reviewReadiness } from './readiness/review.ts';
import { watchImports } from './restore/imports/late.ts';
import { readLocked } from './runs/lock.ts';
import { writersLeftMs } from './runs/writers.ts';
import { advanceSync } from './standby-sync.ts';
import { keepMoving, watchInBackground } from './steps/keep-moving.ts';
import { orLeave } from './stored/refusals.ts';

/** Each minute: no run stays stuck, the drill and the sync advance, and alerts are sent when things are not as they should be. */
export async function watch(app: App): Promise<void> {
  const failures: unknown[] = [];
  const review = (): Promise<void> => reviewReadiness(app, { isWatchdog: true });
  const imports = app.imports === undefined ? [] : [watchImports];
  for (const duty of [watchRuns, enqueueRepairs, ...imports, advanceDrills, advanceSync, review]) {
    // One that fails keeps nothing from the next.
    await duty(app).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}

/** The lock of a run that is over, or was never stored, is left alone for this long. */
const LEFT_BEHIND_AFTER_MS = 90_000;

/**
 * Looks at every active run: enqueues its lost steps again, ends one that moves no more, frees dead locks. What fails for
 * one run is thrown after the others were looked at.
 */
export async function watchRuns(app: App): Promise<void> {
  const failures: unknown[] = [];
  for (const entry of await app.blobs.list(LOCKS_FOLDER)) {
    await watchLock(app, entry).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}

async function watchLock(app: App, { name, ageMs }: BlobEntry): Promise<void> {
  const locked = await readLocked(app, name);
  if (locked === undefined) return;
  const { lock, run } = locked;
  if (run === 'unreadable') return; // The next run takes its place.
  if (run !== 'missing' && !isOver(run)) {
    watchInBackground(app, run);
    await keepMoving(app, run);
  } else if (ageMs > LEFT_BEHIND_AFTER_MS) {
    if (run !== 'missing' && (await writersLeftMs(app, run)) > 0) return;
    app.log.warn('lock of a run that is over was left behind', { runId: lock.runId });
    await orLeave(app, () => app.blobs.remove(name, lock.etag));
  }
}
