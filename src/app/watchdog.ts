import type { App } from './app.ts';
import { advanceDrills } from './drill/advance.ts';
import { reviewReadiness } from './readiness/review.ts';
import { watchRuns } from './watch-runs.ts';

/** Each minute: no run stays stuck, the drill advances, and alerts are sent when things are not as they should be. */
export async function watch(app: App): Promise<void> {
  const failures: unknown[] = [];
  const review = (): Promise<void> => reviewReadiness(app, { isWatchdog: true });
  for (const duty of [watchRuns, advanceDrills, review]) {
    // One that fails keeps nothing from the next.
    await duty(app).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}
