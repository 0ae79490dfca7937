import { describePhase, type Run } from '../../core/run.ts';
import type { App } from '../app.ts';

/**
 * Does one shard's work of a run's phase, and tells whether this process works at no other shard of that phase at its
 * end. Only then is it worth asking storage whether the phase is over: whoever works at another one asks when that ends,
 * and if it dies, whoever does it again. Without this a run of a thousand shards would list a thousand results a
 * thousand times.
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
