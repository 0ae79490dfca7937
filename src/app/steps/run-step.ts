import { DrError } from '../../core/errors.ts';
import type { Neighbours } from '../../core/registration/record.ts';
import { causeInWords } from '../../core/run/causes.ts';
import { laneOfStep } from '../../core/run/lane.ts';
import { isLiving, MAX_DELAY_MS, type StepWait } from '../../core/run/live.ts';
import { comparePhases, isOver, type Run } from '../../core/run/run.ts';
import { delaySecondsOf, formatStep, type Step } from '../../core/run/step.ts';
import { type App, type HeldStep, orWarn, toInstant } from '../app.ts';
import { buildShards } from '../backup/build-shards.ts';
import { publish } from '../backup/publish.ts';
import { scanBackup } from '../backup/scan.ts';
import { scan } from '../listing/scan.ts';
import { reconcile } from '../restore/apply/reconcile.ts';
import { compareShards } from '../restore/compare/compare-shards.ts';
import { finishRestore } from '../restore/finish.ts';
import { awaitEarlierImports } from '../restore/imports/late.ts';
import { Deferral, waitOf } from '../runs/deferral.ts';
import { dispatchOnce, isOneStep, type Moved, shardsDue, stepOf } from '../runs/dispatch.ts';
import { hadLapsed, mayBeLost, releaseLease, storeWait, takeLease } from '../runs/lease.ts';
import { hasBegun, readLive } from '../runs/living-steps.ts';
import { readRun, Superseded } from '../runs/store.ts';
import { forgetKicks, isJustMoved, notQueued } from '../runs/watch.ts';
import { finishVerification, verifyShard } from '../snapshots/verify.ts';
import { afterRun } from './after-run.ts';
import { failRun } from './fail-run.ts';
import { watchInBackground } from './keep-moving.ts';

/** A service that stays away for so long in all, without any progress in between, ends the run. */
const MAX_WAIT_MS = 60 * 60_000;

/**
 * Does one queue message's worth of a run. A step may come twice, late or out of order: one that is in hand already, or
 * whose phase is past, is dropped. What fails for now is deferred by a message of its own; what fails for good ends the
 * run. Anything else is a fault of ours and thrown, so that the host delivers the message again.
 */
export async function runStep(app: App, step: Step): Promise<void> {
  const { stepsInHand } = app.memory;
  stepsInHand.set(step, app.world.now());
  try {
    await takeStep(app, step);
  } finally {
    stepsInHand.delete(step);
  }
}

async function takeStep(app: App, step: Step): Promise<void> {
  const run = await readRun(app, step.kind, step.runId);
  if (run === undefined || isOver(run)) return;
  watchInBackground(app, run);
  const order = comparePhases({ ...step, name: step.phase }, run.phase);
  // The step that moved the run on may have died before it enqueued what comes next.
  const isPast = order < 0;
  if (order > 0 || (isPast && run.phase.isDispatched)) return;
  const held = await takeLease(app, step);
  if (held === undefined) {
    app.log.info('step dropped: it is in hand, or waits', { runId: step.runId, phase: step.phase, shard: step.shard });
    return;
  }
  const end = await workOn(app, run, held, isPast);
  if (run.kicks > 0 && !isPast && end !== 'failed') {
    await orWarn(app, 'kicks not forgotten', { runId: run.id }, () => forgetKicks(app, run));
  }
  if (end === 'continue') {
    if (!hadLapsed(app, held)) await enqueueAgain(app, step, { attempt: 0 });
  } else if (end === 'failed' || (!isPast && end === undefined && isOneStep(run.phase))) await afterRun(app, run.id);
  else if (typeof end === 'object' && isOneStep(end.phase)) await runStep(app, stepOf(end, end.phase));
}

/**
 * While another step works or waits, the one that moved the run enqueues what comes next; if it dies, the watch does. It
 * stores that it has done so before its lease ends: the run is read after the leases.
 */
async function dispatchIfDue(app: App, run: Run, { name }: HeldStep): Promise<void> {
  const live = await readLive(app, run);
  if (live.some((one) => one.name !== name && isLiving(one)) || (await isJustMoved(app, run))) return;
  // The mover may have died after it sent them: those that have begun since may be queued again.
  const shards = await notQueued(app, run, new Set(await shardsDue(app, run)));
  if (shards.size > 0) await dispatchOnce(app, run, [...shards], hasBegun(run, live) ? 0 : undefined);
}

type StepEnd = Moved | 'continue' | 'deferred' | 'failed';

async function workOn(app: App, run: Run, held: HeldStep, isPast: boolean): Promise<StepEnd> {
  let end: StepEnd;
  try {
    end = await endOf(app, run, held, isPast);
  } catch (error) {
    await releaseLease(app, held);
    throw error;
  }
  if (end !== 'deferred') await releaseLease(app, held);
  return end;
}

