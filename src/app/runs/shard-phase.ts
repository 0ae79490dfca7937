import { resultName, resultsFolder, type ShardPhase, shardOfName } from '../../core/paths.ts';
import type { BlobFacts } from '../../core/ports.ts';
import { membersOf } from '../../core/registration/record.ts';
import { wavesDoneOf } from '../../core/restore/totals.ts';
import { describePhase, type Run } from '../../core/run/run.ts';
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

/** Remembers an open shard of the run's phase, for `isSurelyOpen`. */
export function rememberOpen({ memory: { lastOpen } }: App, run: Run, done: ReadonlySet<number>): void {
  const shard = membersOf({ first: 0, count: run.shardCount }).findLast((one) => !done.has(one));
  if (shard === undefined) lastOpen.delete(run.id);
  else lastOpen.set(run.id, { phase: describePhase(run.phase), shard });
}

/** Whether all shards have done the run's phase, which is `phase`. */
export async function areAllDone(app: App, run: Run, phase: ShardPhase): Promise<boolean> {
  return !(await isSurelyOpen(app, run, phase)) && (await doneShards(app, run, phase)).size === run.shardCount;
}

/**
 * True when a shard that was open the last time still is, so that the run's phase surely continues: the step that does
 * that one asks again. It spares a listing, which costs with the number of shards; one at the end of each would cost
 * their square.
 */
export async function isSurelyOpen(app: App, run: Run, phase: ShardPhase): Promise<boolean> {
  const known = app.memory.lastOpen.get(run.id);
  if (known?.phase !== describePhase(run.phase)) return false;
  const [entry] = await app.blobs.list(resultName(run.kind, run.id, run.phase.pass, phase, known.shard));
  return entry === undefined || !isDone(run, entry.facts);
}

/**
 * Does one shard's work of a run's phase, and tells whether this process works at no other shard of that phase at its
 * end. Only then is it worth asking storage whether the phase is over: a step that works at another one asks when that
 * ends, and if it dies, the step that repeats it. Without this a run of a thousand shards would list a thousand results
 * a thousand times.
 */
export async function withOthers<T>(
  app: App,
  run: Run,
  shard: number,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly isLast: boolean }> {
  const { inFlight: phases } = app.memory;
  const phase = `${run.id} ${describePhase(run.phase)}`;
  const shards = phases.get(phase) ?? [];
  phases.set(phase, shards);
  shards.push(shard);
  let result: T;
  try {
    result = await work();
  } finally {
    shards.splice(shards.indexOf(shard), 1);
    if (shards.length === 0) phases.delete(phase);
  }
  return { result, isLast: shards.every((other) => other === shard) };
}
