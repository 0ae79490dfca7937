import type { ShardPhase } from '../../core/paths.ts';
import { membersOf, type Neighbours } from '../../core/registration/record.ts';
import { laneOf } from '../../core/run/lane.ts';
import { LEASE_MS } from '../../core/run/live.ts';
import { advance, comparePhases, describePhase, isOver, type PhaseKey, type Run } from '../../core/run/run.ts';
import { formatStep, type Step } from '../../core/run/step.ts';
import { type App, toInstant } from '../app.ts';
import { areAllDone, doneShards, withOthers } from './shard-phase.ts';
import { changeRun } from './store.ts';

/**
 * Puts the messages of the run's phase into the queue, then notes that they are there: while the lease of the run's mover
 * is not over, no other process does.
 */
export async function dispatch(app: App, run: Run): Promise<void> {
  await dispatchShards(app, run, await shardsDue(app, run));
}

async function dispatchShards(app: App, run: Run, shards: readonly number[]): Promise<void> {
  await sendDelayed(app, run, shards, delayLeft(app, run));
  await noteDispatched(app, run);
}

/**
 * The same where others may do it, too: who notes it first does it. If that one dies, or is frozen right then, the watch
 * enqueues them.
 */
export async function dispatchOnce(app: App, run: Run, shards: readonly number[], delayMs?: number): Promise<void> {
  const beganAt = app.world.now();
  const isFirst = await noteDispatched(app, run);
  const isSlow = app.world.now() - beganAt >= LEASE_MS;
  if (isFirst && !isSlow) await sendDelayed(app, run, shards, delayMs ?? delayLeft(app, run));
}

export async function shardsDue(app: App, run: Run): Promise<readonly number[]> {
  const open = await openShards(app, run);
  // All are done but the run has not moved on: doing one of them again moves it.
  return open.length > 0 ? open : [0];
}

async function sendDelayed(app: App, run: Run, shards: readonly number[], delayMs: number): Promise<void> {
  const steps = stepsOf(run, shards);
  await app.queue.send(laneOf(run), steps.map(formatStep), Math.ceil(Math.max(0, delayMs) / 1000));
}

/** Whether this process was the first. */
async function noteDispatched(app: App, { kind, id, phase }: Run): Promise<boolean> {
  let isFirst = false;
  await changeRun(app, kind, id, (current) => {
    isFirst = !isOver(current) && !current.phase.isDispatched && comparePhases(current.phase, phase) === 0;
    return isFirst ? { ...current, phase: { ...current.phase, isDispatched: true } } : undefined;
  });
  return isFirst;
}

/** How long the messages of the run's phase are to wait: both instants are its mover's. */
export function delayOf({ phase: { startedAt, notBefore } }: Run): number {
  return notBefore === undefined ? 0 : Math.max(0, Date.parse(notBefore) - Date.parse(startedAt));
}

/** What is left of that, by the storage's time, which dates the phase. Negative once it is over. */
export function delayLeft({ world }: App, run: Run): number {
  const { notBefore = run.phase.startedAt } = run.phase;
  return Math.min(delayOf(run), Date.parse(notBefore) - world.storageNow());
}

export function stepOf(run: Run, { name, pass, wave }: PhaseKey): Step {
  return { formatVersion: 1, kind: run.kind, runId: run.id, lane: laneOf(run), phase: name, pass, wave, attempt: 0 };
}

/**
 * Shards built or compared by one step: what many need is read once, and each segment is asked for one range instead of
 * several. A backup's have all their rows in memory; a restore's only fingerprints, so that a large hub's, of many
 * segments, are more.
 */
function sealedTogether({ kind, shardCount }: Run): number {
  return kind === 'restore' ? Math.min(16, Math.max(4, shardCount / 16)) : 4;
}

