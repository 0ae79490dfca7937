import { app } from '@azure/functions';
import { watchActiveRuns } from '../src/app/steps/keep-moving.ts';
import { appFor } from '../src/compose.ts';
import { startTelemetry } from '../src/telemetry/start.ts';

/** The host starts, and must not wait for storage, nor fail by wrong settings, which each call names. */
app.hook.appStart(() => {
  startTelemetry(process.env).catch((error: unknown) => console.warn(`telemetry not started: ${error}`));
  takeUpRuns().catch((error: unknown) => console.warn(`look at active runs failed: ${error}`));
});

async function takeUpRuns(): Promise<void> {
  await watchActiveRuns(appFor(console));
}
