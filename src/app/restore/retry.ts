import { countToRetry } from '../../core/restore/next-actions.ts';
import type { RestoreRun } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { launchAgain, openTarget, readEnded, refusal } from './again.ts';
import { readTotals } from './outcomes/totals.ts';
import { preflight } from './preflight.ts';

/**
 * Restores again what failed, what the restore did not come to, and what it wrote and never looked at again. Throws
 * `RunNotOver` while it runs, `NothingToRetry` when every record it is about is in place.
 */
export async function startRetry(app: App, runId: string): Promise<RestoreRun> {
  const restore = await readEnded(app, runId);
  const { purpose, of, dryRun, target } = restore.request;
  if (purpose === 'rollback') {
    throw refusal('NothingToRetry', restore, `is a rollback. Roll back ${of} again: what is gone stays so`);
  }
  if (dryRun) throw refusal('NothingToRetry', restore, 'was a dry run. Start a restore');
  const { counts } = await readTotals(app, restore);
  if (countToRetry(restore, counts) === 0) throw refusal('NothingToRetry', restore, 'left no record out');
  const { manifest, hub } = await openTarget(app, restore);
  const warnings = await preflight(app, { hub, name: target }, manifest, { isWhole: false });
  return launchAgain(app, restore, manifest, { purpose: 'retry', warnings });
}
