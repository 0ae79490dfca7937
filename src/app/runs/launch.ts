import type { Run } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { dispatch } from './dispatch.ts';
import { createRun, takeLock } from './store.ts';

/**
 * Makes the run the one active of its kind on its hub, stores it and enqueues its first step. False, and no step, when
 * its id is taken. Throws `RunInProgress` while another one lives.
 */
export async function launchRun(app: App, run: Run): Promise<boolean> {
  await takeLock(app, run.kind, run.hub, run.id);
  if (!(await createRun(app, run))) return false;
  await dispatch(app, run);
  return true;
}
