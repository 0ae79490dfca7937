import { app } from '@azure/functions';
import { stopSteps } from '../src/app/steps/host-stop.ts';
import { openedApp } from '../src/compose.ts';
import { flushTelemetry } from '../src/telemetry/start.ts';

/** The host stops. It waits up to 5 s for this, and ends the process as soon as this has ended. */
app.hook.appTerminate(async () => {
  const opened = openedApp(console);
  if (opened !== undefined) await stopSteps(opened);
  await flushTelemetry();
});
