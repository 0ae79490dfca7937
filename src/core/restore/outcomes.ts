import { z } from 'zod';
import type { BlobFacts } from '../ports.ts';

/** What became of one record of a shard, as one letter: a shard's outcomes are a text as long as it has records. */
export const outcomeLetters = {
  pending: '.',
  created: 'c',
  updated: 'u',
  unchanged: '=',
  keptLive: 'k',
  /** Of a rollback: what a restore had written is gone again. */
  removed: 'r',
  failed: 'f',
  /** Not what the restore was asked for; counted nowhere. */
  excluded: '-',
} as const;

export type Outcome = keyof typeof outcomeLetters;
/** An outcome that writing brings about. */
export type WrittenOutcome = 'created' | 'updated' | 'removed';

/** Stored before the record is written: its intended outcome, in case the run dies during the write. */
export const underWayLetters = { created: 'C', updated: 'U', removed: 'R' } as const;

/** The outcome a letter stands for; `pending` for a write that is under way, `undefined` for any other text. */
export function outcomeOf(letter: string | undefined): Outcome | undefined {
  return letter === undefined ? undefined : outcomesByLetter.get(letter);
}

/** What the write that is under way will make of the record. */
export function intentOf(letter: string | undefined): WrittenOutcome | undefined {
  return letter === undefined ? undefined : intentsByLetter.get(letter);
}

const intentsByLetter: ReadonlyMap<string, WrittenOutcome> = new Map([
  [underWayLetters.created, 'created'],
  [underWayLetters.updated, 'updated'],
  [underWayLetters.removed, 'removed'],
]);

const outcomesByLetter: ReadonlyMap<string, Outcome> = new Map<string, Outcome>([
  [outcomeLetters.pending, 'pending'],
  [outcomeLetters.created, 'created'],
  [outcomeLetters.updated, 'updated'],
  [outcomeLetters.unchanged, 'unchanged'],
  [outcomeLetters.keptLive, 'keptLive'],
  [outcomeLetters.removed, 'removed'],
  [outcomeLetters.failed, 'failed'],
  [outcomeLetters.excluded, 'excluded'],
  ...Array.from(intentsByLetter.keys(), (letter) => [letter, 'pending'] as const),
]);

/**
 * The newest that is known of each record, as letters: what this pass did not come to yet is as the pass before left
 * it.
 */
export function newestLetters(letters: string, before: string | undefined): string {
  if (before === undefined || !letters.includes(outcomeLetters.pending)) return letters;
  return Array.from(letters, (letter, index) =>
    letter === outcomeLetters.pending ? (before[index] ?? letter) : letter,
  ).join('');
}

const count = z.int().nonnegative();

const failure = z.strictObject({
  /** Position of the record in its shard. */
  index: count,
  code: z.enum(['Rejected', 'TooLarge', 'Stale', 'UnknownPlatform', 'TemplateWithoutName', 'NotApplied']),
  /** HTTP status of the refusal, where there was one. */
  status: z.int().optional(),
  /** Some of the record may have been written before it failed. */
  attempted: z.enum(['created', 'updated']).optional(),
});

export const outcomesSchema = z.strictObject({
  /** Set when every record of the shard was found as it should be, with nothing left to write. */
  isDone: z.boolean(),
  letters: z.string().regex(/^[.cu=krf\-CUR]*$/),
  /** Of updated devices: the positions of the rows that were added. */
  added: z.array(z.strictObject({ index: count, rows: z.array(count) })).default([]),
  duplicatesCollapsed: count,
  repaired: count,
  changedSince: count,
  lostMilliseconds: count,
  /** How many records were in place at which time: milliseconds since the run began, and records. */
  inPlace: z.array(z.tuple([count, count])).default([]),
  failures: z.array(failure),
});

/** How far one shard of a restore has come in one pass: checkpoint while it runs, result when it is done. */
export type ShardOutcomes = Readonly<z.infer<typeof outcomesSchema>>;
export type RecordFailure = z.infer<typeof failure>;

/** Whether a phase's result for a shard is complete, by the facts kept beside it. */
export function isDoneFact(facts: BlobFacts): boolean {
  return facts['done'] === '1';
}
