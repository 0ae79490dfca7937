import { app } from '@azure/functions';
import { watch } from '../src/app/watchdog.ts';
import { appFor, bindings } from '../src/compose.ts';

/** Keeps runs from staying stuck, and sends alerts when things are not as they should be. */
app.timer('watchdog', {
  schedule: bindings.watchdogSchedule,
  handler: async (_timer, context) => {
    await watch(appFor(context));
  },
});
