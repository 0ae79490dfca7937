import { DrError } from '../../../core/errors.ts';
import { Comparison } from '../../../core/fingerprint/comparison.ts';
import { comparisonName } from '../../../core/paths.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { packNumbers, unpackNumbers } from '../../stored/numbers-blob.ts';

/** Stores what the pass's look at the target showed of a shard, for the step that goes by it. */
export async function storeComparison(app: App, run: RestoreRun, shard: number, comparison: Comparison): Promise<void> {
  const name = comparisonName(run.id, run.phase.pass, shard);
  await app.blobs.put(name, packNumbers({ likeness: name }, comparison.numbers), 'any');
}

/** Throws `StoredDocumentInvalid`, naming the blob, when it is missing, damaged, or not of `count` records. */
export async function readComparison(app: App, run: RestoreRun, shard: number, count: number): Promise<Comparison> {
  const name = comparisonName(run.id, run.phase.pass, shard);
  const blob = await app.blobs.get(name);
  if (blob === undefined) throw unusable(name, 'is missing');
  const { title, numbers } = unpackNumbers(name, blob.bytes);
  if (title !== JSON.stringify({ likeness: name })) throw unusable(name, 'holds what was stored elsewhere');
  try {
    return new Comparison(numbers, count);
  } catch (error) {
    if (error instanceof RangeError) throw unusable(name, 'is not of the shard it is stored for');
    throw error;
  }
}

function unusable(name: string, what: string): DrError {
  return new DrError('StoredDocumentInvalid', `The comparison ${name} ${what}. Start a new run.`, { target: name });
}
