import { DrError } from '../../core/errors.ts';
import { type BackupRun, isOver } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { endRun } from '../runs/end.ts';
import { findRun } from '../runs/store.ts';

/**
 * Stops a backup; nothing of it becomes a snapshot. One that is over stays as it is. Throws `RunNotOver` once it publishes:
 * that takes seconds, and half a snapshot is none.
 */
export async function cancelBackup(app: App, runId: string): Promise<BackupRun> {
  const run = await findRun(app, 'backup', runId);
  if (isOver(run)) return run;
  const ended = await endRun(app, run, 'Canceled', {}, ({ phase }) => phase.name !== 'publish');
  if (isOver(ended)) return ended;
  const message = `The backup '${runId}' is publishing its snapshot, which takes seconds. Wait until it is over.`;
  throw new DrError('RunNotOver', message, { target: runId });
}
