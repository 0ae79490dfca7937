import { DrError } from '../core/errors.ts';
import type { Neighbours } from '../core/registration/record.ts';
import { laneOfStep } from '../core/run/lane.ts';
import { comparePhases, isOver, type Run } from '../core/run/run.ts';
import { formatStep, type Step } from '../core/run/step.ts';
import { afterRun } from './after-run.ts';
import type { App } from './app.ts';
import { buildShards } from './backup/build-shards.ts';
import { publish } from './backup/publish.ts';
import { scan } from './listing/scan.ts';
import { reconcile } from './restore/apply/reconcile.ts';
import { compareShards } from './restore/compare/compare-shards.ts';
import { finishRestore } from './restore/finish.ts';
import { readTotals, toResult } from './restore/outcomes/totals.ts';
import { dispatch, isOneStep, type Moved, stepOf } from './runs/dispatch.ts';
import { endRun, failureOf } from './runs/end.ts';
import { readRun, Superseded } from './runs/store.ts';
import { finishVerification, sumVerification, verifyShard } from './snapshots/verify.ts';

/** A service that stays away: with waits of up to a minute this is about an hour. */
const MAX_ATTEMPTS = 60;
const MAX_WAIT_SECONDS = 60;

/**
 * Does one queue message's worth of a run. A step may come twice, late or out of order: one whose phase is past is
 * dropped. What fails for now is deferred by a message of its own; what fails for good ends the run. Anything else is
 * a fault of ours and thrown, so that the host delivers the message again.
 */
export async function runStep(app: App, step: Step): Promise<void> {
  const { stepsInHand } = app.memory;
  stepsInHand.add(step);
  try {
    await takeStep(app, step);
  } finally {
    stepsInHand.delete(step);
  }
}

async function takeStep(app: App, step: Step): Promise<void> {
  const deadlineAt = app.world.now() + app.policy.stepBudgetMs;
  let run: Run | undefined;
  try {
    run = await readRun(app, step.kind, step.runId);
    if (run === undefined || isOver(run)) return;
    const order = comparePhases({ ...step, name: step.phase }, run.phase);
    if (order !== 0) {
      // The step that moved the run on may have died before it enqueued what comes next.
      if (order < 0 && !run.phase.isDispatched) await dispatch(app, run);
      return;
    }
    const next = await perform(app, run, step, deadlineAt);
    if (next === 'continue') await enqueueAgain(app, step, { attempt: 0 });
    else if (isOneStep(run.phase)) await afterRun(app, run.id);
    else if (next !== undefined && isOneStep(next.phase)) await runStep(app, stepOf(next, next.phase));
  } catch (error) {
    if (error instanceof Superseded) {
      app.log.info('step superseded', { runId: step.runId, phase: step.phase, reason: error.message });
      return;
    }
    if (!(error instanceof DrError)) throw error;
    await deferOrFail(app, step, run, error);
  }
}

async function perform(app: App, run: Run, step: Step, deadlineAt: number): Promise<Moved | 'continue'> {
  const shard = step.shard ?? 0;
  switch (run.phase.name) {
    case 'scan':
      return scan(app, run, deadlineAt);
    case 'seal':
      return sortShards(app, run, { first: shard, count: Math.min(step.span ?? 1, run.shardCount - shard) });
    case 'publish':
      if (run.kind === 'backup') await publish(app, run);
      return undefined;
    case 'reconcile':
      return run.kind === 'restore' ? reconcile(app, run, shard, deadlineAt) : undefined;
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
async function sortShards(app: App, run: Run, shards: Neighbours): Promise<Moved> {
  if (run.kind === 'backup') return buildShards(app, run, shards);
  return run.kind === 'restore' ? compareShards(app, run, shards) : undefined;
}

/** Unless the host stops and has done that. */
async function enqueueAgain(app: App, step: Step, change: Pick<Step, 'attempt'>, delaySeconds = 0): Promise<void> {
  if (!app.memory.stepsInHand.has(step)) return;
  await app.queue.send(laneOfStep(step), [formatStep({ ...step, ...change })], delaySeconds);
}

async function deferOrFail(app: App, step: Step, run: Run | undefined, error: DrError): Promise<void> {
  const fields = { runId: step.runId, phase: step.phase, shard: step.shard, code: error.code };
  if (run === undefined || (error.retryable && step.attempt < MAX_ATTEMPTS)) {
    // Without a run document nothing can be noted: the host delivers the message again.
    if (run === undefined) throw error;
    const waitSeconds = Math.min(MAX_WAIT_SECONDS, 2 ** step.attempt);
    app.log.warn('step deferred', { ...fields, attempt: step.attempt, waitSeconds, reason: error.message });
    await enqueueAgain(app, step, { attempt: step.attempt + 1 }, waitSeconds);
    return;
  }
  app.log.error('step failed', { ...fields, reason: error.message });
  await failRun(app, run, error);
  await afterRun(app, run.id);
}

/** Ends a run with an error; a restore or verification keeps its counts, so that its status still adds up. */
export async function failRun(app: App, run: Run, error: DrError): Promise<Run> {
  const ended = { error: failureOf(error) };
  switch (run.kind) {
    case 'backup':
      return endRun(app, run, 'Failed', ended);
    case 'restore':
      return endRun(app, run, 'Failed', { ...ended, result: toResult(await readTotals(app, run), run) });
    case 'verification':
      return endRun(app, run, 'Failed', { ...ended, result: await sumVerification(app, run) });
    default:
      return run satisfies never;
  }
}
