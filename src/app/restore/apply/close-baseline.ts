import { isHeldAs, nextRecord, type Observation, type Times } from '../../../core/baseline/agree.ts';
import { type BaselineRecord, entryOf } from '../../../core/baseline/record.ts';
import type { Comparison } from '../../../core/fingerprint/comparison.ts';
import { recordVersionOf } from '../../../core/fingerprint/row.ts';
import { type Shown, shownAt } from '../../../core/fingerprint/shown.ts';
import { isInPlace } from '../../../core/registration/expected.ts';
import {
  isAbsenceVoid,
  isAsking,
  isRepairInPlace,
  isWhole,
  movesBaseline,
  timesOf,
} from '../../../core/restore/plan/circumstances.ts';
import {
  isWrittenOutcome,
  newestLetters,
  type Outcome,
  outcomeOf,
  type ShardOutcomes,
  writtenOf,
} from '../../../core/restore/plan/outcomes.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import type { BaselineShard } from '../../baseline/shard.ts';
import { writeBaselineShard } from '../../baseline/store.ts';
import { openGoneSince } from '../../snapshots/newest-keys.ts';
import type { Journal } from '../outcomes/journal.ts';
import type { OpenOutcomes } from './open-outcomes.ts';
import type { ShardReads } from './shard-reads.ts';

/** A shard of which a pass has nothing left to do. */
export interface ClosedShard extends ShardReads {
  readonly app: App;
  readonly run: RestoreRun;
  readonly shard: number;
  readonly outcomes: Pick<OpenOutcomes, 'letters'>;
  readonly before: ShardOutcomes | undefined;
  /** What this pass noted of the records that the run wrote. */
  readonly journal: Journal;
}

/** Stores what the pair agrees on after this pass's look, once nothing is to be written that a look has not shown. */
export async function closeBaselineShard(closed: ClosedShard): Promise<void> {
  const { app, run, shard, outcomes, before, fingerprints } = closed;
  const letters = newestLetters(outcomes.letters().join(''), before?.letters);
  const isProven = run.phase.pass > 1 || ![...letters].some((letter) => isWrittenOutcome(outcomeOf(letter)));
  if (!isProven || !movesBaseline(run)) return;
  const baseline = await closed.openPairBaseline();
  const look = await openLook(closed, letters);
  const table = writeBaselineShard(app, run, shard, fingerprints.count);
  const add: Add = (record) => {
    if (record.agreed !== 'none' || record.note !== undefined) table.add(record);
  };
  if (isRepairInPlace(run)) addRepaired(add, baseline, look);
  else addAgreed(add, closed, baseline, look);
  await table.store();
}

type Add = (record: BaselineRecord) => void;

/** What this pass's look showed. */
interface Look {
  readonly times: Times;
  /** Each record that the run decided about. */
  readonly forEach: (visit: (keyHash: number, seen: Observation, outcome: Outcome | undefined) => void) => void;
  /** By hash what else lives in the target, as far as the baseline knows of it. */
  readonly extras: ReadonlyMap<number, Shown>;
}

async function openLook(closed: ClosedShard, letters: string): Promise<Look> {
  const { app, run, shard, fingerprints, journal } = closed;
  const { count } = fingerprints;
  const comparison = await closed.openComparison();
  const isSame = await openSameness(closed, letters, comparison);
  const extras = new Map(comparison.extras.map(({ keyHash, ...shown }) => [keyHash, shown]));
  // Of these the listing is older than the write: the hub was asked for them.
  if (isAsking(run)) {
    for (const [index, { keyHash }] of comparison.extras.entries()) {
      if (outcomeOf(letters[count + index]) === 'withdrawn') extras.delete(keyHash);
    }
  }
  const hasExtras = letters.length > count;
  const isGoneSince = await openGoneSince(app, run, shard);
  const first = hasExtras && run.phase.pass > 1 ? await closed.openFirstComparison() : comparison;
  const seenAt = (index: number, outcome: Outcome | undefined): Observation => {
    const wanted = shownAt(fingerprints, index);
    // A listing from before the write may show the same content, in a version that is not the one of now.
    const isOutdated = isAsking(run) && isWrittenOutcome(outcome);
    const asked = isSame(index) && !isOutdated ? undefined : askedFor(journal.get(index));
    const isGone = outcome === 'goneInTarget' && isGoneSince(fingerprints.keyHashAt(index));
    return {
      end: isGone ? 'goneSince' : endOf(outcome),
      written: isWrittenOutcome(outcome) ? writtenOf(outcome) : 'nothing',
      wanted,
      isUnsure: run.source?.isUndone === true || fingerprints.isPartialAt(index),
      live: asked ?? comparison.shownAt(index, wanted.content),
      isSame: asked !== undefined || (isSame(index) && !isOutdated),
      expiry: fingerprints.expiryAt(index),
    };
  };
  const forEach: Look['forEach'] = (visit) => {
    for (let index = 0; index < count; index += 1) {
      const outcome = outcomeOf(letters[index]);
      visit(fingerprints.keyHashAt(index), seenAt(index, outcome), outcome);
    }
    for (let index = count; index < letters.length; index += 1) {
      const keyHash = first.extras[index - count]?.keyHash ?? Number.NaN;
      const outcome = outcomeOf(letters[index]);
      const nothing = { wanted: undefined, isSame: false, written: 'nothing', expiry: 0 } as const;
      visit(keyHash, { ...nothing, end: endOf(outcome), live: extras.get(keyHash) }, outcome);
    }
  };
  return { times: timesOf(run), forEach, extras };
}

