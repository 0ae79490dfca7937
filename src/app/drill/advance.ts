import { DrError } from '../../core/errors.ts';
import { fullNameOf, isSameHub } from '../../core/paths.ts';
import type { Hub } from '../../core/ports.ts';
import { type Drill, drillRunId } from '../../core/readiness/drill.ts';
import { isOver, type Run } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { holdsRows, within } from '../listing/hub-rows.ts';
import { startRollback } from '../restore/rollback.ts';
import { startRestore } from '../restore/start.ts';
import { readRun } from '../runs/store.ts';
import { startVerification } from '../snapshots/start-verification.ts';
import { end, enter } from './stages.ts';
import { changeDrill, readNewestDrills } from './store.ts';
import { windDown } from './wind-down.ts';

/** A service that stays away, or a hub another run holds: after this the drill is given up. */
const PATIENCE_MS = 60 * 60_000;
/** A hub may show rows for a while after they were deleted. */
const SETTLE_MS = 5 * 60_000;
const LOOK_MS = 10_000;

const NOT_EMPTY =
  'The scratch hub is not empty, and what it holds was not left there by a drill. Nothing of it was touched. Empty it, or name another hub in DRILL_HUB_NAME.';

/**
 * Moves the active drill as far as it can: called at the end of each of its runs and by the watchdog. It may die
 * anywhere: a run is named in the drill before it is started, and starting it again finds it.
 */
export async function advanceDrills(app: App): Promise<void> {
  let current = (await readNewestDrills(app)).newest;
  while (current !== undefined && current.value.stage !== 'over') {
    const next = await tryNext(app, current.value);
    if (next === current.value) return;
    if (next.stage === 'over') {
      app.log.info('drill ended', { drillId: next.id, verdict: next.verdict, reason: next.failure });
    }
    current = await changeDrill(app, current, next);
  }
}

/** The drill one move on; the same object while it has to wait. */
async function tryNext(app: App, drill: Drill): Promise<Drill> {
  try {
    return await nextOf(app, drill);
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    const mayPass = error.retryable || error.code === 'RunInProgress';
    if (mayPass && app.world.storageNow() - Date.parse(drill.stageSince) < PATIENCE_MS) {
      app.log.warn('drill waits', { drillId: drill.id, stage: drill.stage, code: error.code, reason: error.message });
      return drill;
    }
    return end(app, drill, drill.failure ?? error.message);
  }
}

async function nextOf(app: App, drill: Drill): Promise<Drill> {
  if (drill.canceledAt !== undefined && drill.stage !== 'emptying') return windDown(app, drill);
  if (drill.stage === 'verifying') return verify(app, drill);
  const hub = app.drillHub;
  if (hub === undefined || drill.scratchHub === undefined || !isSameHub(hub.ref, drill.scratchHub)) {
    return end(app, drill, 'The settings no longer name the scratch hub this drill began with.');
  }
  switch (drill.stage) {
    case 'sweeping':
      return sweep(app, drill, hub);
    case 'restoring':
      return restore(app, drill);
    case 'emptying':
      return empty(app, drill, hub);
    case 'over':
      return drill;
    default:
      return drill.stage satisfies never;
  }
}

async function verify(app: App, drill: Drill): Promise<Drill> {
  const { verificationId } = drill;
  if (verificationId === undefined) return { ...drill, verificationId: drillRunId(drill.id, 'verify') };
  const run = await startVerification(app, drill.snapshotId, 'drill', { id: verificationId });
  return isOver(run) ? end(app, drill, failureOf(run)) : drill;
}

/** Only what an earlier drill restored is removed: the named hub may be in use. */
async function sweep(app: App, drill: Drill, hub: Hub): Promise<Drill> {
  const { owes, sweepId } = drill;
  if (!(await holdsRows(hub, within(app, LOOK_MS)))) return enter(app, withoutDebt(drill), 'restoring');
  if (owes === undefined) return end(app, drill, NOT_EMPTY);
  if (sweepId === undefined) return { ...drill, sweepId: drillRunId(drill.id, 'sweep') };
  const run = await rollBack(app, owes, sweepId, hub);
  if (run !== 'nothing' && mustWait(app, run)) return drill;
  const failure = run === 'nothing' ? undefined : failureOf(run);
  return end(app, drill, failure ?? NOT_EMPTY);
}

async function restore(app: App, drill: Drill): Promise<Drill> {
  const { restoreId } = drill;
  if (restoreId === undefined) {
    const id = drillRunId(drill.id, 'drill');
    return { ...drill, restoreId: id, owes: id };
  }
  const request = { snapshot: drill.snapshotId, target: 'drill', onConflict: 'keep', dryRun: false } as const;
  const { run } = await startRestore(app, request, { id: restoreId, purpose: 'drill', requestedBy: 'drill' });
  if (!isOver(run)) return drill;
  const failure = failureOf(run);
  return enter(app, failure === undefined ? drill : { ...drill, failure }, 'emptying');
}

async function empty(app: App, drill: Drill, hub: Hub): Promise<Drill> {
  const { restoreId, cleanupId } = drill;
  if (restoreId === undefined) return end(app, drill, 'The drill lost track of its restore.');
  if (cleanupId === undefined) return { ...drill, cleanupId: drillRunId(drill.id, 'cleanup') };
  const run = await rollBack(app, restoreId, cleanupId, hub);
  if (run !== 'nothing' && !isOver(run)) return drill;
  if (!(await holdsRows(hub, within(app, LOOK_MS)))) return end(app, withoutDebt(drill), drill.failure);
  if (run !== 'nothing' && mustWait(app, run)) return drill;
  const why = (run === 'nothing' ? undefined : failureOf(run)) ?? 'It still holds registrations.';
  const left = `The scratch hub could not be emptied. ${why}`;
  return end(app, drill, drill.failure === undefined ? left : `${drill.failure} ${left}`);
}

async function rollBack(app: App, of: string, id: string, hub: Hub): Promise<Run | 'nothing'> {
  const existing = await readRun(app, 'restore', id);
  if (existing !== undefined) return existing;
  try {
    return await startRollback(app, of, { confirm: fullNameOf(hub.ref) }, { id, requestedBy: 'drill' });
  } catch (error) {
    // One that was named and never started wrote nothing either.
    const isNothing = error instanceof DrError && ['NothingToRollBack', 'RunNotFound'].includes(error.code);
    if (isNothing) return 'nothing';
    throw error;
  }
}

/** While it runs, and for a while after: what it deleted may still be listed. */
function mustWait(app: App, run: Run): boolean {
  return !isOver(run) || app.world.storageNow() - Date.parse(run.finishedAt ?? run.createdAt) < SETTLE_MS;
}

function failureOf(run: Run): string | undefined {
  return run.status === 'Succeeded' ? undefined : (run.error?.message ?? `Run ${run.id} ended ${run.status}.`);
}

function withoutDebt({ owes: _, ...drill }: Drill): Drill {
  return drill;
}
