import { MINUTE_MS, startClocks } from './clocks.ts';
import type { Engine } from './engine.ts';
import { startKeepers } from './keeping/keepers.ts';
import { Operator } from './operator.ts';
import type { Violation } from './oracle/facts.ts';
import { START_AT, Stage } from './stage.ts';

/** What runs have to end in once nothing goes wrong any more. */
const HEALED_MS = 3 * 60 * MINUTE_MS;
/** The oracle looks at an end once more after five minutes. */
const REST_MS = 6 * MINUTE_MS;
const MAX_EVENTS = 500_000;

export interface Outcome {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** The first and the second look at an end find the same kind. */
  readonly kinds: ReadonlySet<string>;
  readonly sometimes: ReadonlyMap<string, number>;
  readonly eventCount: number;
  /** Of virtual time. */
  readonly milliseconds: number;
  /** Empty unless it was asked for. */
  readonly trace: readonly string[];
}

interface Options {
  readonly isTraced?: boolean;
  /** Ends at the first violation of this kind: nothing else is wanted. */
  readonly until?: string;
}

/** Runs one seed from its beginning to its end. */
export async function simulate(
  engine: Engine,
  seed: number,
  { isTraced = false, until }: Options = {},
): Promise<Outcome> {
  const stage = new Stage(engine, seed, isTraced, until);
  const operator = new Operator(stage);
  startClocks(stage);
  if (stage.keeping !== undefined) startKeepers(stage, stage.keeping);
  await play(stage, operator.work(), MAX_EVENTS);
  if (stage.night.onlyCoreHeals) stage.leaveOnlyTheCore();
  await heal(stage);
  await play(stage, operator.askAtTheEnd(), 2 * MAX_EVENTS);
  // What a drill cleans up may have waited for its hub until now.
  if (stage.hasActiveRun) await heal(stage);
  if (!stage.isSettled) stage.oracle.end();
  return {
    seed,
    violations: stage.oracle.violations,
    kinds: stage.oracle.kinds,
    sometimes: stage.sometimes,
    eventCount: stage.scheduler.count,
    milliseconds: stage.scheduler.now - START_AT,
    trace: stage.lines,
  };
}

async function play(stage: Stage, work: Promise<void>, maxEvents: number): Promise<void> {
  let isDone = false;
  const end = work.then(() => {
    isDone = true;
  });
  await stage.scheduler.run(() => isDone || stage.isSettled || stage.scheduler.count > maxEvents);
  if (stage.isSettled) return;
  if (isDone) await end;
  else stage.oracle.violate('tooManyEvents', `${stage.scheduler.count}`);
}

/** Faults end, devices fall silent, and everything has to come to an end. */
async function heal(stage: Stage): Promise<void> {
  const { scheduler, hubs, queue } = stage;
  stage.isHealed = true;
  stage.trace(() => 'HEALED');
  const until = scheduler.now + HEALED_MS;
  let quietSince = scheduler.now;
  await scheduler.run(() => {
    if (stage.isSettled) return true;
    const isBusy = stage.hasActiveRun || queue.waitingCount > 0 || hubs.some((hub) => hub.waiting.length > 0);
    if (isBusy) quietSince = scheduler.now;
    return scheduler.now - quietSince > REST_MS || scheduler.now > until || scheduler.count > 2 * MAX_EVENTS;
  });
}
