import { app } from '@azure/functions';
import { watchRuns } from '../src/app/watch-runs.ts';
import { appFor, bindings } from '../src/compose.ts';

/** Sees to it that no run stays stuck. */
app.timer('watchdog', {
  schedule: bindings.watchdogSchedule,
  handler: async (_timer, context) => {
    await watchRuns(appFor(context));
  },
});
