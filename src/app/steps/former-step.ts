import { delaySecondsOf, formatStep, type Step } from '../../core/run/step.ts';
import type { App } from '../app.ts';
import { readRun } from '../runs/store.ts';
import { runStep } from './run-step.ts';

/** With waits of up to a minute this is about an hour; the watchdog of the run's own app enqueues what it misses then. */
const MAX_RETURNS = 60;

/**
 * Does a step from the queue of earlier versions, which apps of other pairs of hubs may share. A message whose run is
 * not this app's goes back for the other one, in a form that every version reads.
 */
export async function runFormerStep(app: App, step: Step): Promise<void> {
  if ((await readRun(app, step.kind, step.runId)) !== undefined) {
    await runStep(app, step);
    return;
  }
  const fields = { runId: step.runId, phase: step.phase, attempt: step.attempt };
  if (step.attempt >= MAX_RETURNS) {
    app.log.warn('step of a run that no app knows was dropped', fields);
    return;
  }
  const waitSeconds = delaySecondsOf(step.attempt);
  app.log.info('step of another run returned', { ...fields, waitSeconds });
  await app.queue.send('former', [formatStep({ ...step, attempt: step.attempt + 1 })], waitSeconds);
}
