import type { DrError } from '../../../core/errors.ts';
import { resultName } from '../../../core/paths.ts';
import type { ShardOutcomes } from '../../../core/restore/plan/outcomes.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { documents } from '../../stored/documents.ts';

export function readOutcomes(app: App, run: RestoreRun, pass: number, shard: number) {
  return documents.restoredShard.find(app, resultName('restore', run.id, pass, 'reconcile', shard));
}

/** What a pass before made of a shard. Throws `StoredDocumentInvalid` when that is missing, or not all of it. */
export async function readFinishedOutcomes(
  app: App,
  run: RestoreRun,
  pass: number,
  shard: number,
  recordCount: number,
): Promise<ShardOutcomes> {
  const outcomes = (await readOutcomes(app, run, pass, shard))?.value;
  if (outcomes?.isDone && outcomes.letters.length === recordCount + outcomes.extraCount) return outcomes;
  throw unusableOutcomes(run, pass, shard);
}

/** Of a shard no step has worked on. */
export const noOutcomes: Omit<ShardOutcomes, 'letters'> = {
  isDone: false,
  added: [],
  rewritten: [],
  partly: [],
  shown: [],
  extraCount: 0,
  onlyInTarget: 0,
  superseded: 0,
  partialInstallations: 0,
  absenceVoid: 0,
  duplicatesCollapsed: 0,
  repaired: 0,
  takenBack: 0,
  changedSince: 0,
  altered: 0,
  unconfirmed: 0,
  tooEarly: 0,
  lostMilliseconds: 0,
  inPlace: [],
  failures: [],
};

export function unusableOutcomes(run: RestoreRun, pass: number, shard: number): DrError {
  const name = resultName('restore', run.id, pass, 'reconcile', shard);
  return documents.restoredShard.invalid(name, 'is missing or not whole');
}
