import { isOver, type RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { endRun } from '../../runs/end.ts';
import { findRun } from '../../runs/store.ts';
import { sumRestore } from './totals.ts';

/** Stops a restore; what it wrote stays, and a new restore builds on it. One that is over stays as it is. */
export async function cancelRestore(app: App, runId: string): Promise<RestoreRun> {
  const run = await findRun(app, 'restore', runId);
  if (isOver(run)) return run;
  return endRun(app, run, 'Canceled', { result: await sumRestore(app, run) });
}
