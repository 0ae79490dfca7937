import { DrError } from '../../../core/errors.ts';
import { fullNameOf, isSameHub } from '../../../core/paths.ts';
import { countChangedThere, type StandbyLook, whySyncStops } from '../../../core/restore/plan/sync-bounds.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { readRoles } from '../../runs/roles.ts';
import { changeRun, readHolder } from '../../runs/store.ts';
import { isAgainstRole, whySyncRests } from '../../runs/sync-rests.ts';
import { supersede, TARGET_IN_USE } from '../outcomes/end-sync.ts';

/** How many records only the standby held when the pair's last run looked at all of it; `undefined` where that is not known. */
async function countOnlyBefore(app: App, { baseline, hub }: RestoreRun): Promise<number | undefined> {
  if (baseline === undefined) return undefined;
  const run = await readHolder(app, 'restore', baseline.current.runId);
  if (typeof run !== 'object' || run.request.purpose === 'rollback' || run.request.only !== undefined) return undefined;
  const counts = run.result?.counts;
  if (isSameHub(run.hub, hub)) return counts?.onlyInTarget;
  // This hub was the source: of what its newest snapshot held, only what failed was not agreed on.
  return counts !== undefined && run.request.askedSnapshot === 'latest' ? counts.failed + counts.pending : undefined;
}

/** What others changed in the standby since a run last looked at it. */
export async function countChanged(
  app: App,
  run: RestoreRun,
  sumOf: (fact: string) => number,
): Promise<{ readonly changedThere: number }> {
  const look: StandbyLook = {
    changed: sumOf('changed_there'),
    removed: sumOf('removed_there'),
    only: sumOf('only_there'),
    onlyBefore: await countOnlyBefore(app, run),
    records: sumOf('records'),
    absent: sumOf('absent'),
  };
  return { changedThere: countChangedThere(look) };
}

/**
 * Before the first write of a sync: whether it may write. It ends where the role changed, or came into doubt, since it
 * began. Throws `SyncStopped` where it would do more than its bounds allow: then it changes nothing at all.
 */
export async function maySync(app: App, planned: RestoreRun): Promise<boolean> {
  const rests = (await isAgainstRole(app, planned)) ? TARGET_IN_USE : await whySyncRests(app, await readRoles(app));
  if (rests !== undefined) {
    await supersede(app, planned, rests);
    return false;
  }
  const why = whySyncStops(planned, app.policy);
  if (why === undefined) return true;
  await changeRun(app, 'restore', planned.id, (current) =>
    current.found?.plan === undefined ? { ...current, found: planned.found } : undefined,
  );
  const target = fullNameOf(planned.hub);
  throw new DrError('SyncStopped', `The sync changed nothing in ${target}. ${why}`, { target });
}
