import type { Drill } from '../../core/readiness/drill.ts';
import { isOver } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { cancelRestore } from '../restore/outcomes/cancel.ts';
import { readRun } from '../runs/store.ts';
import { cancelVerification } from '../snapshots/cancel-verification.ts';
import { end, enter } from './stages.ts';

/** A cancelled drill one move on: the run it waits for is stopped, and what it restored is still to be removed. */
export async function windDown(app: App, drill: Drill): Promise<Drill> {
  const { stage, sweepId, restoreId, verificationId, owes } = drill;
  if (verificationId !== undefined && (await readRun(app, 'verification', verificationId)) !== undefined) {
    await cancelVerification(app, verificationId);
  }
  const restore = stage === 'sweeping' ? sweepId : restoreId;
  const run = restore === undefined ? undefined : await readRun(app, 'restore', restore);
  if (run !== undefined && !isOver(run)) await cancelRestore(app, run.id);
  if (stage === 'restoring' && run !== undefined) return enter(app, drill, 'emptying');
  const left =
    owes === undefined ? '' : ` The scratch hub may still hold what ${owes} restored; the next drill removes it.`;
  return end(app, drill, `${drill.failure}${left}`);
}
