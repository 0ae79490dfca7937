import { isWrittenOutcome, outcomeOf, type ShardOutcomes } from '../../../core/restore/outcomes.ts';
import { type Note, seenVersions } from '../../../core/restore/seen.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { type Journal, readJournals, storeJournal } from '../outcomes/journal.ts';
import { LAST_PASS } from './next-pass.ts';
import type { OpenOutcomes } from './open-outcomes.ts';
import type { Planned, RecordPlanner } from './planner.ts';

/** What a step needs to note what later passes, or a rollback, must know of the rows of its shard. */
export interface JournalWriter {
  readonly app: App;
  readonly run: RestoreRun;
  readonly shard: number;
  /** What the pass before made of the shard. */
  readonly before: ShardOutcomes | undefined;
  readonly plan: RecordPlanner;
  readonly outcomes: OpenOutcomes;
  readonly deadlineAt: number;
  /** What this step noted of the records it decided about; absent where it is not needed. */
  readonly noted: Map<number, Planned['noted']> | undefined;
}

/** A restore notes what it sees of what it wrote, a rollback what it is about to remove. */
export function keepsJournal({ request }: RestoreRun, before: ShardOutcomes | undefined): boolean {
  return request.purpose === 'rollback' || before !== undefined;
}

/** At the end of a shard's pass; gives what is noted. */
export async function writeJournal(writer: JournalWriter): Promise<Journal> {
  const { app, run, shard, outcomes, noted } = writer;
  const journal = new Map<number, Note>();
  if (noted === undefined) return journal;
  for (const [index, letter] of outcomes.letters().entries()) {
    const note = isNoted(run, letter) ? await noteOf(writer, noted, index) : undefined;
    if (note !== undefined) journal.set(index, note);
    if (note === 'rewritten' && noted.get(index) !== 'rewritten') outcomes.count('unconfirmed', 1);
  }
  await storeJournal(app, run, shard, journal);
  if (run.request.purpose !== 'rollback')
    outcomes.count('unconfirmed', await countUnconfirmed(app, run, shard, journal));
  return journal;
}

/** Of a rollback, too, what was about to be removed when its device turned out to be faster. */
function isNoted({ request }: RestoreRun, letter: string): boolean {
  const outcome = outcomeOf(letter);
  return isWrittenOutcome(outcome) || (request.purpose === 'rollback' && outcome === 'keptLive');
}

async function noteOf(
  { run, plan, before, outcomes, deadlineAt }: JournalWriter,
  noted: ReadonlyMap<number, Planned['noted']>,
  index: number,
): Promise<Planned['noted']> {
  const isRestore = run.request.purpose !== 'rollback';
  // Also by a step before this one, whose write may be on its way yet.
  if (isRestore && outcomes.isRewritten(index)) return 'rewritten';
  if (noted.has(index)) return noted.get(index);
  // What a step before this one decided is decided once more: the same look gives the same.
  const letter = before?.letters[index];
  const earlier = outcomeOf(letter);
  const planned = plan(index, isWrittenOutcome(earlier) ? earlier : undefined, letter);
  if (!isRestore || planned.ask === undefined) return planned.noted;
  return (await planned.ask({ deadlineAt })).noted;
}

/** Of the records that were written again, those of which it is not certain yet what the hub shows. */
async function countUnconfirmed(app: App, run: RestoreRun, shard: number, journal: Journal): Promise<number> {
  const { pass } = run.phase;
  if (pass <= 2 || pass === LAST_PASS) return 0;
  const journals = [...(await readJournals(app, run, pass - 1, shard)), journal];
  const isUnconfirmed = ([index, note]: [number, Note]): boolean =>
    note !== 'rewritten' && seenVersions(journals.map((one) => one.get(index))) === undefined;
  return [...journal].filter(isUnconfirmed).length;
}
