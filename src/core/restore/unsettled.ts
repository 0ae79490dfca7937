import { isSameHub } from '../paths.ts';
import type { Role } from '../run/role.ts';
import { isOver, type RestoreRun } from '../run/run.ts';
import { wrote } from './next-actions.ts';

/** The restore into the standby, if any, that ended since the role was last declared; of these runs, newest first. */
export function findUnsettled({ since, declared, standby }: Role, restores: readonly RestoreRun[]) {
  const last = restores.find((run) => isOver(run) && !run.request.dryRun && run.request.target !== 'drill');
  if (last?.finishedAt === undefined || last.request.purpose === 'rollback' || !isSameHub(last.hub, standby))
    return undefined;
  const settledAt = declared !== undefined && declared.at > since ? declared.at : since;
  const isSettled = last.finishedAt <= settledAt || last.result?.activatedAt !== undefined;
  return isSettled || !mayHaveWritten(last) ? undefined : { runId: last.id, at: last.finishedAt };
}

/** One in which all was in place already may be a failover, too. */
function mayHaveWritten({ status, result }: RestoreRun): boolean {
  if (status === 'Succeeded' || result === undefined) return status === 'Succeeded';
  return wrote(result.counts) + result.attempted > 0;
}
