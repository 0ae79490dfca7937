import { nextRecord, type Observation } from '../../../../core/baseline/agree.ts';
import { putBackIn, putBackOnly } from '../../../../core/baseline/put-back.ts';
import { type BaselineRecord, entryOf, owedToTarget, paidTo, turned } from '../../../../core/baseline/record.ts';
import { type DrError, RecordFault } from '../../../../core/errors.ts';
import { fingerprintRecord, versionHashOf } from '../../../../core/fingerprint/row.ts';
import { contentOf, type Shown, shownAt, shownBy, shownIn } from '../../../../core/fingerprint/shown.ts';
import type { FingerprintTable } from '../../../../core/fingerprint/table.ts';
import { isSameHub } from '../../../../core/paths.ts';
import type { HubRef } from '../../../../core/ports.ts';
import { isInPlace, isPartlyInPlace } from '../../../../core/registration/expected.ts';
import { isInstallation, keyHashOf, type RecordOfRows } from '../../../../core/registration/record.ts';
import type { Registration } from '../../../../core/registration/registration.ts';
import { circumstancesOf, readAtOf, timesOf } from '../../../../core/restore/plan/circumstances.ts';
import { type WrittenOutcome, writtenOf } from '../../../../core/restore/plan/outcomes.ts';
import type { RestoreRun } from '../../../../core/run/run.ts';
import { recordsIn, type ShardRecords } from '../../../../core/snapshot/shard.ts';
import { type App, hubOf } from '../../../app.ts';
import type { BaselineShard } from '../../../baseline/shard.ts';
import { openAgreed, storeAdoptedShard } from '../../../baseline/store.ts';
import { within } from '../../../listing/hub-rows.ts';
import { once } from '../../../stored/once.ts';
import { readOtherIds } from '../../outcomes/minted-ids.ts';
import { findNow } from '../ask-for.ts';
import { type LiveRecords, type LiveShard, lookThrough, readLiveRecords } from '../live-rows.ts';
import {
  type EarlierRollback,
  type EarlierRun,
  noteUntold,
  readEarlierRollback,
  readEarlierWrites,
} from './earlier-writes.ts';
import { isHalfChanged, readChanged } from './half-changed.ts';

/** Of what an earlier run wrote of a shard, and the listing does not show. */
const MOST_ASKED = 20;
/** For one question: without its answer the step begins again. */
const PATIENCE_MS = 30_000;

/** What each of the run's hubs shows of a shard at its first look: the source by the snapshot, the target by the listing. */
export interface FirstLook {
  readonly fingerprints: FingerprintTable;
  readonly live: LiveShard;
  /** The snapshot's records in full. */
  readonly openRecords: () => Promise<ShardRecords>;
  readonly openEarlierRuns: () => Promise<readonly EarlierRun[]>;
}

/**
 * Earlier runs ended before a look of theirs had shown all that they wrote: they were cancelled, or failed, or the hub
 * was late. This run's first look does it for them: what shows as it was sent is an agreement of the pair, as if they
 * had seen it themselves; what does not, and was never agreed on, is of unknown origin. Gives what the run decides by.
 */
export async function storeAdopted(app: App, run: RestoreRun, shard: number, look: FirstLook): Promise<BaselineShard> {
  const agreed = await openAgreed(app, run, shard);
  const { unfinished = [] } = run;
  if (unfinished.length === 0) return agreed;
  const source = sourceShowing(app, run, shard, look);
  const openTarget = openTargetShowings(app, run, shard, look);
  const showingOf = async (side: Side, keyHashes: Iterable<number>): Promise<Showing> =>
    side === 'source' ? source : openTarget(new Set(keyHashes));
  const adopted = new Map<number, BaselineRecord>();
  const recognized = new Set<number>();
  for (const earlierRun of await look.openEarlierRuns()) {
    const { run: earlier } = earlierRun;
    const side = sideWrittenBy(earlier, run);
    if (side === undefined) continue;
    const given = { app, run, shard, side, agreed, adopted, recognized };
    const onFault = ({ code }: DrError): void => noteUntold(app, earlierRun, shard, code);
    if (earlier.request.purpose === 'rollback') {
      const undone = await readEarlierRollback(app, earlierRun, shard, run);
      if (undone === undefined) continue;
      const changed = await readChanged(app, undone.restore, shard, run, onFault);
      const showing = await showingOf(side, [...undone.removed, ...undone.putBack, ...hashesOf(changed)]);
      await adoptUndone({ ...given, changed, showing }, undone);
      continue;
    }
    const changed = await readChanged(app, earlier, shard, run, onFault);
    const writes = await readEarlierWrites(app, earlierRun, shard, run, changed);
    const begun = [...writes.sent, ...writes.owed].map(({ keyHash }) => keyHash);
    const showing = await showingOf(side, [...begun, ...hashesOf(changed)]);
    const parts = { ...given, earlier, changed, writes, showing };
    await adoptHalfChanged(parts, await adoptWritten(parts));
    noteOwed(parts);
  }
  return storeAdoptedShard(app, run, shard, [...adopted.values()], agreed);
}