/** The shards a phase still has to do, in ascending order; 0 where it is not by shard. */
export async function openShards(app: App, run: Run): Promise<number[]> {
  const { name } = run.phase;
  if (!isByShard(name)) return [0];
  const done = await doneShards(app, run, name);
  return membersOf({ first: 0, count: run.shardCount }).filter((shard) => !done.has(shard));
}

/** What does those shards in the run's phase. */
export function stepsOf(run: Run, shards: readonly number[]): Step[] {
  const { name } = run.phase;
  const step = stepOf(run, run.phase);
  if (!isByShard(name)) return [step];
  return spansOf(shards, name === 'seal' ? sealedTogether(run) : 1).map((part) => ({ ...step, ...part }));
}

function isByShard(name: PhaseKey['name']): name is ShardPhase {
  return name === 'seal' || name === 'reconcile' || name === 'verify';
}

/** Rows of neighbours among ascending shards, each of at most this many. */
function spansOf(shards: readonly number[], most: number): Pick<Step, 'shard' | 'span'>[] {
  const ranges: Neighbours[] = [];
  for (const shard of shards) {
    const last = ranges.at(-1);
    if (last !== undefined && last.first + last.count === shard && last.count < most) {
      ranges.splice(-1, 1, { ...last, count: last.count + 1 });
    } else ranges.push({ first: shard, count: 1 });
  }
  return ranges.map(({ first, count }) => (count === 1 ? { shard: first } : { shard: first, span: count }));
}

/**
 * Moves the run to its next phase by compare-and-swap, and enqueues it; a phase of one step is left to the caller, who
 * continues with it at once. Of shards that finish together one moves the run; if it dies before its messages are sent,
 * or that one step is done, its own message comes again and sends them.
 */
export async function moveOn(
  app: App,
  from: Run,
  { delaySeconds = 0, ...to }: PhaseKey & { readonly delaySeconds?: number },
  change: (run: Run) => Run = (run) => run,
): Promise<Moved> {
  const beganAt = app.world.now();
  const nowMs = app.world.storageNow();
  const notBefore = delaySeconds > 0 ? toInstant(nowMs + delaySeconds * 1000) : undefined;
  const phase = { ...to, startedAt: toInstant(nowMs), notBefore };
  let isMover = false;
  const run = await changeRun(app, from.kind, from.id, (current) => {
    isMover = !isOver(current) && comparePhases(current.phase, from.phase) === 0;
    return isMover ? advance(change(current), phase) : undefined;
  });
  if (!isMover) return undefined;
  app.log.info('phase', { runId: run.id, kind: run.kind, phase: describePhase(run.phase) });
  if (isOneStep(run.phase)) return run;
  const shards = await shardsDue(app, run);
  // A process that was frozen meanwhile has lost its lease.
  const isSlow = app.world.now() - beganAt >= LEASE_MS;
  await (isSlow ? dispatchOnce(app, run, shards) : dispatchShards(app, run, shards));
  return run;
}

/** The run one phase on, for who moved it there. */
export type Moved = Run | undefined;

/** Whether a phase is one step, which the mover of the run does at once. */
export function isOneStep({ name }: PhaseKey): boolean {
  return name === 'publish' || name === 'finish';
}

/** Work of the phase `seal`, and what comes after it. */
export interface ShardWork {
  readonly work: () => Promise<void>;
  readonly next: PhaseKey['name'];
  /** Once all shards are done: what the run is to remember of them. */
  readonly noteEnd?: () => Promise<(run: Run) => Run>;
}

/** Does neighbouring shards of the phase `seal`, and moves the run to the next phase when they were the last ones. */
export async function doShards(
  app: App,
  run: Run,
  shards: Neighbours,
  { work, next, noteEnd }: ShardWork,
): Promise<Moved> {
  const { isLast } = await withOthers(app, run, shards.first, work);
  if (!isLast || !(await areAllDone(app, run, 'seal'))) return undefined;
  return moveOn(app, run, { name: next, pass: run.phase.pass }, await noteEnd?.());
}
