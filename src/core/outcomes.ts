import { z } from 'zod';
import { parseJson, parseWith } from './parse.ts';
import type { BlobFacts } from './ports.ts';
import type { RestoreCounts } from './run.ts';

/** What became of one record of a shard, as one letter: a shard's outcomes are a text as long as it has records. */
export const outcomeLetters = {
  pending: '.',
  created: 'c',
  updated: 'u',
  unchanged: '=',
  keptLive: 'k',
  failed: 'f',
} as const;

export type Outcome = keyof typeof outcomeLetters;

/** The outcome a letter stands for; `undefined` for any other text. */
export function outcomeOf(letter: string | undefined): Outcome | undefined {
  const outcomes: readonly Outcome[] = ['pending', 'created', 'updated', 'unchanged', 'keptLive', 'failed'];
  return outcomes.find((outcome) => outcomeLetters[outcome] === letter);
}

const count = z.int().nonnegative();

const failure = z.strictObject({
  /** Position of the record in its shard. */
  index: count,
  code: z.enum(['Rejected', 'TooLarge', 'Stale', 'UnknownPlatform', 'TemplateWithoutName', 'NotApplied']),
  /** HTTP status of the refusal, where there was one. */
  status: z.int().optional(),
});

const outcomesSchema = z.strictObject({
  formatVersion: z.literal(1),
  isDone: z.boolean(),
  /** Set when every record of the shard was found as it should be, with nothing left to write. */
  letters: z.string().regex(/^[.cu=kf]*$/),
  duplicatesCollapsed: count,
  repaired: count,
  changedSince: count,
  lostMilliseconds: count,
  failures: z.array(failure),
});

/** How far one shard of a restore has come in one pass: checkpoint while it runs, result when it is done. */
export type ShardOutcomes = Readonly<z.infer<typeof outcomesSchema>>;
export type RecordFailure = z.infer<typeof failure>;

export function formatOutcomes(outcomes: ShardOutcomes): string {
  return JSON.stringify(outcomes);
}

export function parseOutcomes(text: string, blobName: string): ShardOutcomes {
  const source = {
    code: 'StoredDocumentInvalid',
    what: `shard result ${blobName}`,
    hint: 'Start a new restore; it finds what this one wrote and leaves it unchanged.',
    target: blobName,
  } as const;
  return parseWith(outcomesSchema, parseJson(text, source), source);
}

const factNames = {
  c: 'created',
  u: 'updated',
  s: 'unchanged',
  k: 'kept_live',
  f: 'failed',
} as const;

/** A shard's sums as blob facts, so that a run's progress is one listing and not a read per shard. */
export function toFacts(outcomes: ShardOutcomes): BlobFacts {
  const letters = countLetters(outcomes.letters);
  const codes = Object.entries(Object.groupBy(outcomes.failures, (one) => one.code));
  return {
    done: outcomes.isDone ? '1' : '0',
    [factNames.c]: String(letters.c),
    [factNames.u]: String(letters.u),
    [factNames.s]: String(letters['=']),
    [factNames.k]: String(letters.k),
    [factNames.f]: String(letters.f),
    collapsed: String(outcomes.duplicatesCollapsed),
    repaired: String(outcomes.repaired),
    changed_since: String(outcomes.changedSince),
    lost_ms: String(outcomes.lostMilliseconds),
    ...(codes.length === 0 ? {} : { codes: codes.map(([code, list]) => `${code}=${list?.length ?? 0}`).join(' ') }),
  };
}

export function isDoneFact(facts: BlobFacts): boolean {
  return facts['done'] === '1';
}

export interface OutcomeSums {
  readonly counts: RestoreCounts;
  readonly duplicatesCollapsed: number;
  readonly repaired: number;
  readonly changedSince: number;
  readonly lostMilliseconds: number;
  readonly failuresByCode: Readonly<Record<string, number>>;
}

/**
 * A restore's sums. `passes` holds the facts of each shard by pass, first pass first: what became of a record is what
 * its newest pass says; work done (repairs, time lost) adds up over the passes.
 */
export function sumOutcomes(total: number, passes: readonly ReadonlyMap<number, BlobFacts>[]): OutcomeSums {
  const newest = new Map<number, BlobFacts>();
  for (const pass of passes) for (const [shard, facts] of pass) newest.set(shard, facts);
  const sum = (name: string): number => [...newest.values()].reduce((sofar, facts) => sofar + numberOf(facts, name), 0);
  const sumAll = (name: string): number =>
    passes.reduce(
      (sofar, pass) => [...pass.values()].reduce((inner, facts) => inner + numberOf(facts, name), sofar),
      0,
    );
  const created = sum(factNames.c);
  const updated = sum(factNames.u);
  const unchanged = sum(factNames.s);
  const keptLive = sum(factNames.k);
  const failed = sum(factNames.f);
  const pending = Math.max(0, total - created - updated - unchanged - keptLive - failed);
  return {
    counts: { total, created, updated, unchanged, keptLive, failed, pending },
    duplicatesCollapsed: [...(passes[0]?.values() ?? [])].reduce(
      (sofar, facts) => sofar + numberOf(facts, 'collapsed'),
      0,
    ),
    repaired: sumAll('repaired'),
    changedSince: sum('changed_since'),
    lostMilliseconds: sumAll('lost_ms'),
    failuresByCode: sumCodes([...newest.values()]),
  };
}

function sumCodes(all: readonly BlobFacts[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const facts of all) {
    for (const pair of (facts['codes'] ?? '').split(' ').filter(Boolean)) {
      const [code = '', amount] = pair.split('=');
      sums[code] = (sums[code] ?? 0) + Number(amount);
    }
  }
  return sums;
}

function numberOf(facts: BlobFacts, name: string): number {
  const value = Number(facts[name] ?? 0);
  return Number.isFinite(value) ? value : 0;
}

function countLetters(letters: string): Record<'.' | 'c' | 'u' | '=' | 'k' | 'f', number> {
  const counts = { '.': 0, c: 0, u: 0, '=': 0, k: 0, f: 0 };
  for (const letter of letters) {
    if (letter in counts) counts[letter as keyof typeof counts] += 1;
  }
  return counts;
}