function hashesOf(changed: Adoption['changed']): number[] {
  return [...changed.keys()].map(keyHashOf);
}

interface Adoption {
  readonly app: App;
  readonly run: RestoreRun;
  readonly shard: number;
  readonly earlier: RestoreRun;
  readonly changed: Awaited<ReturnType<typeof readChanged>>;
  readonly writes: Awaited<ReturnType<typeof readEarlierWrites>>;
  readonly side: Side;
  readonly showing: Showing;
  readonly agreed: { get(keyHash: number): BaselineRecord };
  readonly adopted: Map<number, BaselineRecord>;
  readonly recognized: Set<number>;
}

/** Gives by key what the earlier run wrote and does not show as it was agreed on. */
async function adoptWritten(adoption: Adoption): Promise<ReadonlyMap<string, RecordOfRows>> {
  const { earlier, changed, writes, side, showing, agreed, adopted, recognized } = adoption;
  const written = new Map<string, RecordOfRows>();
  const sent = writes.sent.filter(({ keyHash }) => !recognized.has(keyHash));
  const isAsked = sent.filter(({ keyHash }) => showing.shown(keyHash) === undefined).length <= showing.mostAsked;
  for (const { keyHash, outcome, open } of sent) {
    const before = turnedTo(side, agreed.get(keyHash));
    const isUntouched = (one: Shown | undefined): boolean => entryOf(before)?.target.version === one?.version;
    const listed = showing.shown(keyHash);
    if (listed === undefined ? !isAsked : isUntouched(listed)) continue;
    const record = await open();
    if (record === undefined) continue;
    const { found, shown } = await lookAt(showing, record, listed, isInstallation(record));
    if (shown === undefined || isUntouched(shown)) continue;
    written.set(record.key, record);
    const observation = observe(record, outcome, shown, found);
    // Another row that says the same is its device's own, unless the run was about to remove it.
    const others = (found?.rows ?? []).filter((row) => !changed.get(record.key)?.before.rows.some(isVersionOf(row)));
    const isLike = observation.isSame || observation.isPart;
    if (isLike && !(await showing.hasOnlyIdsOf(record, others))) continue;
    // Since the hubs have agreed on the whole, a part is none of its writes that stopped.
    const wasWhole = (entryOf(before)?.target.at ?? 0) >= Date.parse(earlier.createdAt);
    const isSame = observation.isSame || (observation.isPart && !wasWhole);
    const times = { readAt: readAtOf(earlier), lookAt: showing.at, wasTargetInUse: () => false };
    // What is there in part is ours, and is what no snapshot has.
    const wanted = observation.isSame ? observation.wanted : { version: Number.NaN, content: Number.NaN };
    adopted.set(keyHash, turnedTo(side, nextRecord(before, { ...observation, wanted, isSame }, times)));
    if (isSame) recognized.add(keyHash);
  }
  return written;
}

/** What the earlier run had begun to overwrite or remove: the rest of it is ours, too. */
async function adoptHalfChanged(
  { changed, side, showing, agreed, adopted, recognized }: Adoption,
  written: ReadonlyMap<string, RecordOfRows>,
): Promise<void> {
  for (const [key, { before: was }] of changed) {
    const keyHash = keyHashOf(key);
    const before = turnedTo(side, agreed.get(keyHash));
    const entry = entryOf(before);
    const shown = showing.shown(keyHash);
    const isUntouched = entry?.target.version === shown?.version;
    if (entry === undefined || shown === undefined || isUntouched || recognized.has(keyHash)) continue;
    const live = (await showing.records()).get(key);
    if (live === undefined || !isHalfChanged(entry, was.rows, live, written.get(key))) continue;
    const target = { ...entry.target, ...shown };
    adopted.set(keyHash, turnedTo(side, paidTo('target', { ...before, agreed: { ...entry, target } })));
    recognized.add(keyHash);
  }
}

