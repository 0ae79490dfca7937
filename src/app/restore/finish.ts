import { DrError } from '../../core/errors.ts';
import { fullNameOf } from '../../core/paths.ts';
import { alteredIn, losesMost } from '../../core/restore/altered.ts';
import { movesBaseline } from '../../core/restore/plan/circumstances.ts';
import type { Totals } from '../../core/restore/totals.ts';
import { type RestoreResult, type RestoreRun, startOfRunId } from '../../core/run/run.ts';
import { counted, grouped } from '../../core/words.ts';
import type { App } from '../app.ts';
import { moveBaseline, revertBaseline } from '../baseline/store.ts';
import { endRun, failureOf } from '../runs/end.ts';
import { putMark, storeProof } from '../snapshots/marks.ts';
import { listSnapshotIds, readManifest } from '../snapshots/store.ts';
import { activateTarget } from './activate.ts';
import { sumImports } from './imports/store.ts';
import { noteSeen } from './outcomes/card-facts.ts';
import { readTotals, toResult } from './outcomes/totals.ts';
import { readRunOf } from './outcomes/written.ts';
import { readExamples } from './records.ts';

/** Counts the whole restore and ends it: green only when every record is where it should be. */
export async function finishRestore(app: App, run: RestoreRun): Promise<void> {
  const totals = await readTotals(app, run);
  const result = await resultOf(app, run, totals);
  const { failed, pending, total } = result.counts;
  const altered = alteredIn(run, totals);
  const isLosing = losesMost(totals);
  const isComplete = failed === 0 && pending === 0 && altered === 0 && !isLosing;
  await noteSeen(app, run);
  if (movesBaseline(run)) await moveBaseline(app, run);
  if (run.request.purpose === 'rollback') await noteUndone(app, run, await readRunOf(app, run), isComplete);
  // What differs and is of unknown origin may be what the target made of an earlier restore.
  if (isComplete && result.counts.unknownOrigin === 0) await proveSnapshot(app, run);
  // Records that the target will not take keep no other device waiting. One that takes hardly any is of no use.
  const isUsable = pending === 0 && altered === 0 && !isLosing && failed <= total / 2;
  const activatedAt = isUsable ? await activateTarget(app, run) : undefined;
  const error =
    altered > 0 ? targetAlters(run, altered) : isLosing ? targetLoses(run, totals) : incomplete(run, failed, total);
  const ended = activatedAt === undefined ? result : { ...result, activatedAt };
  if (isComplete) await endRun(app, run, 'Succeeded', { result: ended });
  else await endRun(app, run, 'Failed', { result: ended, error: failureOf(error) });
}

/** A dry run also names some records of each kind. */
async function resultOf(app: App, run: RestoreRun, totals: Totals): Promise<RestoreResult> {
  const imported = run.imports && (await sumImports(app, run));
  const result = { ...toResult(totals, run), ...(imported === undefined ? {} : { imported }) };
  return run.request.dryRun ? { ...result, examples: await readExamples(app, run, result.counts) } : result;
}

/** The pair agrees on what it did before the restore; snapshots that hold what this wrote say so. */
async function noteUndone(app: App, rollback: RestoreRun, restore: RestoreRun, isComplete: boolean): Promise<void> {
  await revertBaseline(app, rollback, restore, isComplete);
  if (!isComplete) return;
  const since = restore.createdAt.slice(0, 'yyyy-mm-ddThh:mm:ss'.length);
  for (const id of await listSnapshotIds(app, restore.hub)) {
    const start = startOfRunId(id);
    if (start !== undefined && start >= Date.parse(`${since}Z`)) await putMark(app, { hub: restore.hub, id }, 'undone');
  }
}

/** Every record of the snapshot was found in the target: it can be restored, because it was. */
async function proveSnapshot(app: App, run: RestoreRun): Promise<void> {
  const { purpose, dryRun, only, sourceHub, snapshotId } = run.request;
  if (dryRun || only !== undefined || purpose === 'retry' || purpose === 'rollback') return;
  const manifest = await readManifest(app, sourceHub, snapshotId);
  if (manifest !== undefined) await storeProof(app, manifest, { how: purpose, runId: run.id, isSound: true });
}

function targetAlters({ hub }: RestoreRun, altered: number): DrError {
  const target = fullNameOf(hub);
  const message = `Hub ${target} shows ${counted(altered, 'record')} of those just written differently from how they were sent. Nothing is proven. Compare one of them by hand with the snapshot, and ask the service's support.`;
  return new DrError('TargetAltersRecords', message, { target });
}

function targetLoses({ hub }: RestoreRun, { removedByService }: Totals): DrError {
  const target = fullNameOf(hub);
  const message = `Hub ${target} removed ${removedByService} of the records just written, more than it keeps. Nothing is proven. See whether its push credentials are those of these devices, and ask the service's support.`;
  return new DrError('TargetAltersRecords', message, { target });
}

function incomplete(run: RestoreRun, failed: number, total: number): DrError {
  const { purpose } = run.request;
  const share = `${grouped(failed)} of ${counted(total, 'record')}`;
  if (purpose === 'sync') {
    const message = `${share} could not be written; all others are in place. The sync after the next backup tries again.`;
    return new DrError('RestoreIncomplete', message);
  }
  const message =
    purpose === 'rollback'
      ? `${share} could not be removed; all others are as before the restore. See why. Roll back ${run.request.of} again: what is gone stays so.`
      : `${share} could not be restored; all others are in place. See why, fix the cause, then retry.`;
  return new DrError('RestoreIncomplete', message);
}
