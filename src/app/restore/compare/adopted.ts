import { nextRecord, type Observation } from '../../../core/baseline/agree.ts';
import { type BaselineRecord, entryOf, turned } from '../../../core/baseline/record.ts';
import { DrError, orFault } from '../../../core/errors.ts';
import type { LiveFingerprints } from '../../../core/fingerprint/comparison.ts';
import { fingerprintRecord } from '../../../core/fingerprint/row.ts';
import { contentOf, type Shown, shownAt, shownBy, shownIn } from '../../../core/fingerprint/shown.ts';
import type { FingerprintTable } from '../../../core/fingerprint/table.ts';
import { isSameHub } from '../../../core/paths.ts';
import type { HubRef } from '../../../core/ports.ts';
import { isInPlace, isPartlyInPlace } from '../../../core/registration/expected.ts';
import { keyHashOf, membersOf, type RecordOfRows, sectionsOf, shardOf } from '../../../core/registration/record.ts';
import { readAtOf, timesOf } from '../../../core/restore/plan/circumstances.ts';
import { type WrittenOutcome, writtenOf } from '../../../core/restore/plan/outcomes.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { Manifest } from '../../../core/snapshot/manifest.ts';
import { recordsIn, type ShardRecords } from '../../../core/snapshot/shard.ts';
import { type App, hubOf } from '../../app.ts';
import { openAgreed, storeAdoptedShard } from '../../baseline/store.ts';
import { within } from '../../listing/hub-rows.ts';
import { readRun } from '../../runs/store.ts';
import { needSnapshotFingerprints } from '../../snapshots/fingerprints.ts';
import { openSnapshotShard, readManifest } from '../../snapshots/store.ts';
import { once } from '../../stored/once.ts';
import { readMintedIds } from '../outcomes/minted-ids.ts';
import { outcomesOfWritten, readNewest } from '../outcomes/written.ts';
import { findNow } from './ask-for.ts';
import { isHalfChanged, logUnknownWrites, readChanged } from './half-changed.ts';
import { readLiveRecords } from './live-rows.ts';

/** Of what an earlier run wrote of a shard, and the listing does not show. */
const MOST_ASKED = 20;
/** For one question: without its answer the step begins again. */
const PATIENCE_MS = 30_000;

/** What each of the run's hubs shows of a shard at its first look: the source by the snapshot, the target by the listing. */
export interface FirstLook {
  readonly fingerprints: FingerprintTable;
  readonly live: LiveFingerprints;
  /** The snapshot's records in full. */
  readonly openRecords: () => Promise<ShardRecords>;
}

/**
 * Earlier runs ended before a look of theirs had shown all that they wrote: they were cancelled, or failed, or the hub
 * was late. This run's first look does it for them: what shows as it was sent is an agreement of the pair, as if they
 * had seen it themselves; what does not, and was never agreed on, is of unknown origin.
 */
export async function storeAdopted(app: App, run: RestoreRun, shard: number, look: FirstLook): Promise<void> {
  const { unfinished = [] } = run;
  if (unfinished.length === 0) return;
  const agreed = await openAgreed(app, run, shard);
  const showings = { source: sourceShowing(run, look), target: targetShowing(app, run, shard, look) };
  const adopted = new Map<number, BaselineRecord>();
  const recognized = new Set<number>();
  for (const { id } of unfinished.toReversed()) {
    const earlier = await readRun(app, 'restore', id);
    const side = earlier && sideWrittenBy(earlier, run);
    if (earlier === undefined || side === undefined) continue;
    const parts = { app, run, shard, earlier, side, showing: showings[side], agreed, adopted, recognized };
    await adoptHalfChanged(parts, await adoptWritten(parts));
  }
  await storeAdoptedShard(app, run, shard, [...adopted.values()]);
}

interface Adoption {
  readonly app: App;
  readonly run: RestoreRun;
  readonly shard: number;
  readonly earlier: RestoreRun;
  readonly side: Side;
  readonly showing: Showing;
  readonly agreed: { get(keyHash: number): BaselineRecord };
  readonly adopted: Map<number, BaselineRecord>;
  readonly recognized: Set<number>;
}

