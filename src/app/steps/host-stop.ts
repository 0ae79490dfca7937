import { laneOfStep } from '../../core/run/lane.ts';
import { formatStep } from '../../core/run/step.ts';
import type { App } from '../app.ts';
import { giveUpLeases } from '../runs/lease.ts';

/** Steps continue for so long: until the next host is up, nothing else does their work. */
const WORK_ON_MS = 1500;
/** Of the 5 s that the host gives: by then a step has ended, or it is enqueued for another host. */
const STEPS_END_WITHIN_MS = 3500;
const LOOK_EVERY_MS = 100;

/**
 * Ends this process's steps because its host stops: each saves, enqueues itself again and ends. What does not in time
 * is enqueued here: it will be cut, and its own message stays hidden for as long as the host has taken it.
 */
export async function stopSteps(app: App): Promise<void> {
  const { memory, world, queue, log } = app;
  const { stepsInHand } = memory;
  const calledAt = world.now();
  log.info('stopping', { steps: stepsInHand.size });
  while (stepsInHand.size > 0 && world.now() < calledAt + STEPS_END_WITHIN_MS) {
    memory.isStopping = world.now() >= calledAt + WORK_ON_MS;
    await world.sleep(LOOK_EVERY_MS);
  }
  const cut = [...stepsInHand.keys()].filter((step) => !memory.enqueued.has(step));
  stepsInHand.clear();
  if (cut.length > 0) {
    await giveUpLeases(app);
    log.warn('steps are cut and enqueued again', { steps: cut.length });
    await Promise.all(cut.map((step) => queue.send(laneOfStep(step), [formatStep(step)])));
  }
  // For the host to hear that the last steps have ended, so that it removes their messages.
  await world.sleep(LOOK_EVERY_MS);
}
