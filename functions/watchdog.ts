import { app } from '@azure/functions';
import { readStatus } from '../src/app/readiness/status.ts';
import { watch } from '../src/app/watchdog.ts';
import { appFor, bindings } from '../src/compose.ts';
import { recordReadiness } from '../src/telemetry/record.ts';
import { hasTelemetry } from '../src/telemetry/start.ts';

/** Keeps runs from staying stuck, and sends alerts when things are not as they should be. */
app.timer('watchdog', {
  schedule: bindings.watchdogSchedule,
  handler: async (_timer, context) => {
    const opened = appFor(context);
    await watch(opened);
    if (hasTelemetry()) recordReadiness(await readStatus(opened));
  },
});
