import { z } from 'zod';
import type { BlobFacts } from '../../ports.ts';

export const writtenOutcomes = ['created', 'updated', 'removed', 'renewed', 'moved', 'withdrawn', 'putBack'] as const;
/** An outcome that writing brings about. */
export type WrittenOutcome = (typeof writtenOutcomes)[number];
const countedOutcomes = [
  'pending',
  ...writtenOutcomes,
  'unchanged',
  'keptLive',
  'conflict',
  'unknownOrigin',
  'goneInTarget',
  'leftover',
  'failed',
] as const;
/** What a restore's records can be listed by, as `counts` names it. */
export const recordKinds = [...countedOutcomes, 'raced', 'onlyInTarget'] as const;
export type RecordKind = (typeof recordKinds)[number];
export const recordKindSchema = z.enum(recordKinds);
const outcomes = [...countedOutcomes, 'excluded'] as const;
export type Outcome = (typeof outcomes)[number];

/** What became of one record of a shard, as one letter: a shard's outcomes are a text as long as it has records. */
export const outcomeLetters: Readonly<Record<Outcome, string>> = {
  pending: '.',
  created: 'c',
  updated: 'u',
  /** Its expiry was earlier in the target. */
  renewed: 'n',
  /** The same under another registration id. */
  moved: 'm',
  unchanged: '=',
  keptLive: 'k',
  /** Differs, and the target's is not provably older. */
  conflict: '!',
  /** Differs, and nothing is known of where the target has it from. */
  unknownOrigin: '?',
  /** Its device went from the target, or from the source since the snapshot. */
  goneInTarget: 'a',
  /** The source no longer holds it, and it was ours. */
  withdrawn: 'w',
  /** The source no longer holds it, and it stays. */
  leftover: 'l',
  /** Of a rollback: what a restore had written was asked to be removed. */
  removed: 'r',
  /** Of a rollback: what a restore had overwritten or withdrawn is there again. */
  putBack: 'p',
  failed: 'f',
  /** Not what the restore was asked for; counted nowhere. */
  excluded: '-',
};

/**
 * What is known of a removal: a step was about to ask for it when it died, it was asked for, the hub answered that it is
 * done, or a later look did not show it.
 */
const removals = ['begun', 'asked', 'answered', 'unseen'] as const;
export type Removal = (typeof removals)[number];
const removalLetters: Readonly<Record<Removal, string>> = {
  begun: 'b',
  asked: outcomeLetters.removed,
  answered: 'g',
  unseen: 'x',
};

/** The letter of a record whose removal is that far. */
export function removalLetter(removal: Removal): string {
  return removalLetters[removal];
}

/** How far the removal is that the letter stands for. */
export function removalOf(letter: string | undefined): Removal | undefined {
  return removals.find((removal) => removalLetters[removal] === letter);
}

/** Created over a registration that its device had written since the look. */
export const racedLetter = 'd';

/** Written and shown by the hub, and then removed by it: what a push service calls gone. */
export const lostLetter = 's';

/** Stored before the record is written: what it will have become, in case the run dies in the middle of it. */
export const underWayLetters: Readonly<Record<WrittenOutcome, string>> = {
  created: 'C',
  updated: 'U',
  renewed: 'N',
  moved: 'M',
  withdrawn: 'W',
  removed: 'R',
  putBack: 'P',
};

export function isWrittenOutcome(outcome: Outcome | undefined): outcome is WrittenOutcome {
  return writtenOutcomes.some((written) => written === outcome);
}

/** `again`: the content was not changed. */
export function writtenOf(outcome: WrittenOutcome): 'again' | 'content' {
  return outcome === 'renewed' || outcome === 'moved' ? 'again' : 'content';
}

const intentsByLetter = new Map(writtenOutcomes.map((outcome) => [underWayLetters[outcome], outcome]));
const outcomesByLetter = new Map<string, Outcome>([
  ...outcomes.map((outcome) => [outcomeLetters[outcome], outcome] as const),
  ...[...intentsByLetter.keys()].map((letter) => [letter, 'pending'] as const),
  ...removals.map((removal) => [removalLetters[removal], 'removed'] as const),
  [racedLetter, 'created'],
  [lostLetter, 'goneInTarget'],
]);
const isLetters = (text: string): boolean => [...text].every((letter) => outcomesByLetter.has(letter));

/** The outcome a letter stands for; `pending` for a write that is under way, `undefined` for any other text. */
export function outcomeOf(letter: string | undefined): Outcome | undefined {
  return letter === undefined ? undefined : outcomesByLetter.get(letter);
}

/** Whether the record is listed by that kind. */
export function isOfKind(letter: string, kind: RecordKind): boolean {
  return kind === 'raced' ? letter === racedLetter : outcomeOf(letter) === kind;
}

