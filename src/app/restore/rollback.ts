import { DrError } from '../../core/errors.ts';
import type { RollbackRequest } from '../../core/request/restore.ts';
import { IF_MEANT, withRole } from '../../core/run/role-words.ts';
import type { RestoreRun } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { noteRoles, readRoles } from '../runs/roles.ts';
import { launchAgain, openTarget, readEnded, refusal } from './again.ts';
import { findNewer, hasWritten } from './newer-runs.ts';
import { probeTier, refuseWrongConfirmation } from './preflight.ts';

export interface RollbackOptions {
  /** The run's own id, for a caller that may have to start it again. */
  readonly id?: string | undefined;
  readonly requestedBy?: RestoreRun['requestedBy'];
  readonly askedBy?: string | undefined;
}

/**
 * Removes from the target what the restore wrote and nothing has changed since. Throws `ConfirmationMissing` unless the
 * target hub's full name is typed back, `RunNotOver` while the restore runs, `NothingToRollBack` when it wrote nothing,
 * `NewerRunExists` while a newer one is not rolled back.
 */
export async function startRollback(
  app: App,
  runId: string,
  { confirm, note, keepNewer = false }: RollbackRequest,
  { id, requestedBy = 'http', askedBy }: RollbackOptions = {},
): Promise<RestoreRun> {
  const restore = await readEnded(app, runId);
  const { purpose, dryRun } = restore.request;
  if (confirm === undefined) {
    const message = `A rollback removes devices from hub ${withRole(restore.hub, (await readRoles(app)).role)}. ${IF_MEANT}`;
    throw new DrError('ConfirmationMissing', message, { target: 'confirm' });
  }
  refuseWrongConfirmation(confirm, restore.hub);
  if (purpose === 'rollback')
    throw refusal('NothingToRollBack', restore, 'is a rollback itself. Restore again instead');
  if (dryRun) throw refusal('NothingToRollBack', restore, 'was a dry run');
  if (!(await hasWritten(app, restore))) throw refusal('NothingToRollBack', restore, 'wrote nothing');
  const { manifest, hub } = await openTarget(app, restore, id);
  await probeTier(app, hub);
  // Whatever lives in a scratch hub is its drills' own.
  const { runs: newer, warnings } =
    purpose === 'drill' ? { runs: [], warnings: [] } : await findNewer(app, restore, keepNewer);
  const { role } = await noteRoles(app);
  const purposeOf = { id, purpose: 'rollback' } as const;
  return launchAgain(app, restore, manifest, { ...purposeOf, role, note, warnings, newer, requestedBy, askedBy });
}
