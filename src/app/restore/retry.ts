import { isSameHub } from '../../core/paths.ts';
import type { RetryRequest } from '../../core/request/restore.ts';
import { countToRetry } from '../../core/restore/next-actions.ts';
import type { Role } from '../../core/run/role.ts';
import type { RestoreRun } from '../../core/run/run.ts';
import { counted } from '../../core/words.ts';
import type { App } from '../app.ts';
import { noteRoles, readRoles } from '../runs/roles.ts';
import { launchAgain, openTarget, readEnded, refusal } from './again.ts';
import { findRetryOf } from './outcomes/retried.ts';
import { readTotals } from './outcomes/totals.ts';
import { preflight, refuseHubInUse, refuseWrongConfirmation } from './preflight.ts';

/**
 * A retry as a person asks for it. Besides what `startRetry` refuses, throws `NothingToRetry` where another retry has put
 * in place what was left out, and `ConfirmationMissing` wherever the target is the hub in use and its name is not typed.
 */
export async function askForRetry(
  app: App,
  runId: string,
  request: RetryRequest,
  askedBy: string | undefined,
): Promise<RestoreRun> {
  const { restore, count } = await findRetryable(app, runId, request);
  const retriedBy = await findRetryOf(app, restore);
  if (retriedBy !== undefined) {
    const advice = `See it: notification-hubs-dr report ${retriedBy}; what is missing now, a new restore finds`;
    throw refusal('NothingToRetry', restore, `is completed: retry ${retriedBy} did what it left out. ${advice}`);
  }
  if (request.confirm === undefined) {
    const about = `The retry writes ${counted(count, 'record')} at most, which ${restore.id} left out.`;
    refuseHubInUse(restore.hub, (await readRoles(app)).role, about);
  }
  return launchRetry(app, restore, request, askedBy);
}

/**
 * Restores again what failed, what the restore did not come to, and what it wrote and never looked at again. Throws
 * `RunNotOver` while it runs, `NothingToRetry` when every record it is about is in place, `ConfirmationMissing` when its
 * target came into use since, unless the name of that is typed.
 */
export async function startRetry(
  app: App,
  runId: string,
  request: RetryRequest = {},
  askedBy?: string,
): Promise<RestoreRun> {
  const { restore } = await findRetryable(app, runId, request);
  return launchRetry(app, restore, request, askedBy);
}

async function launchRetry(
  app: App,
  restore: RestoreRun,
  { confirm }: RetryRequest,
  askedBy: string | undefined,
): Promise<RestoreRun> {
  const { manifest, hub } = await openTarget(app, restore);
  const warnings = await preflight(app, { hub, name: restore.request.target }, manifest, { isWhole: false });
  const { role } = await noteRoles(app);
  if (confirm === undefined && !wasNameTyped(restore, role)) refuseHubInUse(restore.hub, role);
  return launchAgain(app, restore, manifest, { purpose: 'retry', role, warnings, askedBy });
}

/** The restore, and how many records a retry of it is about: one at least. */
async function findRetryable(app: App, runId: string, { confirm }: RetryRequest) {
  const restore = await readEnded(app, runId);
  refuseWrongConfirmation(confirm, restore.hub);
  const { purpose, of, dryRun } = restore.request;
  if (purpose === 'rollback') {
    throw refusal('NothingToRetry', restore, `is a rollback. Roll back ${of} again: what is gone stays so`);
  }
  if (purpose === 'sync') {
    throw refusal('NothingToRetry', restore, 'is a sync. The one after the next backup does what it left out');
  }
  if (dryRun) throw refusal('NothingToRetry', restore, 'was a dry run. Start a restore');
  const { counts } = await readTotals(app, restore);
  const count = countToRetry(restore, counts);
  if (count === 0) throw refusal('NothingToRetry', restore, 'left no record out');
  return { restore, count };
}

/**
 * A restore into the hub in use needs that name to start, and so does one that brings its target into use. Which hub was
 * in use when it began is what it keeps, and not its date: two hosts' clocks may differ.
 */
function wasNameTyped({ id, hub, terms, request }: RestoreRun, { since, history }: Role): boolean {
  const term = terms?.at(-1);
  const wasInUse = term !== undefined && isSameHub(term.hub, hub) && term.since === since;
  const activatedBy = history.at(-1)?.runId;
  return wasInUse || (activatedBy !== undefined && (activatedBy === id || activatedBy === request.of));
}
