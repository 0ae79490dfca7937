import { DrError } from '../core/errors.ts';
import type { App } from './app.ts';
import { advanceDrills } from './drill/advance.ts';
import { reviewReadiness } from './readiness/review.ts';

/**
 * What the end of a run sets off. Best effort, for the run is over: what fails here the watchdog does a minute later.
 */
export async function afterRun(app: App, runId: string): Promise<void> {
  try {
    // A drill waits for its own runs, and for others that were in its way.
    await advanceDrills(app);
    await reviewReadiness(app);
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    app.log.warn('review deferred', { runId, code: error.code, reason: error.message });
  }
}
