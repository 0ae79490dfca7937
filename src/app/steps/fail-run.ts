import type { DrError } from '../../core/errors.ts';
import type { Run } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { sumRestore } from '../restore/outcomes/totals.ts';
import { endRun, failureOf } from '../runs/end.ts';
import { sumVerification } from '../snapshots/verify.ts';

/** Ends a run with an error; a restore or verification keeps its counts, so that its status still adds up. */
export async function failRun(app: App, run: Run, error: DrError): Promise<Run> {
  const ended = { error: failureOf(error) };
  switch (run.kind) {
    case 'backup':
      return endRun(app, run, 'Failed', ended);
    case 'restore':
      return endRun(app, run, 'Failed', { ...ended, result: await sumRestore(app, run) });
    case 'verification':
      return endRun(app, run, 'Failed', { ...ended, result: await sumVerification(app, run) });
    default:
      return run satisfies never;
  }
}
