import { isOver, type VerificationRun } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { endRun } from '../runs/end.ts';
import { findRun } from '../runs/store.ts';
import { sumVerification } from './verify.ts';

/** Stops a verification, which proves nothing then; what it read is counted. One that is over stays as it is. */
export async function cancelVerification(app: App, runId: string): Promise<VerificationRun> {
  const run = await findRun(app, 'verification', runId);
  return isOver(run) ? run : endRun(app, run, 'Canceled', { result: await sumVerification(app, run) });
}
