import { isOver, type RestoreRun } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { endRun } from '../runs/end.ts';
import { readRun, runNotFound } from '../runs/store.ts';
import { readSums, toResult } from './outcomes/totals.ts';

/** Stops a restore; what it wrote stays, and a new restore goes on from there. One that is over stays as it is. */
export async function cancelRestore(app: App, runId: string): Promise<RestoreRun> {
  const run = (await readRun(app, 'restore', runId))?.run;
  if (run?.kind !== 'restore') throw runNotFound('restore', runId);
  if (isOver(run)) return run;
  const result = toResult(await readSums(app, run), run);
  const ended = await endRun(app, run, 'Canceled', (current) =>
    current.kind === 'restore' ? { ...current, result } : current,
  );
  return ended.kind === 'restore' ? ended : run;
}