async function endOf(app: App, run: Run, held: HeldStep, isPast: boolean): Promise<StepEnd> {
  try {
    if (!isPast) return await perform(app, run, held);
    await dispatchIfDue(app, run, held);
    return undefined;
  } catch (error) {
    if (error instanceof Superseded) return await afterSuperseded(app, held, error);
    if (error instanceof Deferral) return await defer(app, held, waitOf(app, held, error), error.message);
    if (error instanceof DrError) return await deferOrFail(app, run, held, error);
    throw error;
  }
}

/** Another step has stored something first. Unless that one has taken this one over, it stopped by that, too. */
async function afterSuperseded(app: App, held: HeldStep, { message }: Superseded): Promise<StepEnd> {
  const { kind, runId, phase } = held.step;
  app.log.info('step superseded', { runId, phase, reason: message });
  if (mayBeLost(app, held)) return undefined;
  const run = await readRun(app, kind, runId);
  return run === undefined || isOver(run) ? undefined : 'continue';
}

async function perform(app: App, run: Run, held: HeldStep): Promise<Moved | 'continue'> {
  const { shard = 0, span = 1 } = held.step;
  switch (run.phase.name) {
    case 'scan':
      if (run.kind === 'backup') return scanBackup(app, run, held);
      if (run.kind === 'restore' && app.imports !== undefined) await awaitEarlierImports(app, run, held.deadlineAt);
      return scan(app, run, held);
    case 'seal':
      return sealShards(app, run, { first: shard, count: Math.min(span, run.shardCount - shard) });
    case 'publish':
      if (run.kind === 'backup') await publish(app, run);
      return undefined;
    case 'reconcile':
      return run.kind === 'restore' ? reconcile(app, run, shard, held) : undefined;
    case 'verify':
      return run.kind === 'verification' ? verifyShard(app, run, shard) : undefined;
    case 'finish':
      if (run.kind === 'restore') await finishRestore(app, run);
      if (run.kind === 'verification') await finishVerification(app, run);
      return undefined;
    default:
      return run.phase.name satisfies never;
  }
}

/** The stored phase `seal`: neighbouring shards are made ready from what a scan staged. */
async function sealShards(app: App, run: Run, shards: Neighbours): Promise<Moved> {
  if (run.kind === 'backup') return buildShards(app, run, shards);
  return run.kind === 'restore' ? compareShards(app, run, shards) : undefined;
}

/** Unless the host stops and has done that. */
async function enqueueAgain(app: App, step: Step, change: Pick<Step, 'attempt'>, delaySeconds = 0): Promise<void> {
  const { stepsInHand, enqueued } = app.memory;
  if (!stepsInHand.has(step)) return;
  enqueued.add(step);
  await app.queue.send(laneOfStep(step), [formatStep({ ...step, ...change })], delaySeconds);
}

async function deferOrFail(app: App, run: Run, held: HeldStep, error: DrError): Promise<StepEnd> {
  const { step } = held;
  const fields = { runId: step.runId, phase: step.phase, shard: step.shard, code: error.code };
  const wait = nextWait(app, held, error);
  if (error.retryable && wait.waitedMs < MAX_WAIT_MS + wait.delayMs) {
    return defer(app, held, wait, error.message);
  }
  app.log.error('step failed', { ...fields, reason: error.message });
  await failRun(app, run, error.retryable ? stayedAway(error) : error);
  return 'failed';
}

async function defer(app: App, held: HeldStep, wait: StepWait, reason: string): Promise<StepEnd> {
  const { step } = held;
  const before = app.world.now();
  const isForTheWatch = hadLapsed(app, held);
  if (!(await storeWait(app, held, wait)) || isForTheWatch) return 'deferred';
  // A process that was frozen meanwhile would else send it for a time at which the step counts as lost.
  const waitSeconds = Math.ceil(Math.max(0, wait.delayMs - (app.world.now() - before)) / 1000);
  const { runId, phase, shard } = step;
  const fields = { runId, phase, shard, code: wait.code, attempt: wait.attempt, waitSeconds, reason };
  if (wait.waitedMs > 0) app.log.warn('step deferred', fields);
  else app.log.info('step waits for its time', fields);
  await enqueueAgain(app, step, { attempt: wait.attempt }, waitSeconds);
  return 'deferred';
}

/** By durations, each of one process: two hosts' clocks are not compared. */
function nextWait({ world }: App, { wait: before, takenAtMs }: HeldStep, error: DrError): StepWait {
  const nowMs = world.now();
  const attempt = (before?.attempt ?? 0) + 1;
  const delaySeconds = Math.max(delaySecondsOf(attempt), Math.ceil((error.retryAfterMs ?? 0) / 1000));
  const delayMs = Math.min(MAX_DELAY_MS, delaySeconds * 1000);
  return {
    on: error.code === 'StorageUnavailable' ? 'storage' : (error.target ?? 'a service').replace(/^hub /, ''),
    code: error.code,
    cause: causeInWords(error.seen),
    since: before?.since ?? toInstant(world.storageNow()),
    attempt,
    delayMs,
    waitedMs: delayMs + (before === undefined ? 0 : before.waitedMs + nowMs - takenAtMs),
  };
}

function stayedAway({ code, message, target }: DrError): DrError {
  return new DrError(code, `${message} It was asked again for an hour.`, { target });
}
