import { DrError } from '../../core/errors.ts';
import type { RollbackRequest } from '../../core/request/restore.ts';
import { isOver, type RestoreRun } from '../../core/run.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import { type App, hubOf } from '../app.ts';
import { checkShardsStored, findSnapshot } from '../snapshots/store.ts';
import { readSums } from './complete-reconcile.ts';
import { launchRestore, refuseWrongConfirmation } from './launch.ts';
import { PREFLIGHT_MS, preflight } from './start.ts';
import { readRestore } from './view.ts';

/** Runs that follow a restore which is over: of the same snapshot, on the same hub, for some of its records. */

/**
 * Restores again what failed, or what the restore did not come to. Throws `RunNotOver` while it runs, `NothingToRetry`
 * when every record it is about is in place.
 */
export async function startRetry(app: App, runId: string): Promise<RestoreRun> {
  const restore = await readFinished(app, runId);
  const { purpose, of, dryRun, target } = restore.request;
  if (purpose === 'rollback') {
    throw nothing('NothingToRetry', restore, `is a rollback. Roll back ${of} again: what is gone stays so`);
  }
  if (dryRun) throw nothing('NothingToRetry', restore, 'was a dry run. Start a restore');
  const { counts } = await readSums(app, restore);
  if (counts.failed + counts.pending === 0) throw nothing('NothingToRetry', restore, 'left no record out');
  const { manifest, hub } = await prepare(app, restore);
  const warnings = await preflight(app, hub, manifest, { role: target, isWhole: false });
  return follow(app, restore, manifest, { purpose: 'retry', warnings });
}

export interface RollbackOptions {
  /** The run's own id, for a caller that may have to start it again. */
  readonly id?: string | undefined;
  readonly requestedBy?: RestoreRun['requestedBy'];
}

/**
 * Removes from the target what the restore wrote and nobody changed since. Throws `ConfirmationMissing` unless the
 * target hub's name is typed back, `RunNotOver` while the restore runs, `NothingToRollBack` when it wrote nothing.
 */
export async function startRollback(
  app: App,
  runId: string,
  { confirm, note }: RollbackRequest,
  { id, requestedBy = 'http' }: RollbackOptions = {},
): Promise<RestoreRun> {
  const restore = await readFinished(app, runId);
  const { purpose, dryRun } = restore.request;
  if (confirm === undefined) {
    throw new DrError(
      'ConfirmationMissing',
      `A rollback removes devices from hub ${restore.hub.hub}. If that is meant, send {"confirm":"${restore.hub.hub}"}.`,
      { target: 'confirm' },
    );
  }
  refuseWrongConfirmation(confirm, restore.hub.hub);
  if (purpose === 'rollback')
    throw nothing('NothingToRollBack', restore, 'is a rollback itself. Restore again instead');
  if (dryRun) throw nothing('NothingToRollBack', restore, 'was a dry run');
  const { counts, attempted } = await readSums(app, restore);
  if (counts.created + counts.updated + attempted === 0) throw nothing('NothingToRollBack', restore, 'wrote nothing');
  const { manifest, hub } = await prepare(app, restore);
  await hub.probe({ deadlineAt: app.world.now() + PREFLIGHT_MS });
  return follow(app, restore, manifest, { id, purpose: 'rollback', note, warnings: [], requestedBy });
}

async function readFinished(app: App, runId: string): Promise<RestoreRun> {
  const run = await readRestore(app, runId);
  if (isOver(run)) return run;
  throw new DrError('RunNotOver', `The restore '${runId}' still runs. Wait until it is over, or cancel it.`, {
    target: runId,
  });
}

function nothing(code: 'NothingToRetry' | 'NothingToRollBack', { id }: RestoreRun, why: string): DrError {
  return new DrError(code, `The restore '${id}' ${why}.`, { target: id });
}

async function prepare(app: App, { request, hub }: RestoreRun) {
  const target = hubOf(app, hub);
  const manifest = await findSnapshot(app, request.sourceHub, request.snapshotId);
  await checkShardsStored(app, manifest);
  return { manifest, hub: target };
}

interface Following {
  readonly id?: string | undefined;
  readonly purpose: 'retry' | 'rollback';
  readonly warnings: string[];
  readonly note?: string | undefined;
  readonly requestedBy?: RestoreRun['requestedBy'];
}

async function follow(
  app: App,
  { id: of, hub, request }: RestoreRun,
  manifest: Manifest,
  { id, purpose, warnings, note = request.note, requestedBy = 'http' }: Following,
): Promise<RestoreRun> {
  const { target, onConflict, only, order } = request;
  const { run } = await launchRestore(app, {
    id,
    manifest,
    hub,
    warnings,
    requestedBy,
    request: {
      purpose,
      of,
      askedSnapshot: manifest.id,
      target,
      onConflict,
      dryRun: false,
      ...(only === undefined ? {} : { only }),
      ...(order === undefined || purpose === 'rollback' ? {} : { order }),
      ...(note === undefined ? {} : { note }),
    },
  });
  return run;
}
