import { numbersIn } from '../bytes/numbers-in.ts';
import type { BlobEntry, BlobFacts } from '../ports.ts';
import type { Milestones, OutcomeCounts, RestoreCounts } from '../run/run.ts';
import { formatSamples, milestonesOf } from './milestones.ts';
import {
  countLost,
  countRaced,
  countUnderWay,
  isDoneFact,
  outcomeOf,
  type RecordKind,
  type ShardOutcomes,
} from './plan/outcomes.ts';

/** A shard's sums as blob facts, so that a run's progress is one listing and not a read per shard. */

/** Numbers in this order stand for a platform's records. */
const counted = [
  'created',
  'updated',
  'unchanged',
  'keptLive',
  'removed',
  'failed',
  'pending',
  // Of later versions: older runs have none of them.
  'renewed',
  'moved',
  'conflict',
  'unknownOrigin',
  'goneInTarget',
  'withdrawn',
  'leftover',
  'putBack',
] as const satisfies readonly (keyof OutcomeCounts)[];
/** Facts are small: what is beyond is summed up under one name. */
const MAX_PLATFORMS = 16;
const MAX_PLATFORM_NAME = 40;
const OTHER = 'Other';

export interface ShardView {
  /** What `newestLetters` gives. */
  readonly letters: string;
  /** The platform of each record's first row; of the last, which only the target holds, it is not known. */
  readonly platforms: readonly string[];
  /** How many groups of the restore's order are written, counted from the first. */
  readonly wavesDone: number;
}

export function toFacts(outcomes: ShardOutcomes, { letters, platforms, wavesDone }: ShardView): BlobFacts {
  const byPlatform = countByPlatform(letters, platforms);
  const all = [...byPlatform.values()].reduce(addCounts, noCounts);
  const codes = Object.entries(Object.groupBy(outcomes.failures, (one) => one.code));
  const excluded = letters.length - counted.reduce((sum, name) => sum + all[name], 0);
  const facts: Record<string, string> = {
    done: outcomes.isDone ? '1' : '0',
    waves: String(wavesDone),
    platforms: [...byPlatform]
      .map(([name, counts]) => `${name}=${counted.map((one) => counts[one]).join(',')}`)
      .join(' '),
    failed: String(all.failed),
    excluded: String(excluded),
    extra: String(outcomes.extraCount),
    attempted: String(countUnderWay(letters) + outcomes.failures.filter((one) => one.attempted !== undefined).length),
    collapsed: String(outcomes.duplicatesCollapsed),
    repaired: String(outcomes.repaired),
    changed_since: String(outcomes.changedSince),
    altered: String(outcomes.altered),
    raced: String(countRaced(letters)),
    by_service: String(countLost(letters)),
    taken_back: String(outcomes.takenBack),
    unconfirmed: String(outcomes.unconfirmed),
    too_early: String(outcomes.tooEarly),
    only_in_target: String(outcomes.onlyInTarget),
    superseded: String(outcomes.superseded),
    partial: String(outcomes.partialInstallations),
    absence_void: String(outcomes.absenceVoid),
    lost_ms: String(outcomes.lostMilliseconds),
    writes_for: String(outcomes.writesForMs ?? ''),
    in_place: formatSamples(outcomes.inPlace),
    codes: codes.map(([code, list]) => `${code}=${list?.length ?? 0}`).join(' '),
  };
  // A fact cannot be empty.
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== ''));
}

/** How many groups of the order the shard has written: as many as there are, and more, when it is done. */
export function wavesDoneOf(facts: BlobFacts): number {
  return isDoneFact(facts) ? Number.POSITIVE_INFINITY : numberOf(facts, 'waves');
}

/** How long a step may yet be writing for the shard; 0 when none is. Earlier versions stored until when. */
export function writesLeftMs({ facts, ageMs }: Pick<BlobEntry, 'facts' | 'ageMs'>, nowMs: number): number {
  const leftMs = numberOf(facts, 'writes_for') - ageMs;
  return Math.max(0, leftMs, numberOf(facts, 'writes_until') - nowMs);
}

