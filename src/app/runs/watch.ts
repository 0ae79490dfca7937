import { DrError } from '../../core/errors.ts';
import { membersOf } from '../../core/registration/record.ts';
import { laneOf, MAX_PEEKED } from '../../core/run/lane.ts';
import { isLiving, type LiveStep, partOf, type StepPart } from '../../core/run/live.ts';
import { comparePhases, describePhase, isOver, type Run } from '../../core/run/run.ts';
import { formatStep, parseStep, type Step } from '../../core/run/step.ts';
import type { App } from '../app.ts';
import { delayLeft, openShards, stepsOf } from './dispatch.ts';
import { isInHand, partsInHand } from './lease.ts';
import { ageOfRun, hasBegun, readLive } from './living-steps.ts';
import { changeRun, readRun } from './store.ts';

/** A step is lost when it is neither in hand, nor waiting, nor queued, twice so long apart. */
const LOOK_AGAIN_MS = 3000;
/** Steps that were enqueued again get this long to show what comes of it. */
const KICK_EVERY_MS = 30_000;
/** Enqueued again this often without progress in between, a run has no future. */
export const MAX_KICKS = 10;
/** A message of a phase that was to be delayed may come this much later. */
const LATE_MS = 30_000;
const SENT_WITHIN_MS = 10_000;
/** A lease this old shows that its step works: one that fails at once does not come that far. */
const LIVED_MS = 5000;

/** A run that neither lives nor waits, and moves no more however often it is enqueued. */
export type Verdict = 'moves' | 'stuck';

/** Enqueues again what is lost of an active run, and nothing else. */
export async function watchRun(app: App, run: Run): Promise<Verdict> {
  const first = await look(app, run);
  if (first.lost.size === 0) return 'moves';
  if (run.kicks > 0 && (await ageOfRun(app, run)) < KICK_EVERY_MS) return 'moves';
  await app.world.sleep(LOOK_AGAIN_MS);
  const now = await readRun(app, run.kind, run.id);
  if (now === undefined || isOver(now) || !isAsLookedAt(now, run)) return 'moves';
  const second = await look(app, now);
  const lost = [...first.lost].filter((shard) => second.lost.has(shard));
  if (lost.length === 0) return 'moves';
  if (now.kicks >= MAX_KICKS && !second.isMoving) return 'stuck';
  await enqueueAgain(app, now, { lost, openCount: second.openCount });
  return 'moves';
}

interface Look {
  /** The shards whose steps are lost; 0 in a phase that is not by shard. */
  readonly lost: ReadonlySet<number>;
  readonly openCount: number;
  /** A step works at it, or waits. */
  readonly isMoving: boolean;
}

async function look(app: App, run: Run): Promise<Look> {
  const known = await readLive(app, run);
  const live = known.filter((step) => isLiving(step) || isInHand(app, step.name));
  const phase = describePhase(run.phase);
  const current = live.filter((step) => step.phase === phase);
  const isMoving = current.some((step) => step.kind === 'waiting' || step.livedMs >= LIVED_MS);
  if (!run.phase.isDispatched && (live.length > 0 || (await isJustMoved(app, run)))) {
    return { lost: new Set(), openCount: 0, isMoving };
  }
  const open = await openShards(app, run);
  // All are done but the run has not moved on: doing one of them again moves it.
  const due = open.length > 0 ? open : current.length > 0 ? [] : [0];
  const inHand = partsInHand(app, run).filter((part) => part.phase === phase);
  const left = without(new Set(due), [...current, ...inHand]);
  const isQuiet = left.size === 0 || (!hasBegun(run, known) && isDelayed(app, run));
  const lost = isQuiet ? new Set<number>() : await notQueued(app, run, left);
  return { lost, openCount: open.length, isMoving };
}

/** Who moved the run here, or started it, may be about to send the messages, or between two leases. */
export async function isJustMoved(app: App, run: Run): Promise<boolean> {
  return (await ageOfRun(app, run)) < SENT_WITHIN_MS;
}

function isDelayed(app: App, run: Run): boolean {
  return run.phase.notBefore !== undefined && delayLeft(app, run) + LATE_MS > 0;
}

/** Of a run's shards those whose steps no visible message does; none where the queue shows too many to tell. */
export async function notQueued(app: App, run: Run, shards: ReadonlySet<number>): Promise<ReadonlySet<number>> {
  const texts = await app.queue.peek(laneOf(run));
  if (texts.length >= MAX_PEEKED) return new Set();
  const phase = describePhase(run.phase);
  const parts = texts
    .flatMap(stepsIn)
    .filter(({ kind, runId }) => kind === run.kind && runId === run.id)
    .map(partOf);
  return without(
    shards,
    parts.filter((part) => part.phase === phase),
  );
}

/** None in a message that is not ours, which its delivery reports. */
function stepsIn(text: string): Step[] {
  try {
    return [parseStep(JSON.parse(text))];
  } catch (error) {
    if (error instanceof DrError || error instanceof SyntaxError) return [];
    throw error;
  }
}

function without(shards: ReadonlySet<number>, parts: readonly (StepPart | LiveStep)[]): ReadonlySet<number> {
  const covered = new Set(parts.flatMap(({ shard, span }) => membersOf({ first: shard, count: span })));
  return new Set([...shards].filter((shard) => !covered.has(shard)));
}

/** No other process has moved the run on since, or enqueued its steps. */
function isAsLookedAt(now: Run, run: Run): boolean {
  const isSameKick = now.kicks === run.kicks && now.openAtKick === run.openAtKick;
  return isSameKick && now.phase.isDispatched === run.phase.isDispatched && comparePhases(now.phase, run.phase) === 0;
}

/** Of those that look at the run at the same time, one does it. */
async function enqueueAgain(app: App, run: Run, { lost, openCount }: { lost: readonly number[]; openCount: number }) {
  let isOurs = false;
  await changeRun(app, run.kind, run.id, (current) => {
    isOurs = !isOver(current) && isAsLookedAt(current, run);
    if (!isOurs) return undefined;
    const isProgress = openCount < (current.openAtKick ?? 0);
    const phase = { ...withoutDelay(current).phase, isDispatched: true };
    return { ...current, phase, kicks: isProgress ? 1 : current.kicks + 1, openAtKick: openCount };
  });
  if (!isOurs) return;
  const steps = stepsOf(run, lost);
  app.log.warn('lost steps are enqueued again', {
    runId: run.id,
    phase: describePhase(run.phase),
    steps: steps.length,
    shard: lost[0],
  });
  await app.queue.send(laneOf(run), steps.map(formatStep));
}

/** A step has come to its end: one that dies or throws each time does not. */
export async function forgetKicks(app: App, { kind, id }: Run): Promise<void> {
  await changeRun(app, kind, id, withoutKicks);
}

function withoutKicks<R extends Run>(run: R): R | undefined {
  return run.kicks === 0 || isOver(run) ? undefined : { ...withoutDelay(run), kicks: 0 };
}

/** Once a step of the phase has begun, or was lost, its messages are no longer delayed. */
function withoutDelay<R extends Run>(run: R): R {
  const { notBefore: _, ...phase } = run.phase;
  return { ...run, phase };
}
