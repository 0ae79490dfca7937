import { DrError } from '../core/errors.ts';
import { kindOfLock, LOCKS_FOLDER } from '../core/paths.ts';
import { describePhase, isOver, type Run } from '../core/run/run.ts';
import type { App } from './app.ts';
import { advanceDrills } from './drill/advance.ts';
import { reviewReadiness } from './readiness/review.ts';
import { failRun } from './run-step.ts';
import { dispatch } from './runs/dispatch.ts';
import { readLock } from './runs/lock.ts';
import { changeRun, lastHeartbeatAt, readHolder } from './runs/store.ts';
import { writersUntil } from './runs/writers.ts';

/** Each minute: no run stays stuck, the drill advances, and alerts are sent when things are not as they should be. */
export async function watch(app: App): Promise<void> {
  const failures: unknown[] = [];
  const review = (): Promise<void> => reviewReadiness(app, { isWatchdog: true });
  for (const duty of [watchRuns, advanceDrills, review]) {
    // One that fails keeps nothing from the next.
    await duty(app).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}

/** A run is quiet when no step wrote for this long: a message was lost, poisoned, or its host died. */
const QUIET_AFTER_MS = 90_000;
/** Enqueued again this often without a sign of life in between, a run has no future. */
const MAX_KICKS = 10;

/**
 * Looks at every active run: enqueues what a quiet one still has to do, ends one that stays quiet, frees dead locks.
 */
export async function watchRuns(app: App): Promise<void> {
  for (const entry of await app.blobs.list(LOCKS_FOLDER)) {
    const kind = kindOfLock(entry.name);
    const lock = await readLock(app, entry.name);
    if (lock === undefined) continue;
    const run = lock.runId === '' ? 'missing' : await readHolder(app, kind, lock.runId);
    if (run === 'unreadable') continue; // The next run takes its place; the others are watched meanwhile.
    if (run !== 'missing' && !isOver(run)) await watchRun(app, run);
    else if (app.world.now() - entry.modifiedAt.getTime() > QUIET_AFTER_MS) {
      if (run !== 'missing' && (await writersUntil(app, run)) > app.world.now()) continue;
      app.log.warn('lock of a run that is over was left behind', { runId: lock.runId });
      await app.blobs.remove(entry.name, lock.etag);
    }
  }
}

async function watchRun(app: App, run: Run): Promise<void> {
  const { kind, id: runId } = run;
  const quietMs = app.world.now() - (await lastHeartbeatAt(app, run));
  if (quietMs < QUIET_AFTER_MS) {
    if (run.kicks > 0) await changeRun(app, kind, runId, (current) => ({ ...current, kicks: 0 }));
    return;
  }
  if (run.kicks >= MAX_KICKS) {
    const message = `Nothing has moved in phase ${describePhase(run.phase)} although its steps were enqueued ${MAX_KICKS} times. Look into the log for the steps' errors, then start a new run: it continues from what is in place.`;
    await failRun(app, run, new DrError('RunStuck', message));
    return;
  }
  const quietSeconds = Math.round(quietMs / 1000);
  app.log.warn('quiet run is enqueued again', { runId, phase: describePhase(run.phase), quietSeconds });
  await changeRun(app, kind, runId, (current) => ({ ...current, kicks: current.kicks + 1 }));
  await dispatch(app, run);
}
