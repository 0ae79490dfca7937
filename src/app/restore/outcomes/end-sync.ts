import { DrError } from '../../../core/errors.ts';
import { isSameHub, lockName } from '../../../core/paths.ts';
import type { HubRef } from '../../../core/ports.ts';
import { isOver, type RestoreRun } from '../../../core/run/run.ts';
import { GIVES_WAY_MS, isSyncRunId } from '../../../core/run/sync.ts';
import type { App } from '../../app.ts';
import { endRun, failureOf } from '../../runs/end.ts';
import { readLocked, refuseIfHeld } from '../../runs/lock.ts';
import { findRun } from '../../runs/store.ts';
import { writersLeftMs } from '../../runs/writers.ts';
import { sumRestore } from './totals.ts';

const LOOK_EVERY_MS = 200;

export const TARGET_IN_USE = 'Its target came into use.';

/** Ends a sync before it is done: what it wrote stays, and the sync after the next backup does the rest. */
export async function supersede(app: App, sync: RestoreRun, why: string): Promise<void> {
  const message = `${why} What the sync wrote stays; the one after the next backup does the rest.`;
  const error = failureOf(new DrError('Superseded', message));
  await endRun(app, sync, 'Canceled', { error, result: await sumRestore(app, sync) });
}

/**
 * The sync of the pair that an operator's call has to end, if one runs. Throws what `refuseIfHeld` throws of any other
 * holder of the hub. A sync only writes into the standby, but decides by what the pair agreed on, which the call changes.
 */
export async function findSyncInTheWay(app: App, hub: HubRef, id?: string): Promise<string | undefined> {
  const inTheWay = await syncHolding(() => refuseIfHeld(app, 'restore', hub, id));
  const other = otherOfPair(app, hub);
  if (inTheWay !== undefined || other === undefined || app.policy.standbySync === 'off') return inTheWay;
  const run = (await readLocked(app, lockName('restore', other)))?.run;
  return typeof run === 'object' && isSyncRunId(run.id) && !isOver(run) ? run.id : undefined;
}

/** A scratch hub has none. */
function otherOfPair({ primary, secondary }: App, hub: HubRef): HubRef | undefined {
  if (isSameHub(hub, primary.ref)) return secondary.ref;
  return isSameHub(hub, secondary.ref) ? primary.ref : undefined;
}

/** The sync because of which the work is refused. */
export async function syncHolding(work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    const isHeld = error instanceof DrError && (error.code === 'RunInProgress' || error.code === 'RunNotOver');
    if (isHeld && error.target !== undefined && isSyncRunId(error.target)) return error.target;
    throw error;
  }
}

/**
 * Ends a sync for an operator's call, and waits until its steps have stopped: at their next write, which they begin only
 * after a look at the run. A call that its hub does not answer is not waited for, like those of a process that died.
 */
export async function makeWay(app: App, syncId: string | undefined): Promise<void> {
  if (syncId === undefined) return;
  const sync = await findRun(app, 'restore', syncId);
  if (!isOver(sync)) await supersede(app, sync, 'A restore or rollback was asked for.');
  const { world } = app;
  for (const untilMs = world.now() + GIVES_WAY_MS; world.now() < untilMs; await world.sleep(LOOK_EVERY_MS)) {
    if ((await writersLeftMs(app, sync)) === 0) return;
  }
}
