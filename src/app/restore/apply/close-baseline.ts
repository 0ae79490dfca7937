import { isShownAs, nextRecord, type Observation, type Times } from '../../../core/baseline/agree.ts';
import type { BaselineRecord } from '../../../core/baseline/record.ts';
import type { Comparison } from '../../../core/fingerprint/comparison.ts';
import { recordVersionOf } from '../../../core/fingerprint/row.ts';
import { type Shown, shownAt } from '../../../core/fingerprint/shown.ts';
import type { FingerprintTable } from '../../../core/fingerprint/table.ts';
import { isInPlace } from '../../../core/registration/expected.ts';
import { isRepairInPlace, isWhole, movesBaseline, timesOf } from '../../../core/restore/circumstances.ts';
import {
  isWrittenOutcome,
  newestLetters,
  type Outcome,
  outcomeOf,
  type ShardOutcomes,
  writtenOf,
} from '../../../core/restore/outcomes.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { type BaselineShard, storeBaselineShard } from '../../baseline/store.ts';
import { readComparison } from '../compare/comparison.ts';
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
  const { app, run, shard, outcomes, before } = closed;
  const letters = newestLetters(outcomes.letters().join(''), before?.letters);
  const isProven = run.phase.pass > 1 || ![...letters].some((letter) => isWrittenOutcome(outcomeOf(letter)));
  if (!isProven || !movesBaseline(run)) return;
  const baseline = await closed.openPairBaseline();
  const look = await openLook(closed, letters);
  const records = isRepairInPlace(run) ? repairedRecords(baseline, look) : agreedRecords(run, baseline, look);
  await storeBaselineShard(
    app,
    run,
    shard,
    records.filter(({ agreed, note }) => agreed !== 'none' || note !== undefined),
  );
}

/** What this pass's look showed of the records that the run decided about. */
interface Look {
  readonly times: Times;
  readonly seen: readonly {
    readonly keyHash: number;
    readonly outcome: Outcome | undefined;
    readonly observation: Observation;
  }[];
  /** By hash what else lives in the target, as far as the baseline knows of it. */
  readonly extras: ReadonlyMap<number, Shown>;
}

async function openLook(closed: ClosedShard, letters: string): Promise<Look> {
  const { app, run, shard, fingerprints, journal } = closed;
  const comparison = await closed.openComparison();
  const isSame = await openSameness(closed, letters, comparison);
  const extras = new Map(comparison.extras.map(({ keyHash, ...shown }) => [keyHash, shown]));
  const seen: Look['seen'][number][] = [];
  for (let index = 0; index < fingerprints.count; index += 1) {
    const outcome = outcomeOf(letters[index]);
    const asked = comparison.livesAt(index) ? undefined : askedFor(journal.get(index));
    const observation: Observation = {
      end: endOf(outcome),
      written: isWrittenOutcome(outcome) ? writtenOf(outcome) : 'nothing',
      wanted: shownAt(fingerprints, index),
      live: asked ?? liveAt(fingerprints, comparison, index),
      isSame: asked !== undefined || isSame(index),
      expiry: fingerprints.expiryAt(index),
    };
    seen.push({ keyHash: fingerprints.keyHashAt(index), outcome, observation });
  }
  if (letters.length > fingerprints.count) {
    const first = run.phase.pass === 1 ? comparison : await readComparison(app, run, shard, fingerprints.count, 1);
    for (const [place, { keyHash }] of first.extras.entries()) {
      const outcome = outcomeOf(letters[fingerprints.count + place]);
      const nothing = { wanted: undefined, isSame: false, written: 'nothing', expiry: 0 } as const;
      seen.push({ keyHash, outcome, observation: { ...nothing, end: endOf(outcome), live: extras.get(keyHash) } });
    }
  }
  return { times: timesOf(run), seen, extras };
}

/** What the listing passed over, and the hub has shown as it is to be when it was asked, in words that are not noted. */
function askedFor(note: ReturnType<Journal['get']>): Shown | undefined {
  if (typeof note !== 'object' || note.altered !== undefined || note.seen.length === 0) return undefined;
  return { version: recordVersionOf(note.seen), content: Number.NaN };
}

function liveAt(fingerprints: FingerprintTable, comparison: Comparison, index: number): Shown | undefined {
  if (!comparison.livesAt(index)) return undefined;
  const { content } = comparison.isSameAt(index)
    ? shownAt(fingerprints, index)
    : { content: comparison.contentAt(index) };
  return { version: recordVersionOf(comparison.versionHashesAt(index)), content };
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

function agreedRecords(run: RestoreRun, baseline: BaselineShard, { times, seen, extras }: Look): BaselineRecord[] {
  const records = seen.map(({ keyHash, observation }) => nextRecord(baseline.get(keyHash), observation, times));
  const known = new Set(seen.map(({ keyHash }) => keyHash));
  for (const keyHash of baseline.keyHashes()) {
    if (known.has(keyHash)) continue;
    const record = baseline.get(keyHash);
    if (!isOutlived(run, record, isWhole(run) && !extras.has(keyHash))) records.push(record);
  }
  return records;
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
function repairedRecords(baseline: BaselineShard, { times, seen }: Look): BaselineRecord[] {
  const created = new Map(seen.flatMap((one) => (one.outcome === 'created' ? [[one.keyHash, one.observation]] : [])));
  return [...baseline.keyHashes()].map((keyHash) => {
    const record = baseline.get(keyHash);
    const { agreed } = record;
    const { wanted, live, isSame = false } = created.get(keyHash) ?? {};
    if (!isSame || live === undefined || typeof agreed === 'string' || agreed.kind === 'tombstone') return record;
    if (!isShownAs(agreed.source, wanted)) return record;
    return { ...record, agreed: { ...agreed, source: { ...live, at: times.lookAt, isOwn: true } } };
  });
}
