import { fullNameOf, isSameHub } from '../../core/paths.ts';
import { isWithinDrift } from '../../core/restore/plan/circumstances.ts';
import { type Role, roleDeclared } from '../../core/run/role.ts';
import { isOver, type RestoreRun } from '../../core/run/run.ts';
import { type App, toInstant } from '../app.ts';
import { changeRole, namedHubs } from '../runs/roles.ts';
import { findRun } from '../runs/store.ts';

/**
 * Makes the target of a run with `activate` the hub in use; gives since when it is so. May run twice: the second time leaves
 * the role alone, also where another one was declared in between. What was declared while the run was active counts.
 */
export async function activateTarget(app: App, run: RestoreRun): Promise<string | undefined> {
  const { id, hub, request, askedBy } = run;
  if (request.activate !== true || request.dryRun || !isWithinDrift(run, app.policy.standbyDriftPercent))
    return undefined;
  // Cancelled, or taken over, while it counted.
  if (isOver(await findRun(app, 'restore', id))) return undefined;
  const { role } = await changeRole(app, (current) => {
    if (isDone(current, run) || isOverruled(current, run)) return current;
    const voice = {
      at: toInstant(app.world.storageNow()),
      by: 'restore',
      note: request.note,
      runId: id,
      askedBy,
    } as const;
    return roleDeclared(current, hub, voice, namedHubs(app));
  });
  if (isSameHub(role.active, hub)) return role.since;
  app.log.warn('hub not activated: another role was declared meanwhile', { hub: fullNameOf(hub) });
  return role.history.find(({ runId }) => runId === id)?.since;
}

function isDone({ active, history }: Role, { id, hub }: RestoreRun): boolean {
  return isSameHub(active, hub) || history.some(({ runId }) => runId === id);
}

function isOverruled({ declared }: Role, { createdAt }: RestoreRun): boolean {
  return declared !== undefined && declared.at > createdAt;
}