export interface Totals {
  readonly counts: RestoreCounts;
  readonly byPlatform: Readonly<Record<string, OutcomeCounts>>;
  readonly milestones: Milestones;
  /** Records of which something may have been written though they are neither created nor updated. */
  readonly attempted: number;
  readonly duplicatesCollapsed: number;
  readonly repaired: number;
  readonly takenBack: number;
  readonly changedSince: number;
  readonly altered: number;
  /** Of the created records. */
  readonly raced: number;
  /** Of those that are gone from the target: it showed them after they were written. */
  readonly removedByService: number;
  readonly absenceVoid: number;
  readonly superseded: number;
  readonly partialInstallations: number;
  readonly lostMilliseconds: number;
  readonly failuresByCode: Readonly<Record<string, number>>;
}

/** The facts of each shard, by pass (from 1) and shard. */
export type PassFacts = ReadonlyMap<number, ReadonlyMap<number, BlobFacts>>;

/**
 * A restore's sums. What became of a record is what its shard's newest pass says; work done (repairs, time lost) adds
 * up over the passes. Until every shard has facts, `recordCount` still counts records that will turn out excluded.
 */
export function sumOutcomes(recordCount: number, passes: PassFacts, startedAt: string): Totals {
  const newest = newestFacts(passes);
  const all = [...passes.values()].flatMap((pass) => [...pass.values()]);
  const byPlatform = sumPlatforms(newest);
  const known = Object.values(byPlatform).reduce(addCounts, noCounts);
  const settled = settledOf(known);
  const onlyInTarget = sum(newest, 'only_in_target');
  const expected = recordCount - sum(newest, 'excluded') + sum(newest, 'extra');
  const total = Math.max(expected, settled) + onlyInTarget;
  const counts: RestoreCounts = { total, ...known, onlyInTarget, pending: total - settled - onlyInTarget };
  const first = [...(passes.get(1)?.values() ?? [])];
  return {
    counts,
    byPlatform,
    milestones: milestonesOf(first, { total: counts.total, inPlace: inPlaceOf(counts) }, Date.parse(startedAt)),
    attempted: sum(newest, 'attempted'),
    duplicatesCollapsed: sum(first, 'collapsed'),
    repaired: sum(all, 'repaired'),
    takenBack: sum(newest, 'taken_back'),
    changedSince: sum(newest, 'changed_since'),
    altered: sum(newest, 'altered'),
    raced: sum(newest, 'raced'),
    removedByService: sum(newest, 'by_service'),
    absenceVoid: sum(first, 'absence_void'),
    superseded: sum(first, 'superseded'),
    partialInstallations: sum(first, 'partial'),
    lostMilliseconds: sum(all, 'lost_ms'),
    failuresByCode: sumCodes(newest),
  };
}

/** How many of a shard's records are of that kind. */
export function countIn(facts: BlobFacts, outcome: RecordKind): number {
  if (outcome === 'raced') return numberOf(facts, 'raced');
  return Object.values(sumPlatforms([facts])).reduce((sofar, counts) => sofar + counts[outcome], 0);
}

/** Writes of one pass for records the pass before had written. */
export function repairedIn(pass: ReadonlyMap<number, BlobFacts> | undefined): number {
  return sum([...(pass?.values() ?? [])], 'repaired');
}

/** Records that a pass found in a state which one look does not prove; `too_early`: which may yet change by itself. */
export function unconfirmedIn(
  pass: ReadonlyMap<number, BlobFacts> | undefined,
  what: 'unconfirmed' | 'too_early' = 'unconfirmed',
): number {
  return sum([...(pass?.values() ?? [])], what);
}

/** Settled, and not failed. */
export function inPlaceOf(counts: OutcomeCounts): number {
  return settledOf(counts) - counts.failed;
}

function settledOf(counts: OutcomeCounts): number {
  return counted.reduce((sum, outcome) => sum + (outcome === 'pending' ? 0 : counts[outcome]), 0);
}

