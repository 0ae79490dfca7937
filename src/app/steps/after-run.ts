import { type App, orWarn } from '../app.ts';
import { advanceDrills } from '../drill/advance.ts';
import { reviewReadiness } from '../readiness/review.ts';
import { advanceSync } from '../standby-sync.ts';

/**
 * What the end of a run sets off. Best effort, for the run is over: what fails here the watchdog does a minute later.
 */
export async function afterRun(app: App, runId: string): Promise<void> {
  await orWarn(app, 'review deferred', { runId }, async () => {
    // A drill waits for its own runs, and for others that were in its way.
    await advanceDrills(app);
    await advanceSync(app);
    await reviewReadiness(app);
  });
}
