import { isSameHub, lockName } from '../../core/paths.ts';
import type { HubRef } from '../../core/ports.ts';
import type { Erasure } from '../../core/request/erasure.ts';
import { isOver } from '../../core/run/run.ts';
import { type App, toInstant } from '../app.ts';
import { readLocked, refuseIfHeld } from '../runs/lock.ts';
import { appsOfOtherPairs } from '../runs/other-pairs.ts';
import { addErasure } from '../snapshots/erased.ts';
import { listSnapshotIdsOfPair } from '../snapshots/store.ts';
import { forEachConcurrent } from '../stored/concurrent.ts';
import { findHolders } from './holders.ts';
import { findLive } from './live-rows.ts';

const WRITERS = 16;

/**
 * From here on, no restore, sync, failback or rollback brings back what is erased from a snapshot whose reading has
 * begun. It touches no hub: what lives there is listed. Throws `RunInProgress` while a restore into either hub runs, for
 * that may have decided already.
 */
export async function erase(app: App, erasure: Erasure) {
  await refuseWhileRestoring(app);
  const at = toInstant(app.world.storageNow());
  const begun = [...(await listSnapshotIdsOfPair(app)), ...(await snapshotsUnderWay(app))];
  await forEachConcurrent(begun, WRITERS, ({ hub, id }) => addErasure(app, hub, id, erasure));
  // One that began meanwhile may have looked before there was anything to see.
  await refuseWhileRestoring(app);
  app.log.info('erased', { kind: erasure.kind, snapshots: begun.length });
  const [holders, ...live] = await Promise.all([
    findHolders(app, erasure),
    findLive(app, app.primary, erasure),
    findLive(app, app.secondary, erasure),
  ]);
  return { erasedAt: at, by: erasure.kind, snapshots: holders, live };
}

async function refuseWhileRestoring(app: App): Promise<void> {
  for (const { ref } of [app.primary, app.secondary]) await refuseIfHeld(app, 'restore', ref);
}

/** Of backups that read one of the hubs now. Their ids are those of the snapshots that they make. */
async function snapshotsUnderWay(app: App): Promise<{ readonly hub: HubRef; readonly id: string }[]> {
  const under: { readonly hub: HubRef; readonly id: string }[] = [];
  const hubs = [app.primary.ref, app.secondary.ref];
  for (const each of [app, ...(await appsOfOtherPairs(app))]) {
    for (const { ref } of [each.primary, each.secondary]) {
      if (!hubs.some((hub) => isSameHub(hub, ref))) continue;
      const run = (await readLocked(each, lockName('backup', ref)))?.run;
      if (typeof run === 'object' && !isOver(run)) under.push({ hub: ref, id: run.id });
    }
  }
  return under;
}
