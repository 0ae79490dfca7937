import type { Run } from '../core/run.ts';
import type { App } from './app.ts';
import { doneShards, type Moved, moveOn } from './dispatch.ts';
import { withOthers } from './in-flight.ts';
import { beat } from './run-store.ts';
import { sealSnapshotShard } from './seal-snapshot.ts';
import { sealTargetShard } from './seal-target.ts';

/**
 * Makes ready what a scan staged for one shard: in a backup that becomes a shard of the snapshot, in a restore it is held
 * against the snapshot's. Running it twice stores the same twice.
 */
export async function seal(app: App, run: Run, shard: number): Promise<Moved> {
  const { pass } = run.phase;
  const { isLast } = await withOthers(app, run, shard, async () => {
    if (run.kind === 'backup') await sealSnapshotShard(app, run, shard);
    if (run.kind === 'restore') await sealTargetShard(app, run, shard);
    await beat(app, run.kind, run.id);
  });
  if (!isLast) return undefined;
  const done = await doneShards(app, run.kind, run.id, pass, 'seal');
  if (done.size < run.shardCount) return undefined;
  return moveOn(app, run, { name: run.kind === 'backup' ? 'publish' : 'reconcile', pass });
}
