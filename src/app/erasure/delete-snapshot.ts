import { DrError, orFault } from '../../core/errors.ts';
import { fullNameOf } from '../../core/paths.ts';
import type { App } from '../app.ts';
import { findSnapshotsInUse, removeSnapshot } from '../prune.ts';
import { readMarks } from '../snapshots/marks.ts';
import {
  findNewestGood,
  listSnapshotIds,
  listSnapshotIdsOfPair,
  noSnapshot,
  readManifest,
} from '../snapshots/store.ts';

/**
 * Deletes a snapshot for good. Throws `SnapshotKept` while it is pinned, a run uses it, or it is the newest good one of
 * its hub. One whose manifest cannot be read may go: a person has looked at it.
 */
export async function deleteSnapshot(app: App, id: string) {
  const found = (await listSnapshotIdsOfPair(app)).find((one) => one.id === id);
  if (found === undefined || (await orFault(readManifest(app, found.hub, id))) === undefined) throw noSnapshot(id);
  const { hub } = found;
  const isPinned = (await readMarks(app, hub, id)).get(id)?.isPinned === true;
  if (isPinned) throw kept(id, `is pinned. Unpin it first (notification-hubs-dr unpin ${id})`);
  const [newestGood] = await findNewestGood(app, hub, await listSnapshotIds(app, hub));
  if (newestGood === id) throw kept(id, `is the newest good one of ${fullNameOf(hub)}. Take a backup first`);
  if ((await findSnapshotsInUse(app)).has(id))
    throw kept(
      id,
      'is in use by a run, or by a restore that was stopped. Wait until the run is over, or restore again first',
    );
  if (!(await removeSnapshot(app, hub, id))) throw kept(id, 'came into use just now. Look at the list again');
  app.log.info('snapshot deleted', { snapshotId: id });
  return { id, hub, deleted: true };
}

function kept(id: string, why: string): DrError {
  return new DrError('SnapshotKept', `Snapshot ${id} ${why}.`, { target: id });
}
