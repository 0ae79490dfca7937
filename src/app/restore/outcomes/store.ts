import { DrError } from '../../../core/errors.ts';
import { resultName } from '../../../core/paths.ts';
import { parseOutcomes, type ShardOutcomes } from '../../../core/restore/outcomes.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { openDocument } from '../../stored/codec.ts';

export interface StoredOutcomes {
  readonly outcomes: ShardOutcomes;
  readonly etag: string;
}

export async function readOutcomes(
  app: App,
  run: RestoreRun,
  pass: number,
  shard: number,
): Promise<StoredOutcomes | undefined> {
  const name = resultName('restore', run.id, pass, 'reconcile', shard);
  const blob = await app.blobs.get(name);
  if (blob === undefined) return undefined;
  return { outcomes: parseOutcomes(openDocument(name, blob.bytes), name), etag: blob.etag };
}

/** What a pass before made of a shard. Throws `StoredDocumentInvalid` when that is missing, or not all of it. */
export async function readFinishedOutcomes(
  app: App,
  run: RestoreRun,
  pass: number,
  shard: number,
  recordCount: number,
): Promise<ShardOutcomes> {
  const outcomes = (await readOutcomes(app, run, pass, shard))?.outcomes;
  if (outcomes?.isDone && outcomes.letters.length === recordCount) return outcomes;
  throw unusableOutcomes(run, pass, shard);
}

/** Of a shard no step has worked on. */
export const noOutcomes: Omit<ShardOutcomes, 'letters'> = {
  formatVersion: 1,
  isDone: false,
  added: [],
  duplicatesCollapsed: 0,
  repaired: 0,
  changedSince: 0,
  lostMilliseconds: 0,
  inPlace: [],
  failures: [],
};

export function unusableOutcomes(run: RestoreRun, pass: number, shard: number): DrError {
  const name = resultName('restore', run.id, pass, 'reconcile', shard);
  return new DrError(
    'StoredDocumentInvalid',
    `The result ${name} of pass ${pass} is missing or not whole. Start a new restore; it finds what this one wrote and leaves it unchanged.`,
    { target: name },
  );
}