export const noCounts: OutcomeCounts = {
  created: 0,
  updated: 0,
  renewed: 0,
  moved: 0,
  unchanged: 0,
  keptLive: 0,
  conflict: 0,
  unknownOrigin: 0,
  goneInTarget: 0,
  withdrawn: 0,
  leftover: 0,
  onlyInTarget: 0,
  removed: 0,
  putBack: 0,
  failed: 0,
  pending: 0,
};

function addCounts(a: OutcomeCounts, b: OutcomeCounts): OutcomeCounts {
  const sums = { ...noCounts };
  for (const name of counted) sums[name] = a[name] + b[name];
  return sums;
}

function newestFacts(passes: PassFacts): BlobFacts[] {
  const newest = new Map<number, BlobFacts>();
  for (const pass of [...passes.keys()].sort((a, b) => a - b)) {
    for (const [shard, facts] of passes.get(pass) ?? []) newest.set(shard, facts);
  }
  return [...newest.values()];
}

/** At each save of each shard: letters are tallied by their codes, and only the few sums looked at by name. */
function countByPlatform(letters: string, platforms: readonly string[]): Map<string, OutcomeCounts> {
  const sums = new Map<string, OutcomeCounts>();
  for (const [platform, tally] of tallyByPlatform(letters, platforms)) {
    const counts = countsOf(tally);
    // The shard has nothing of it but what is counted nowhere.
    if (counts === undefined) continue;
    const named = encodeURIComponent(platform).slice(0, MAX_PLATFORM_NAME) || OTHER;
    const name = sums.has(named) || sums.size < MAX_PLATFORMS ? named : OTHER;
    sums.set(name, addCounts(sums.get(name) ?? noCounts, counts));
  }
  return sums;
}

/** By platform how often each letter is there. */
function tallyByPlatform(letters: string, platforms: readonly string[]): Map<string, Uint32Array> {
  const tallies = new Map<string, Uint32Array>();
  for (let index = 0; index < letters.length; index++) {
    const platform = platforms[index] ?? OTHER;
    const known = tallies.get(platform);
    const tally = known ?? new Uint32Array(CODES);
    if (known === undefined) tallies.set(platform, tally);
    const code = letters.charCodeAt(index);
    tally[code] = (tally[code] ?? 0) + 1;
  }
  return tallies;
}

/** Letters of outcomes are ASCII. */
const CODES = 128;

function countsOf(tally: Uint32Array): OutcomeCounts | undefined {
  let sums: OutcomeCounts | undefined;
  for (const [code, amount] of tally.entries()) {
    const outcome = amount === 0 ? undefined : outcomeOf(String.fromCharCode(code));
    if (outcome === undefined || outcome === 'excluded') continue;
    const counts = sums ?? noCounts;
    sums = { ...counts, [outcome]: counts[outcome] + amount };
  }
  return sums;
}

function sumPlatforms(all: readonly BlobFacts[]): Record<string, OutcomeCounts> {
  const sums = new Map<string, { -readonly [Name in keyof OutcomeCounts]: number }>();
  for (const facts of all) {
    for (const [name, amounts] of pairsOf(facts, 'platforms')) {
      const counts = sums.get(name) ?? { ...noCounts };
      const numbers = numbersIn(amounts);
      for (const [index, outcome] of counted.entries()) counts[outcome] += numbers[index] ?? 0;
      sums.set(name, counts);
    }
  }
  return Object.fromEntries([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function sumCodes(all: readonly BlobFacts[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const facts of all) {
    for (const [code, amount] of pairsOf(facts, 'codes')) sums[code] = (sums[code] ?? 0) + Number(amount);
  }
  return sums;
}

function pairsOf(facts: BlobFacts, name: string): [string, string][] {
  return (facts[name] ?? '')
    .split(' ')
    .filter(Boolean)
    .map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at), pair.slice(at + 1)];
    });
}

function sum(all: readonly BlobFacts[], name: string): number {
  return all.reduce((sofar, facts) => sofar + numberOf(facts, name), 0);
}

function numberOf(facts: BlobFacts, name: string): number {
  const value = Number(facts[name] ?? 0);
  return Number.isFinite(value) ? value : 0;
}