/** What the listing passed over, or a row of it, and the hub has shown as it is to be when it was asked, in words that are not noted. */
function askedFor(note: ReturnType<Journal['get']>): Shown | undefined {
  if (typeof note !== 'object' || note.altered !== undefined || note.seen.length === 0) return undefined;
  return { version: recordVersionOf(note.seen), content: Number.NaN };
}

/** Texts are read where fingerprints do not tell that a record is in place as it is to be. */
async function openSameness(
  { fingerprints, openRecords, openLive }: ClosedShard,
  letters: string,
  comparison: Comparison,
): Promise<(index: number) => boolean> {
  const isOpen = (index: number): boolean =>
    !comparison.isSameAt(index) && comparison.livesAt(index) && endOf(outcomeOf(letters[index])) === 'agreed';
  const isNeeded = Array.from({ length: fingerprints.count }, (_, index) => index).some(isOpen);
  if (!isNeeded) return (index) => comparison.isSameAt(index);
  const records = await openRecords();
  const live = await openLive();
  return (index) => {
    if (!isOpen(index)) return comparison.isSameAt(index);
    const record = records.at(index);
    const found = live.get(record.key);
    return found !== undefined && isInPlace(record, found);
  };
}

/** `none` of a record whose agreement stays as it was. */
function endOf(outcome: Outcome | undefined): Observation['end'] {
  switch (outcome) {
    case 'created':
    case 'updated':
    case 'renewed':
    case 'moved':
    case 'unchanged':
      return 'agreed';
    case 'withdrawn':
      return 'removed';
    case 'goneInTarget':
      return 'gone';
    case 'keptLive':
    case 'conflict':
    case 'unknownOrigin':
    case 'leftover':
      return 'left';
    default:
      return 'none';
  }
}

function addAgreed(
  add: Add,
  { app, run }: ClosedShard,
  baseline: BaselineShard,
  { times, forEach, extras }: Look,
): void {
  const isVoid = isAbsenceVoid(run, app.policy.maxDeletePercent);
  const others = new Set(baseline.keyHashes());
  forEach((keyHash, seen, outcome) => {
    others.delete(keyHash);
    const before = baseline.get(keyHash);
    const hasFailed = outcome === 'failed' && (seen.live === undefined || isAsking(run));
    const isOwed = seen.wanted !== undefined && (hasFailed || (isVoid && isUnwritten(before, seen)));
    add(nextRecord(before, isOwed ? { ...seen, end: 'owed' } : seen, times));
  });
  for (const keyHash of others) {
    const record = baseline.get(keyHash);
    if (!isOutlived(run, record, isWhole(run) && !extras.has(keyHash))) add(record);
  }
}

/** It is not known to have gone, and the run has not brought it into the target. */
function isUnwritten({ agreed }: BaselineRecord, { end, live }: Observation): boolean {
  const wentBefore = typeof agreed === 'object' && agreed.kind === 'tombstone';
  return live === undefined && (end === 'left' || end === 'none') && !wentBefore;
}

/** What went is remembered at least this long, and as long as a snapshot may hold it. */
const REMEMBERED_MS = 10 * 86_400_000;

/** That both hubs are without a record proves nothing: a listing may have passed over it. So its entry stays, too. */
function isOutlived({ createdAt, source }: RestoreRun, { agreed }: BaselineRecord, isMissing: boolean): boolean {
  if (typeof agreed !== 'object' || (agreed.kind === 'entry' && !isMissing)) return false;
  const oldest = source === undefined ? 0 : Date.parse(source.oldestAt);
  return agreed.target.at < Math.min(Date.parse(createdAt) - REMEMBERED_MS, oldest);
}

/** A repair in place moves no agreement: the versions it gave are put into entries of the same content. */
function addRepaired(add: Add, baseline: BaselineShard, { times, forEach }: Look): void {
  const created = new Map<number, Observation>();
  forEach((keyHash, seen, outcome) => {
    if (outcome === 'created') created.set(keyHash, seen);
  });
  for (const keyHash of baseline.keyHashes()) {
    const record = baseline.get(keyHash);
    const entry = entryOf(record);
    const { wanted, live, isSame = false } = created.get(keyHash) ?? {};
    const isOfSame = isSame && live !== undefined && entry !== undefined && isHeldAs(entry.source, wanted);
    if (isOfSame) add({ ...record, agreed: { ...entry, source: { ...live, at: times.lookAt, isOwn: true } } });
    else add(record);
  }
}
