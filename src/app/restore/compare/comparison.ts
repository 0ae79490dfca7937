import { Comparison } from '../../../core/fingerprint/comparison.ts';
import { comparisonName } from '../../../core/paths.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { numberBlobs } from '../../stored/documents.ts';

/** Stores what the pass's look at the target showed of a shard, for the step that goes by it. */
export async function storeComparison(app: App, run: RestoreRun, shard: number, comparison: Comparison): Promise<void> {
  const name = comparisonName(run.id, run.phase.pass, shard);
  await numberBlobs.comparison.write(app, name, { title: {}, numbers: comparison.numbers }, 'any');
}

/** Throws `StoredDocumentInvalid`, naming the blob, when it is missing, damaged, or not of `count` records. */
export async function readComparison(app: App, run: RestoreRun, shard: number, count: number): Promise<Comparison> {
  const name = comparisonName(run.id, run.phase.pass, shard);
  const { numbers } = await numberBlobs.comparison.read(app, name);
  try {
    return new Comparison(numbers, count);
  } catch (error) {
    if (error instanceof RangeError) throw numberBlobs.comparison.invalid(name, 'is not of the shard it is stored for');
    throw error;
  }
}
