import { DrError } from '../../core/errors.ts';
import { LOCKS_FOLDER } from '../../core/paths.ts';
import { describePhase, isOver, type Run } from '../../core/run/run.ts';
import { type App, orLog } from '../app.ts';
import { readLocked } from '../runs/lock.ts';
import { readRun } from '../runs/store.ts';
import { MAX_KICKS, watchRun } from '../runs/watch.ts';
import { failRun } from './fail-run.ts';

/** Steps it has done of a run make a process watch it, too, until it is over: no timer is needed when another dies. */
export function watchInBackground(app: App, { id, kind }: Run): void {
  const { memory, world, backgroundLog: log } = app;
  memory.watched.set(id, kind);
  memory.stopWatching ??= world.repeat(WATCH_EVERY_MS, () => watchAll({ ...app, log }));
}

/** A process that starts watches what was active before: it may be the only one, and a dead one's timers rest for long. */
export async function watchActiveRuns(app: App): Promise<void> {
  for (const { name } of await app.blobs.list(LOCKS_FOLDER)) {
    const run = (await readLocked(app, name))?.run;
    if (typeof run === 'object' && !isOver(run)) watchInBackground(app, run);
  }
}

const WATCH_EVERY_MS = 10_000;

async function watchAll(app: App): Promise<void> {
  const { memory } = app;
  for (const [runId, kind] of memory.watched) {
    await orLog(app, 'look at a run failed', { runId }, async () => {
      const run = await readRun(app, kind, runId);
      if (run === undefined || isOver(run)) memory.watched.delete(runId);
      else await keepMoving(app, run);
    });
  }
  if (memory.watched.size > 0) return;
  memory.stopWatching?.();
  memory.stopWatching = undefined;
}

/** Enqueues the run's lost steps again, and ends it when nothing comes of that. */
export async function keepMoving(app: App, run: Run): Promise<void> {
  if ((await watchRun(app, run)) === 'moves') return;
  const message = `Nothing has moved in phase ${describePhase(run.phase)} although its lost steps were enqueued again ${MAX_KICKS} times. Look into the log for the steps' errors, then start a new run: it continues from what is in place.`;
  await failRun(app, run, new DrError('RunStuck', message));
}
