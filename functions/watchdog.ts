import { app } from '@azure/functions';
import { watch } from '../src/app/watchdog.ts';
import { appFor, bindings } from '../src/compose.ts';

/** Sees to it that no run stays stuck, and that somebody is told when things are not as they should be. */
app.timer('watchdog', {
  schedule: bindings.watchdogSchedule,
  handler: async (_timer, context) => {
    await watch(appFor(context));
  },
});
