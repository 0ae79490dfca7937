import { resultName, resultsFolder, type ShardPhase, shardOfName } from '../../core/paths.ts';
import type { BlobFacts } from '../../core/ports.ts';
import { membersOf } from '../../core/registration/record.ts';
import { wavesDoneOf } from '../../core/restore/outcome-sums.ts';
import { describePhase, type Run } from '../../core/run.ts';
import type { App } from '../app.ts';

/** The shards that have done the run's phase, which is `phase`: one listing of all results. */
export async function doneShards(app: App, run: Run, phase: ShardPhase): Promise<ReadonlySet<number>> {
  const entries = await app.blobs.list(resultsFolder(run.kind, run.id, run.phase.pass, phase));
  const done = new Set(entries.filter(({ facts }) => isDone(run, facts)).map(({ name }) => shardOfName(name)));
  rememberOpen(app, run, done);
  return done;
}

/** With a wave, those are done that have written it. */
function isDone({ phase: { wave = 0 } }: Run, facts: BlobFacts): boolean {
  return wavesDoneOf(facts) > wave;
}

/** Remembers an open shard of the run's phase, for `lacksShard`. */
export function rememberOpen({ memory: { lastOpen } }: App, run: Run, done: ReadonlySet<number>): void {
  const shard = membersOf({ first: 0, count: run.shardCount }).findLast((one) => !done.has(one));
  if (shard === undefined) lastOpen.delete(run.id);
  else lastOpen.set(run.id, { phase: describePhase(run.phase), shard });
}

/** Whether all shards have done the run's phase, which is `phase`. */
export async function areAllDone(app: App, run: Run, phase: ShardPhase): Promise<boolean> {
  return !(await lacksShard(app, run, phase)) && (await doneShards(app, run, phase)).size === run.shardCount;
}

/**
 * True when a shard that was open the last time still is, so that the run's phase surely goes on: whoever does that one
 * asks again. It spares a listing, which costs with the number of shards; one at the end of each would cost their square.
 */
export async function lacksShard(app: App, run: Run, phase: ShardPhase): Promise<boolean> {
  const known = app.memory.lastOpen.get(run.id);
  if (known?.phase !== describePhase(run.phase)) return false;
  const [entry] = await app.blobs.list(resultName(run.kind, run.id, run.phase.pass, phase, known.shard));
  return entry === undefined || !isDone(run, entry.facts);
}
