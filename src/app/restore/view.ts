import { nextActionsOf } from '../../core/restore/next-actions.ts';
import { isOver, type RestoreResult, type RestoreRun } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { findRun } from '../runs/store.ts';
import { viewCommon } from '../runs/view.ts';
import { readCurrentResult } from './outcomes/totals.ts';

export async function readRestoreView(app: App, runId: string) {
  return viewRestore(app, await findRun(app, 'restore', runId));
}

/** What the HTTP API shows of a restore. It costs one listing while the run is active or when it was stopped, nothing after an
 * end in order. */
export async function viewRestore(app: App, run: RestoreRun) {
  const { result, signs } = await readCurrentResult(app, run);
  const { snapshotId, askedSnapshot, target, sourceHub, expiryFloorAt: _floor, ...asked } = run.request;
  return {
    ...viewCommon(run, signs),
    ...asked,
    snapshot: { id: snapshotId, asked: askedSnapshot, hub: sourceHub },
    target: { role: target, ...run.hub },
    ...result,
    percent: percentOf(result),
    ...paceOf(app, run, result),
    nextActions: nextActionsOf(run, result),
  };
}

/** The share of the records whose outcome is known, rounded down, so that 100 means all. */
function percentOf({ counts: { total, pending } }: RestoreResult): number {
  return total === 0 ? 100 : Math.floor(((total - pending) / total) * 1000) / 10;
}

/** Records a second since writing began, and from it the time left; nothing while there is nothing to go by. */
function paceOf(app: App, run: RestoreRun, { counts }: RestoreResult) {
  const phases = [...(run.history ?? []), run.phase];
  const isWriting = run.phase.name === 'reconcile' && run.phase.pass === 1;
  const began = phases.find(({ name }) => name === 'reconcile') ?? run.phase;
  const seconds = (app.world.storageNow() - Date.parse(began.startedAt)) / 1000;
  const settled = counts.total - counts.pending;
  if (isOver(run) || !isWriting || settled === 0 || seconds <= 0) return {};
  const recordsPerSecond = Math.round((settled / seconds) * 10) / 10;
  return { recordsPerSecond, etaSeconds: Math.ceil(counts.pending / Math.max(recordsPerSecond, 0.1)) };
}
