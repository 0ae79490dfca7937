import { isSameHub } from '../paths.ts';
import { mayHaveWritten } from '../run/amounts.ts';
import type { Role } from '../run/role.ts';
import { isOver, type RestoreRun } from '../run/run.ts';

interface Unsettled {
  readonly runId: string;
  readonly at: string;
}

/**
 * The last restore into the standby, if any, that ended since the role was last declared and was not rolled back. Of the
 * newest runs, newest first; `before` is what was known of those that have become too old to be among them.
 */
export function findUnsettled(
  { since, declared, standby }: Role,
  restores: readonly RestoreRun[],
  before?: Unsettled,
): Unsettled | undefined {
  const settledAt = declared !== undefined && declared.at > since ? declared.at : since;
  const undone = new Set(restores.filter(isRolledBack).map(({ request }) => request.of));
  const open = restores.flatMap((run) =>
    leavesRoleOpen(run) && isSameHub(run.hub, standby) ? [{ runId: run.id, at: run.finishedAt }] : [],
  );
  const known = [...open, ...(before === undefined ? [] : [before])];
  return known.find(({ runId, at }) => at > settledAt && !undone.has(runId));
}

function isRolledBack({ status, request }: RestoreRun): boolean {
  return request.purpose === 'rollback' && status === 'Succeeded';
}

function leavesRoleOpen(run: RestoreRun): run is RestoreRun & { readonly finishedAt: string } {
  const { dryRun, purpose, target } = run.request;
  if (
    !isOver(run) ||
    run.finishedAt === undefined ||
    dryRun ||
    purpose === 'sync' ||
    purpose === 'rollback' ||
    target === 'drill'
  )
    return false;
  return run.result?.activatedAt === undefined && mayHaveFilled(run);
}

/** One in which all was in place already may be a failover, too. */
function mayHaveFilled({ status, result }: RestoreRun): boolean {
  return status === 'Succeeded' || (result !== undefined && mayHaveWritten(result));
}
