import type { Neighbours } from '../../core/registration/record.ts';
import type { Phase, Run } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { type Moved, moveOn } from './dispatch.ts';
import { areAllDone, withOthers } from './shard-phase.ts';

/** Does neighbouring shards of the phase `seal`, and moves the run to the next phase when they were the last ones. */
export async function doShards(
  app: App,
  run: Run,
  shards: Neighbours,
  work: () => Promise<void>,
  next: Phase['name'],
): Promise<Moved> {
  const { isLast } = await withOthers(app, run, shards.first, work);
  if (!isLast || !(await areAllDone(app, run, 'seal'))) return undefined;
  return moveOn(app, run, { name: next, pass: run.phase.pass });
}
