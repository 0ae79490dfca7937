import type { DrError } from '../../core/errors.ts';
import type { RunKind } from '../../core/paths.ts';
import { isOver, type OfKind, type Run, type RunOf } from '../../core/run/run.ts';
import { type App, toInstant } from '../app.ts';
import { orLeave } from '../stored/refusals.ts';
import { releaseLock } from './lock.ts';
import { changeRun, removeStaging } from './store.ts';
import { writersLeftMs } from './writers.ts';

/**
 * Ends a run once and for all, frees its hub and removes what it staged. May run twice: the first end counts. One that may
 * not end as it is now is left alone.
 */
export async function endRun<Kind extends RunKind>(
  app: App,
  run: OfKind<Kind>,
  status: 'Succeeded' | 'Failed' | 'Canceled',
  end: Partial<Pick<RunOf<Kind>, 'result' | 'error'>>,
  mayEnd: (current: RunOf<Kind>) => boolean = () => true,
): Promise<RunOf<Kind>> {
  const finishedAt = toInstant(app.world.storageNow());
  const ended = await changeRun(app, run.kind, run.id, (current) =>
    isOver(current) || !mayEnd(current) ? undefined : { ...current, ...end, status, finishedAt },
  );
  if (!isOver(ended)) return ended;
  await freeHub(app, ended);
  // Steps still in flight may stage a little more; retention removes that.
  await orLeave(app, () => removeStaging(app, ended));
  app.log.info('run ended', {
    runId: ended.id,
    kind: ended.kind,
    status: ended.status,
    code: ended.error?.code,
    records: recordCountOf(ended),
    seconds: Math.round((Date.parse(ended.finishedAt ?? finishedAt) - Date.parse(ended.createdAt)) / 100) / 10,
  });
  return ended;
}

/** Unless steps of the run may still write: then the hub is freed by the last of them, or by the next run that asks for it. */
export async function freeHub(app: App, run: Run): Promise<void> {
  if ((await writersLeftMs(app, run)) === 0) await releaseLock(app, run);
}

function recordCountOf(run: Run): number | undefined {
  return run.kind === 'backup' ? run.result?.recordCount : run.result?.counts.total;
}

export function failureOf(error: DrError): NonNullable<Run['error']> {
  return { code: error.code, message: error.message, target: error.target };
}
