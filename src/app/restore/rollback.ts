import { DrError } from '../../core/errors.ts';
import type { RollbackRequest } from '../../core/request/restore.ts';
import { rollbackInWords } from '../../core/restore/rollback-words.ts';
import { mayHaveWritten } from '../../core/run/amounts.ts';
import type { RestoreRun } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { noteRoles, readRoles } from '../runs/roles.ts';
import { launchAgain, openTarget, readEnded, refusal } from './again.ts';
import { findNewer } from './newer-runs.ts';
import { readCurrentResult } from './outcomes/totals.ts';
import { probeTier, refuseWrongConfirmation } from './preflight.ts';

export interface RollbackOptions {
  /** The run's own id, for a caller that may have to start it again. */
  readonly id?: string | undefined;
  readonly requestedBy?: RestoreRun['requestedBy'];
  readonly askedBy?: string | undefined;
}

/**
 * Removes from the target what the restore wrote and nothing has changed since. Throws `ConfirmationMissing`, which says
 * how many records it is about, unless the target hub's full name is typed back, `RunNotOver` while the restore runs,
 * `NothingToRollBack` when it wrote nothing, `NewerRunExists` while a newer one is not rolled back.
 */
export async function startRollback(
  app: App,
  runId: string,
  { confirm, note, keepNewer = false }: RollbackRequest,
  { id, requestedBy = 'http', askedBy }: RollbackOptions = {},
): Promise<RestoreRun> {
  const restore = await readEnded(app, runId);
  const { purpose, dryRun } = restore.request;
  refuseWrongConfirmation(confirm, restore.hub);
  if (purpose === 'rollback')
    throw refusal('NothingToRollBack', restore, 'is a rollback itself. Restore again instead');
  if (dryRun) throw refusal('NothingToRollBack', restore, 'was a dry run');
  const { result } = await readCurrentResult(app, restore);
  if (!mayHaveWritten(result)) throw refusal('NothingToRollBack', restore, 'wrote nothing');
  if (confirm === undefined) {
    const message = rollbackInWords(restore, result, (await readRoles(app)).role);
    throw new DrError('ConfirmationMissing', message, { target: 'confirm' });
  }
  const { manifest, hub } = await openTarget(app, restore, id);
  await probeTier(app, hub);
  // Whatever lives in a scratch hub is its drills' own.
  const { runs: newer, warnings } =
    purpose === 'drill' ? { runs: [], warnings: [] } : await findNewer(app, restore, keepNewer);
  const { role } = await noteRoles(app);
  const purposeOf = { id, purpose: 'rollback' } as const;
  return launchAgain(app, restore, manifest, { ...purposeOf, role, note, warnings, newer, requestedBy, askedBy });
}
