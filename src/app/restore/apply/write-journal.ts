import { isWrittenOutcome, outcomeOf, type ShardOutcomes } from '../../../core/restore/plan/outcomes.ts';
import { type JournalNote, seenVersions } from '../../../core/restore/plan/seen.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { type Journal, readJournals, storeAsked, storeJournal } from '../outcomes/journal.ts';
import { LAST_PASS } from './next-pass.ts';
import type { OpenOutcomes } from './open-outcomes.ts';
import type { Planned, RecordPlanner } from './planner.ts';
import { mayWrite, type Writer } from './write-batch.ts';

/** What a step needs to note what later passes, or a rollback, must know of the rows of its shard. */
export interface JournalWriter {
  readonly app: App;
  readonly run: RestoreRun;
  readonly shard: number;
  /** What the pass before made of the shard. */
  readonly before: ShardOutcomes | undefined;
  readonly plan: RecordPlanner;
  readonly outcomes: OpenOutcomes;
  /** What this step noted of the records it decided about, and those before it asked for; absent where it is not needed. */
  readonly noted: Map<number, Planned['noted']> | undefined;
  /** Of these the positions that the hub was asked for. */
  readonly asked: Set<number>;
}

/** A restore notes what it sees of what it wrote, a rollback what it is about to remove. */
export function keepsJournal({ request }: RestoreRun, before: ShardOutcomes | undefined): boolean {
  return request.purpose === 'rollback' || before !== undefined;
}

/** At the end of a shard's pass, when all is noted; gives what is. */
export async function writeJournal(writer: JournalWriter): Promise<Journal> {
  const { app, run, shard, outcomes, noted } = writer;
  const journal = new Map<number, JournalNote>();
  if (noted === undefined) return journal;
  for (const [index, letter] of outcomes.letters().entries()) {
    if (!isNoted(run, letter)) continue;
    const note = isRewritten(writer, index) ? 'rewritten' : noted.get(index);
    if (note !== undefined) journal.set(index, note);
    if (note === 'rewritten' && noted.get(index) !== 'rewritten') outcomes.count('unconfirmed', 1);
  }
  await storeJournal(app, run, shard, journal);
  if (run.request.purpose !== 'rollback')
    outcomes.count('unconfirmed', await countUnconfirmed(app, run, shard, journal));
  return journal;
}

/**
 * Of a rollback, too, what was about to be removed when its device turned out to be faster, and what is as it was before
 * the restore: that may have another version since.
 */
function isNoted({ request }: RestoreRun, letter: string): boolean {
  const outcome = outcomeOf(letter);
  const isOfRollback = outcome === 'keptLive' || outcome === 'unchanged';
  return isWrittenOutcome(outcome) || (request.purpose === 'rollback' && isOfRollback);
}

/**
 * Decides once more what steps before this one decided: the same look gives the same. What the listing does not show,
 * the hub is asked for again, unless they have noted the answer. False when time does not suffice.
 */
export async function noteRest(work: Writer & JournalWriter): Promise<boolean> {
  const { run, plan, before, outcomes, noted, deadlineAt } = work;
  if (noted === undefined) return true;
  const unseen: { readonly index: number; readonly ask: NonNullable<Planned['ask']> }[] = [];
  for (const [index, letter] of outcomes.letters().entries()) {
    if (!isNoted(run, letter) || noted.has(index) || isRewritten(work, index)) continue;
    const letterBefore = before?.letters[index];
    const earlier = outcomeOf(letterBefore);
    const planned = plan(index, isWrittenOutcome(earlier) ? earlier : undefined, letterBefore);
    if (run.request.purpose === 'rollback' || planned.ask === undefined) noted.set(index, planned.noted);
    else unseen.push({ index, ask: planned.ask });
  }
  await work.workers.forEach(unseen, async ({ index, ask }) => {
    if (!mayWrite(work)) return;
    noted.set(index, (await ask({ deadlineAt })).noted);
    work.asked.add(index);
  });
  return unseen.every(({ index }) => noted.has(index));
}

/** By a restore; also by a step before this one, whose write may be on its way yet. */
function isRewritten({ run, outcomes }: JournalWriter, index: number): boolean {
  return run.request.purpose !== 'rollback' && outcomes.isRewritten(index);
}

/** Stores what the next step need not ask for again, and gives how much that is. */
export async function keepAsked({ app, run, shard, before, noted, asked }: JournalWriter): Promise<number> {
  const notes = new Map<number, JournalNote>();
  for (const index of asked) {
    const note = noted?.get(index);
    if (note !== undefined && note !== 'rewritten') notes.set(index, note);
  }
  if (before !== undefined && notes.size > 0) await storeAsked(app, run, shard, notes);
  return notes.size;
}

/** Of the records that were written again, those of which it is not certain yet what the hub shows. */
async function countUnconfirmed(app: App, run: RestoreRun, shard: number, journal: Journal): Promise<number> {
  const { pass } = run.phase;
  if (pass <= 2 || pass === LAST_PASS) return 0;
  const journals = [...(await readJournals(app, run, pass - 1, shard)), journal];
  const isUnconfirmed = ([index, note]: [number, JournalNote]): boolean =>
    note !== 'rewritten' && seenVersions(journals.map((one) => one.get(index))) === undefined;
  return [...journal].filter(isUnconfirmed).length;
}