/**
 * What a rollback that stopped half way has put back, or removed, is no device's word: of that counts what was agreed on
 * before its restore, as once a rollback is done.
 */
async function adoptUndone(
  { app, run, shard, changed, side, showing, agreed, adopted, recognized }: Omit<Adoption, 'earlier' | 'writes'>,
  { restore, putBack, removed }: EarlierRollback,
): Promise<void> {
  const before = await openAgreed(app, { ...restore, shardCount: run.shardCount }, shard);
  const adopt = (record: BaselineRecord): void => {
    adopted.set(record.keyHash, turnedTo(side, record));
    recognized.add(record.keyHash);
  };
  for (const keyHash of removed) {
    if (!recognized.has(keyHash) && showing.shown(keyHash) === undefined) adopt(before.get(keyHash));
  }
  for (const [key, { before: was }] of changed) {
    const keyHash = keyHashOf(key);
    const now = showing.shown(keyHash);
    if (!putBack.has(keyHash) || recognized.has(keyHash) || now === undefined) continue;
    if (entryOf(turnedTo(side, agreed.get(keyHash)))?.target.version === now.version) continue;
    const { found: live, shown = now } = await lookAt(showing, was, now);
    if (live === undefined || !isInPlace(was, live)) continue;
    if (!before.isLost) adopt(putBackIn(before.get(keyHash), 'target', { before: shownIn(was.rows), now: shown }));
    else if (restore.request.onConflict !== 'overwrite')
      adopt(putBackOnly(keyHash, shown, readAtOf(restore), showing.at));
  }
}

/**
 * What shows of a record, also what the listing has passed over: all of it, or, where a part is known as ours as it is,
 * only if nothing is listed.
 */
async function lookAt(showing: Showing, record: RecordOfRows, listed: Shown | undefined, asksForRest = true) {
  const rows = listed === undefined ? undefined : (await showing.records()).get(record.key);
  const isShort = rows === undefined ? listed === undefined : asksForRest && rows.rows.length < record.rows.length;
  const asked = isShort ? await showing.ask(record, rows) : undefined;
  return { found: asked ?? rows, shown: asked === undefined ? listed : shownIn(asked.rows) };
}

/**
 * What the earlier run was about to write, or took away before writing it again, and shows nowhere: its device did not
 * remove it. Where the hub had accepted the write, or held what was to be written over, that is only known of one that was
 * not in use since.
 */
function noteOwed({ run, earlier, changed, writes, side, showing, agreed, adopted, recognized }: Adoption): void {
  const since = Date.parse(earlier.createdAt);
  const mayHaveLeft = side === 'source' || circumstancesOf(run).wasTargetInUse(since);
  const displaced = new Set([...changed].flatMap(([key, { isDisplaced }]) => (isDisplaced ? [keyHashOf(key)] : [])));
  const wereThere = new Set(
    writes.owed.flatMap(({ keyHash, isAccepted, wasThere }) =>
      isAccepted || (wasThere && !displaced.has(keyHash)) ? [keyHash] : [],
    ),
  );
  for (const keyHash of new Set([...writes.owed.map((one) => one.keyHash), ...hashesOf(changed)])) {
    if (recognized.has(keyHash) || adopted.has(keyHash) || showing.shown(keyHash) !== undefined) continue;
    const before = turnedTo(side, agreed.get(keyHash));
    // A look since then has settled it.
    if (lookThatHeld(before) >= since) continue;
    if (!(mayHaveLeft && wereThere.has(keyHash))) adopted.set(keyHash, turnedTo(side, owedToTarget(before)));
  }
}

/** When the target was seen to hold the record, where that it is missing now would keep it out; `Infinity` if never. */
function lookThatHeld({ agreed, note }: BaselineRecord): number {
  if (typeof agreed === 'string') return note?.target.at ?? Number.POSITIVE_INFINITY;
  return agreed.kind === 'entry' ? agreed.target.at : Number.POSITIVE_INFINITY;
}

function isVersionOf(row: Registration): (one: Registration) => boolean {
  return (one) => versionHashOf(one) === versionHashOf(row);
}

type Side = 'source' | 'target';

/** Which of the run's hubs the earlier one wrote to: after an exchange of the settings' hubs that is the source. */
function sideWrittenBy(earlier: RestoreRun, { hub, request: { sourceHub } }: RestoreRun): Side | undefined {
  const isBetween = (from: HubRef, to: HubRef): boolean =>
    isSameHub(earlier.request.sourceHub, from) && isSameHub(earlier.hub, to);
  if (isBetween(sourceHub, hub)) return 'target';
  return isBetween(hub, sourceHub) ? 'source' : undefined;
}