/** Gives by key what the earlier run wrote and does not show as it was agreed on. */
async function adoptWritten(adoption: Adoption): Promise<ReadonlyMap<string, RecordOfRows>> {
  const { app, run, shard, earlier, side, showing, agreed, adopted, recognized } = adoption;
  const written = new Map<string, RecordOfRows>();
  const sent = (await readWrittenRecords(app, earlier, shard, run)).filter(({ keyHash }) => !recognized.has(keyHash));
  const isAsked = sent.filter(({ keyHash }) => showing.shown(keyHash) === undefined).length <= showing.mostAsked;
  for (const { keyHash, outcome, open } of sent) {
    const before = turnedTo(side, agreed.get(keyHash));
    const isUntouched = (one: Shown | undefined): boolean => entryOf(before)?.target.version === one?.version;
    const listed = showing.shown(keyHash);
    if (listed === undefined ? !isAsked : isUntouched(listed)) continue;
    const record = await open();
    if (record === undefined) continue;
    const found = listed === undefined ? await showing.ask(record) : (await showing.records()).get(record.key);
    const shown = listed ?? (found && shownIn(found.rows));
    if (shown === undefined || isUntouched(shown)) continue;
    written.set(record.key, record);
    const observation = observe(record, outcome, shown, found);
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
  { app, run, shard, earlier, side, showing, agreed, adopted, recognized }: Adoption,
  written: ReadonlyMap<string, RecordOfRows>,
): Promise<void> {
  for (const [key, changed] of await readChanged(app, earlier, shard, run)) {
    const keyHash = keyHashOf(key);
    const before = turnedTo(side, agreed.get(keyHash));
    const entry = entryOf(before);
    const shown = showing.shown(keyHash);
    const isUntouched = entry?.target.version === shown?.version;
    if (entry === undefined || shown === undefined || isUntouched || recognized.has(keyHash)) continue;
    const live = (await showing.records()).get(key);
    if (live === undefined || !isHalfChanged(entry, changed, live, written.get(key))) continue;
    const target = { ...entry.target, ...shown };
    adopted.set(keyHash, turnedTo(side, { ...before, agreed: { ...entry, target } }));
    recognized.add(keyHash);
  }
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
  readonly records: () => Promise<ReadonlyMap<string, RecordOfRows>>;
  /** Asks the hub for what its listing does not show; a listing passes over few rows. */
  readonly ask: (record: RecordOfRows) => Promise<RecordOfRows | undefined>;
  /** Where more than this is not shown, nothing is asked for. */
  readonly mostAsked: number;
}

function targetShowing(app: App, run: RestoreRun, shard: number, { live }: FirstLook): Showing {
  const openIds = once(() => readMintedIds(app, run, shard));
  return {
    async ask(record) {
      const minted = await openIds();
      return findNow(hubOf(app, run.hub), record, undefined, (id) => minted.get(id) ?? [], within(app, PATIENCE_MS));
    },
    mostAsked: Math.min(MOST_ASKED, live.size),
    at: timesOf(run).lookAt,
    shown(keyHash) {
      const rows = live.get(keyHash);
      return rows && shownBy(rows);
    },
    records: once(() => readLiveRecords(app, run, shard)),
  };
}

function sourceShowing(run: RestoreRun, { fingerprints, openRecords }: FirstLook): Showing {
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
  };
}

interface Sent {
  readonly keyHash: number;
  readonly outcome: WrittenOutcome;
  /** Nothing where the snapshot it came from can no longer be read. */
  readonly open: () => Promise<RecordOfRows | undefined>;
}

/** What an earlier run wrote, or was about to, of one of the run's shards. Without its documents that is not known. */
async function readWrittenRecords(app: App, earlier: RestoreRun, shard: number, run: RestoreRun): Promise<Sent[]> {
  const { sourceHub, snapshotId } = earlier.request;
  const shards = membersOf(sectionsOf(shard, run.shardCount, earlier.shardCount));
  const read = async (): Promise<Sent[]> => {
    const manifest = await readManifest(app, sourceHub, snapshotId);
    if (manifest === undefined) return [];
    const all = await Promise.all(shards.map((one) => readSent(app, earlier, manifest, one)));
    return all.flat().filter(({ keyHash }) => shardOf(keyHash, run.shardCount) === shard);
  };
  const found = await orFault(read());
  if (!(found instanceof DrError)) return found;
  logUnknownWrites(app, earlier, shard, found);
  return [];
}

async function readSent(app: App, earlier: RestoreRun, manifest: Manifest, shard: number): Promise<Sent[]> {
  const newest = await readNewest(app, earlier, shard);
  const outcomes = newest === undefined ? [] : [...outcomesOfWritten(newest)];
  if (outcomes.length === 0) return [];
  // Nearly always fingerprints tell that all is as it was agreed on.
  const openRecords = once(async () => {
    const opened = await orFault(openSnapshotShard(app, manifest, shard).then((snapshot) => snapshot.openRecords()));
    if (!(opened instanceof DrError)) return opened;
    logUnknownWrites(app, earlier, shard, opened);
    return undefined;
  });
  const fingerprints = await needSnapshotFingerprints(app, manifest, shard);
  return outcomes.map(([index, outcome]) => ({
    keyHash: fingerprints.keyHashAt(index),
    outcome,
    open: async () => (await openRecords())?.at(index),
  }));
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
