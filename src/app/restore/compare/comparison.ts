import { DrError } from '../../../core/errors.ts';
import { Comparison } from '../../../core/fingerprint/comparison.ts';
import { resultName } from '../../../core/paths.ts';
import type { BlobFacts } from '../../../core/ports.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { numberBlobs } from '../../stored/documents.ts';
import type { Looked } from './live-rows.ts';

/** Stores what the pass's look at the target showed of a shard: the result of comparing it. */
export async function storeComparison(
  app: App,
  run: RestoreRun,
  shard: number,
  { numbers, extras }: Comparison,
  { records, rows }: Pick<Looked, 'records' | 'rows'>,
  more: BlobFacts,
): Promise<void> {
  const title = { extraCount: extras.length };
  const facts = { done: '1', records: String(records), rows: String(rows), ...more };
  await numberBlobs.comparison.write(app, nameOf(run, run.phase.pass, shard), { title, numbers }, 'any', facts);
}

/** Throws `StoredDocumentInvalid`, naming the blob, when it is missing, damaged, or not of `count` records. */
export async function readComparison(
  app: App,
  run: RestoreRun,
  shard: number,
  count: number,
  pass = run.phase.pass,
): Promise<Comparison> {
  const name = nameOf(run, pass, shard);
  if (run.source === undefined) throw ofOlderVersion(run);
  const { title, numbers } = await numberBlobs.comparison.read(app, name);
  try {
    return new Comparison(numbers, count, title.extraCount);
  } catch (error) {
    if (error instanceof RangeError) throw numberBlobs.comparison.invalid(name, 'is not of the shard it is stored for');
    throw error;
  }
}

function ofOlderVersion({ id }: RestoreRun): DrError {
  const message = `The restore '${id}' was begun by an older version of this app, whose notes this one does not read. Start a new restore: it finds what this one wrote and leaves it unchanged.`;
  return new DrError('RunOfOlderVersion', message, { target: id });
}

function nameOf(run: RestoreRun, pass: number, shard: number): string {
  return resultName('restore', run.id, pass, 'seal', shard);
}
