import type { Neighbours } from '../core/registration/record.ts';
import type { Run } from '../core/run.ts';
import type { App } from './app.ts';
import { sealSnapshotShards } from './backup/build-shards.ts';
import { sealTargetShards } from './restore/compare/compare-shards.ts';
import { type Moved, moveOn } from './runs/dispatch.ts';
import { withOthers } from './runs/in-flight.ts';
import { areAllDone } from './runs/phase-end.ts';

/**
 * Makes ready what a scan staged for neighbouring shards: in a backup they become shards of the snapshot, in a restore
 * they are held against the snapshot's. Running it twice stores the same twice.
 */
export async function seal(app: App, run: Run, shards: Neighbours): Promise<Moved> {
  const { pass } = run.phase;
  const { isLast } = await withOthers(app, run, shards.first, async () => {
    if (run.kind === 'backup') await sealSnapshotShards(app, run, shards);
    if (run.kind === 'restore') await sealTargetShards(app, run, shards);
  });
  if (!isLast || !(await areAllDone(app, run, 'seal'))) return undefined;
  return moveOn(app, run, { name: run.kind === 'backup' ? 'publish' : 'reconcile', pass });
}