/** As seen from the source of the earlier run to its target. */
function turnedTo(side: Side, record: BaselineRecord): BaselineRecord {
  return side === 'target' ? record : turned(record);
}

interface Showing {
  readonly at: number;
  readonly shown: (keyHash: number) => Shown | undefined;
  readonly records: () => Promise<Pick<LiveRecords, 'get'>>;
  /** Asks the hub for what its listing does not show, or not all of it; a listing passes over few rows. */
  readonly ask: (record: RecordOfRows, listed: RecordOfRows | undefined) => Promise<RecordOfRows | undefined>;
  /** Where more than this is not shown, nothing is asked for. */
  readonly mostAsked: number;
  /** Whether the rows have the record's ids, or what the hub gave out in place of them. */
  readonly hasOnlyIdsOf: (record: RecordOfRows, rows: readonly Registration[]) => Promise<boolean>;
}

function openIds(app: App, run: RestoreRun, shard: number) {
  const openMinted = once(() => readOtherIds(app, run, shard));
  const mintedFor = async (): Promise<(id: string) => readonly string[]> => {
    const minted = await openMinted();
    return (id) => minted.get(id) ?? [];
  };
  const hasOnlyIdsOf: Showing['hasOnlyIdsOf'] = async (record, rows) => {
    const ids = new Set(record.rows.map(({ id }) => id));
    const others = isInstallation(record) ? [] : rows.filter(({ id }) => !ids.has(id));
    if (others.length === 0) return true;
    const minted = new Set([...ids].flatMap(await mintedFor()));
    return others.every(({ id }) => minted.has(id));
  };
  return { mintedFor, hasOnlyIdsOf };
}

/** Of a target that holds far more than the snapshot only what lives under the keys that are asked for is read. */
function openTargetShowings(app: App, run: RestoreRun, shard: number, { live }: FirstLook) {
  const { mintedFor, hasOnlyIdsOf } = openIds(app, run, shard);
  let shortCount = 0;
  return async (keyHashes: ReadonlySet<number>): Promise<Showing> => {
    const looked = await lookThrough(live, () => keyHashes);
    return {
      async ask(record, listed) {
        if (listed !== undefined) shortCount += 1;
        if (shortCount > MOST_ASKED) return undefined;
        const minted = await mintedFor();
        return orUnseen(findNow(hubOf(app, run.hub), record, listed, minted, within(app, PATIENCE_MS)));
      },
      hasOnlyIdsOf,
      mostAsked: Math.min(MOST_ASKED, looked.records),
      at: timesOf(run).lookAt,
      shown(keyHash) {
        const rows = looked.live.get(keyHash);
        return rows && shownBy(rows);
      },
      records: once(() => readLiveRecords(app, run, shard, (keyHash) => keyHashes.has(keyHash))),
    };
  };
}

function sourceShowing(app: App, run: RestoreRun, shard: number, { fingerprints, openRecords }: FirstLook): Showing {
  const places = fingerprints.places();
  return {
    at: readAtOf(run),
    shown(keyHash) {
      const index = places.get(keyHash);
      return index === undefined ? undefined : shownAt(fingerprints, index);
    },
    records: once(async () => new Map(recordsIn(await openRecords()).map((record) => [record.key, record]))),
    // What its hub shows now is not of the snapshot's time.
    ask: async () => undefined,
    mostAsked: 0,
    hasOnlyIdsOf: openIds(app, { ...run, hub: run.request.sourceHub }, shard).hasOnlyIdsOf,
  };
}

/** `isPart`: only some of it shows, as a write leaves it that stopped half way. */
function observe(
  record: RecordOfRows,
  outcome: WrittenOutcome,
  live: Shown,
  found: RecordOfRows | undefined,
): Observation & { readonly isPart: boolean } {
  const { versionHash, contentHashes, expiry } = fingerprintRecord(record);
  const wanted = { version: versionHash, content: contentOf(contentHashes) };
  const isSame = found !== undefined && isInPlace(record, found);
  const isPart = found !== undefined && isPartlyInPlace(record, found);
  return { end: 'agreed', written: writtenOf(outcome), wanted, live, isSame, isPart, expiry };
}

/** Before a record that the hub fails at is written it is asked for again, and set aside by itself. */
async function orUnseen<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof RecordFault)) throw error;
    return undefined;
  }
}
