import { laneOfStep } from '../../core/run/lane.ts';
import { formatStep } from '../../core/run/step.ts';
import type { App } from '../app.ts';

/** Of the 5 s that the host gives: by then a step has ended, or it is enqueued for another host. */
const STEPS_END_WITHIN_MS = 3000;
const LOOK_EVERY_MS = 100;

/**
 * Ends this process's steps because its host stops: each saves, enqueues itself again and ends. What does not in time
 * is enqueued here: it will be cut, and its own message stays hidden for as long as the host has taken it.
 */
export async function stopSteps(app: App): Promise<void> {
  const { memory, world, queue, log } = app;
  const { stepsInHand } = memory;
  memory.isStopping = true;
  log.info('stopping', { steps: stepsInHand.size });
  const endAt = world.now() + STEPS_END_WITHIN_MS;
  while (stepsInHand.size > 0 && world.now() < endAt) await world.sleep(LOOK_EVERY_MS);
  const cut = [...stepsInHand];
  stepsInHand.clear();
  if (cut.length > 0) {
    log.warn('steps are cut and enqueued again', { steps: cut.length });
    await Promise.all(cut.map((step) => queue.send(laneOfStep(step), [formatStep(step)])));
  }
  // For the host to hear that the last steps have ended, so that it removes their messages.
  await world.sleep(LOOK_EVERY_MS);
}
