import type { Extra } from '../../../core/fingerprint/comparison.ts';
import { resultName } from '../../../core/paths.ts';
import { selectorOf } from '../../../core/request/selection.ts';
import {
  isWrittenOutcome,
  type Outcome,
  outcomeLetters,
  outcomeOf,
  type ShardOutcomes,
} from '../../../core/restore/plan/outcomes.ts';
import { toFacts } from '../../../core/restore/totals.ts';
import { hasLookedLast, type RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { openErased } from '../../snapshots/erased.ts';
import type { OpenShard } from '../../snapshots/store.ts';
import { documents } from '../../stored/documents.ts';
import { noOutcomes } from '../outcomes/store.ts';
import { readNewest, readRunOf } from '../outcomes/written.ts';
import { readComparison } from './comparison.ts';

/** What a shard begins with. */
export interface Beginning {
  /** Of each record of the snapshot. */
  readonly platforms: readonly string[];
  /** Which of them the restore is about. */
  readonly isSelected: (index: number) => boolean;
  /** Of records that only the target holds and the baseline knows: they come after those of the snapshot. */
  readonly extras: readonly Extra[];
  /** What each of these begins with. */
  readonly extraOutcomes: readonly Outcome[];
  readonly onlyInTarget: number;
}

/**
 * Stores what a shard begins with. Nothing that a step has stored since is overwritten: gives the outcomes of the extra
 * records that count, for a step that died may have found otherwise what is to be withdrawn.
 */
export async function storeSelection(
  app: App,
  run: RestoreRun,
  shard: number,
  beginning: Beginning,
): Promise<readonly Outcome[]> {
  const { platforms, isSelected, onlyInTarget } = beginning;
  const extraOutcomes = await extrasOf(app, run, shard, beginning);
  const name = resultName('restore', run.id, 1, 'reconcile', shard);
  const selected = platforms.map((_, index) => outcomeLetters[isSelected(index) ? 'pending' : 'excluded']);
  const letters = [...selected, ...extraOutcomes.map((outcome) => outcomeLetters[outcome])].join('');
  const outcomes: ShardOutcomes = { ...noOutcomes, letters, extraCount: extraOutcomes.length, onlyInTarget };
  const facts = toFacts(outcomes, { letters, platforms, wavesDone: 0 });
  if ((await documents.restoredShard.write(app, name, outcomes, 'new', facts)) !== 'conflict') return extraOutcomes;
  const { letters: stored } = await documents.restoredShard.read(app, name);
  return [...stored.slice(platforms.length)].flatMap((letter) => outcomeOf(letter) ?? []);
}

/** Which records of a shard a run is about, by position. What was erased since its snapshot was read is none of them. */
export async function selectionOf(
  app: App,
  run: RestoreRun,
  shard: number,
  snapshot: Pick<OpenShard, 'count' | 'openRecords'>,
): Promise<(index: number) => boolean> {
  const isAsked = await askedOf(app, run, shard, snapshot);
  if (run.source?.hasErasures === undefined) return isAsked;
  const isErased = await openErased(app, run.request.sourceHub, run.request.snapshotId);
  const records = await snapshot.openRecords();
  const erased = Array.from({ length: snapshot.count }, (_, index) => isErased(records.at(index)));
  return (index) => erased[index] !== true && isAsked(index);
}

async function askedOf(
  app: App,
  run: RestoreRun,
  shard: number,
  snapshot: Pick<OpenShard, 'count' | 'openRecords'>,
): Promise<(index: number) => boolean> {
  const { purpose, only } = run.request;
  if (purpose === 'retry') {
    const of = await readRunOf(app, run);
    const letters = await lettersOf(app, of, shard, snapshot);
    const isProven = hasLookedLast(of);
    return (index) => isUnfinished(outcomeOf(letters[index]), isProven);
  }
  if (only === undefined) return () => true;
  const isSelected = selectorOf(only);
  const records = await snapshot.openRecords();
  return (index) => isSelected(records.at(index));
}

/**
 * What the extra records of a shard begin with. A retry withdraws nothing that its restore left there: what that row keeps
 * out of the target is no part of the retry.
 */
async function extrasOf(
  app: App,
  run: RestoreRun,
  shard: number,
  { platforms, extras, extraOutcomes }: Beginning,
): Promise<readonly Outcome[]> {
  if (run.request.purpose !== 'retry' || !extraOutcomes.includes('pending')) return extraOutcomes;
  const of = await readRunOf(app, run);
  const newest = await readNewest(app, of, shard);
  if (newest === undefined || newest.extraCount === 0) return extraOutcomes;
  const { length: count } = platforms;
  const known = await readComparison(app, of, shard, count, 1);
  const isProven = hasLookedLast(of);
  const letters = new Map(known.extras.map(({ keyHash }, index) => [keyHash, newest.letters[count + index]]));
  return extraOutcomes.map((outcome, index) => {
    const letter = letters.get(extras[index]?.keyHash ?? Number.NaN);
    return letter === undefined || isUnfinished(outcomeOf(letter), isProven) ? outcome : 'leftover';
  });
}

function isUnfinished(outcome: Outcome | undefined, isProven: boolean): boolean {
  return outcome === 'failed' || outcome === 'pending' || (!isProven && isWrittenOutcome(outcome));
}

/** The newest that is known of each record of a shard; of a run that died early, what it was to restore. */
async function lettersOf(
  app: App,
  run: RestoreRun,
  shard: number,
  snapshot: Pick<OpenShard, 'count' | 'openRecords'>,
): Promise<string> {
  const newest = await readNewest(app, run, shard);
  if (newest !== undefined && newest.letters.length === snapshot.count + newest.extraCount) return newest.letters;
  const isSelected = await selectionOf(app, run, shard, snapshot);
  const letterOf = (_: unknown, index: number) => outcomeLetters[isSelected(index) ? 'pending' : 'excluded'];
  return Array.from({ length: snapshot.count }, letterOf).join('');
}