/** What the write that is under way will make of the record. */
export function intentOf(letter: string | undefined): WrittenOutcome | undefined {
  return letter === undefined ? undefined : intentsByLetter.get(letter);
}

/** How many records are being written. */
export function countUnderWay(letters: string): number {
  return countOf(letters, isUnderWay);
}

/** How many records are settled, and not failed. */
export function countInPlace(letters: string): number {
  return countOf(letters, isInPlace);
}

export function countLost(letters: string): number {
  return countOf(letters, isLost);
}

export function countRaced(letters: string): number {
  return countOf(letters, isRaced);
}

/** At each save of each shard: by the codes of the letters, which are ASCII. */
function countOf(letters: string, isCounted: Uint8Array): number {
  let count = 0;
  for (let index = 0; index < letters.length; index += 1) count += isCounted[letters.charCodeAt(index)] ?? 0;
  return count;
}

function codesOf(letters: Iterable<string>): Uint8Array {
  const codes = new Uint8Array(128);
  for (const letter of letters) codes[letter.charCodeAt(0)] = 1;
  return codes;
}

const isUnderWay = codesOf(intentsByLetter.keys());
const isRaced = codesOf([racedLetter]);
const isLost = codesOf([lostLetter]);
const notInPlace: ReadonlySet<Outcome> = new Set(['pending', 'failed', 'excluded']);
const isInPlace = codesOf(
  [...outcomesByLetter].flatMap(([letter, outcome]) => (notInPlace.has(outcome) ? [] : [letter])),
);

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

/** The same, with what a look did not show as what was written of it: another look may show it. */
export function withMissingAsWritten(outcomes: ShardOutcomes): ShardOutcomes {
  const letters = [...outcomes.letters];
  const failures = outcomes.failures.filter(({ index, code, attempted }) => {
    if (code !== 'NotApplied' || attempted === undefined) return true;
    letters[index] = outcomeLetters[attempted];
    return false;
  });
  return { ...outcomes, letters: letters.join(''), failures };
}

const count = z.int().nonnegative();

/** Why a record could not be restored. docs/REFERENCE.md says of each what to do; a test holds the two together. */
export const failureCodes = [
  'Rejected',
  'NotServed',
  'TooLarge',
  'Stale',
  'UnknownPlatform',
  'TemplateWithoutName',
  'NotApplied',
] as const;

const failure = z.strictObject({
  /** Position of the record in its shard. */
  index: count,
  code: z.enum(failureCodes),
  /** HTTP status of the refusal, where there was one. */
  status: z.int().optional(),
  /** What the hub said of it, without what may be the record's own. */
  words: z.string().max(200).optional(),
  /** Some of the record may have been written before it failed. */
  attempted: z.enum(writtenOutcomes).optional(),
});

export const outcomesSchema = z.strictObject({
  /** Set when every record of the shard was found as it should be, with nothing left to write. */
  isDone: z.boolean(),
  letters: z.string().refine(isLetters, 'has a letter that stands for no outcome'),
  /** Of updated devices: the positions of the rows that were added. */
  added: z.array(z.strictObject({ index: count, rows: z.array(count) })).default([]),
  /** Of a later pass: the positions of the records that it wrote again, or was about to. */
  rewritten: z.array(count).default([]),
  /** Of records with very many writes that were begun: how many of these were answered, and which they are (`markOf`). */
  partly: z.array(z.strictObject({ index: count, done: count, mark: count })).default([]),
  /** Records that the hub showed right after they were written again. */
  shown: z.array(count).default([]),
  /** How many of the letters, the last ones, are of records that only the target holds. */
  extraCount: count.default(0),
  /** Records that live in the target alone, and of which nothing is known. */
  onlyInTarget: count.default(0),
  /** Created though they were agreed on before: that they were missing is not taken for their devices' own word. */
  absenceVoid: count.default(0),
  /** Rows of one template that a newer one superseded, and templates of installations without a name. */
  superseded: count.default(0),
  /** Installations of which the snapshot holds only templates. */
  partialInstallations: count.default(0),
  duplicatesCollapsed: count,
  repaired: count,
  /** Created records that were left to their devices, which had registered meanwhile. */
  takenBack: count.default(0),
  changedSince: count,
  /** Of those the ones that the target itself has stored otherwise than they were sent. */
  altered: count.default(0),
  /** What one look alone does not prove: the record has to be looked at again. */
  unconfirmed: count.default(0),
  /** Of those the ones whose writes may still be on their way. */
  tooEarly: count.default(0),
  lostMilliseconds: count,
  /** How long after this was stored a step may be writing what is under way; absent when the last one has stopped. */
  writesForMs: count.optional(),
  /** The same of earlier versions: the instant (epoch ms), by the clock of the host that wrote. */
  writesUntil: count.optional(),
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
