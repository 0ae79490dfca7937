import type { DualEngine } from './engine.ts';
import type { Violation } from './oracle.ts';
import { DualStage, START_AT } from './stage.ts';
import { Story } from './story.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** Healed, all is to come to an end within this. */
const HEALED_MS = 3 * HOUR_MS;
/** What is late has landed, and nothing more comes. */
const REST_MS = 6 * MINUTE_MS;
const MAX_EVENTS = 200_000;

export interface DualOutcome {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly kinds: ReadonlySet<string>;
  readonly sometimes: ReadonlyMap<string, number>;
  readonly eventCount: number;
  readonly milliseconds: number;
  readonly trace: readonly string[];
}

/** One seed: backends write through failures, all heals, the app repairs, and both hubs are judged. */
export async function simulateDual(
  engine: DualEngine,
  seed: number,
  { isTraced = false, until }: { readonly isTraced?: boolean; readonly until?: string } = {},
): Promise<DualOutcome> {
  const stage = new DualStage(engine, seed, isTraced, until);
  const { scheduler, oracle } = stage;
  let isOver = false;
  const telling = new Story(stage).tell().then(() => {
    isOver = true;
  });
  await scheduler.run(() => isOver || stage.isSettled || scheduler.count > MAX_EVENTS);
  if (isOver) await telling;
  else if (!stage.isSettled) oracle.violate('tooManyEvents', `${scheduler.count}`);
  if (isOver) await heal(stage);
  if (isOver && !stage.isSettled) {
    const stores = stage.sides.map(({ store }) => store);
    oracle.end(stores, stage.waiting, stage.queue.waitingCount);
  }
  return {
    seed,
    violations: oracle.violations,
    kinds: oracle.kinds,
    sometimes: stage.sometimes,
    eventCount: scheduler.count,
    milliseconds: scheduler.now - START_AT,
    trace: stage.lines,
  };
}

/** No faults any more, and no one writes: the app, and what lives of the backends, bring all to its end. */
async function heal(stage: DualStage): Promise<void> {
  const { scheduler, drawn } = stage;
  stage.healedAt = scheduler.now;
  stage.trace(() => 'HEALED');
  for (const { door } of stage.sides) door.comeBack();
  if (drawn.backendsLeave) for (const backend of stage.backends) backend.leave();
  const until = scheduler.now + HEALED_MS;
  let quietSince = scheduler.now;
  await scheduler.run(() => {
    if (stage.isSettled) return true;
    if (stage.isBusy) quietSince = scheduler.now;
    return scheduler.now - quietSince > REST_MS || scheduler.now > until || scheduler.count > 2 * MAX_EVENTS;
  });
}
