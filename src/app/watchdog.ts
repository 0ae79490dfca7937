import type { App } from './app.ts';
import { reviewReadiness } from './review-readiness.ts';
import { watchRuns } from './watch-runs.ts';

/** Each minute: no run stays stuck, and somebody is told when things are not as they should be. */
export async function watch(app: App): Promise<void> {
  try {
    await watchRuns(app);
  } finally {
    await reviewReadiness(app);
  }
}
