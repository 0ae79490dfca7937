import type { Comparison } from '../../../core/fingerprint/comparison.ts';
import type { FingerprintTable } from '../../../core/fingerprint/table.ts';
import { manifestName } from '../../../core/paths.ts';
import type { BlobFacts } from '../../../core/ports.ts';
import { membersOf, type Neighbours } from '../../../core/registration/record.ts';
import { circumstancesOf, isWhole, readAtOf } from '../../../core/restore/plan/circumstances.ts';
import type { ForeignTable } from '../../../core/restore/plan/foreign-table.ts';
import type { Outcome } from '../../../core/restore/plan/outcomes.ts';
import {
  countTarget,
  noTargetCounts,
  openSurvey,
  type Survey,
  type SurveyCounts,
  type SurveyOptions,
} from '../../../core/restore/plan/survey.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import type { BaselineShard } from '../../baseline/shard.ts';
import { openBaseline } from '../../baseline/store.ts';
import { doShards, type Moved } from '../../runs/dispatch.ts';
import { openSnapshotFingerprints, readSnapshotFingerprints } from '../../snapshots/fingerprints.ts';
import { readNewestKeys } from '../../snapshots/newest-keys.ts';
import { openSnapshotShard, readManifest } from '../../snapshots/store.ts';
import { invalidDocument } from '../../stored/invalid.ts';
import { proveAbsence } from './absence-proof.ts';
import { compareRollback } from './compare-rollback.ts';
import { storeComparison } from './comparison.ts';
import { type FirstLook, storeAdopted } from './earlier/adopted.ts';
import { openEarlierRuns } from './earlier/earlier-writes.ts';
import { storeForeignRows } from './foreign-rows.ts';
import { openInTheWay } from './in-the-way.ts';
import { type LiveShard, type Looked, lookThrough, openLiveShards } from './live-rows.ts';
import { notePlan, planFacts, standbyFacts } from './note-plan.ts';
import { selectionOf, storeSelection } from './selection.ts';
import { openSpoken } from './spoken.ts';

/**
 * Holds what lives in the target against shards of the snapshot, by their fingerprints. In the first pass that does
 * four things before any reconcile step begins: the shard's checksum is proven before the first write, its fingerprints
 * are stored for this pass and later ones, devices that live under another key are known to all shards, and so is how
 * many records the restore is about.
 */
export function compareShards(app: App, run: RestoreRun, shards: Neighbours): Promise<Moved> {
  const work = (): Promise<void> => compareAll(app, run, shards);
  const isFirst = run.phase.pass === 1;
  return doShards(app, run, shards, {
    work,
    next: 'reconcile',
    ...(isFirst ? { noteEnd: () => notePlan(app, run) } : {}),
  });
}

async function compareAll(app: App, run: RestoreRun, shards: Neighbours): Promise<void> {
  const snapshotOf = run.phase.pass === 1 ? await openSnapshot(app, run) : knownSnapshot(app, run);
  const liveOf = await openLiveShards(app, run, shards);
  for (const shard of membersOf(shards)) {
    const snapshot = await snapshotOf(shard);
    const live = liveOf(shard);
    if (run.request.purpose === 'rollback') await compareRollback(app, run, shard, snapshot.fingerprints, live);
    else await compare(app, run, shard, snapshot, live);
  }
}

/** In the first pass what becomes of each record begins with it. The comparison is stored last: then all is there. */
async function compare(
  app: App,
  run: RestoreRun,
  shard: number,
  { fingerprints, first, isSelected }: SnapshotShard,
  live: LiveShard,
): Promise<void> {
  const baseline = await (first === undefined
    ? openBaseline(app, run, shard)
    : storeAdopted(app, run, shard, { ...first, fingerprints, live }));
  const { comparison, extraOutcomes, onlyInTarget, foreign, counts, looked } = await survey(
    app,
    run,
    shard,
    fingerprints,
    live,
    baseline,
    isSelected,
  );
  const platforms = fingerprints.platformOfEach();
  const beginning = { platforms, extras: comparison.extras, extraOutcomes, onlyInTarget };
  const planned =
    isSelected === undefined ? extraOutcomes : await storeSelection(app, run, shard, { ...beginning, isSelected });
  if (isSelected !== undefined) markDoomed(foreign, comparison, planned);
  await storeForeignRows(app, run, shard, foreign);
  await storeComparison(app, run, shard, comparison, looked, {
    foreign: String(foreign.length),
    ...(counts === undefined ? {} : planFacts(counts, planned)),
    ...(first === undefined ? {} : await untoldFacts(first, shard)),
    ...(counts === undefined || run.request.purpose !== 'sync' ? {} : standbyFacts(counts, onlyInTarget)),
  });
}

/** Of runs that were stopped it is not known what they wrote. */
async function untoldFacts({ openEarlierRuns }: Pick<FirstLook, 'openEarlierRuns'>, shard: number): Promise<BlobFacts> {
  const isUntold = (await openEarlierRuns()).some(({ untold }) => untold.has(shard));
  return isUntold ? { untold: '1' } : {};
}

/** What is to be withdrawn anyway is in no record's way: under the same registration id one write is the whole move. */
function markDoomed(foreign: ForeignTable, { extras }: Comparison, planned: readonly Outcome[]): void {
  const isDoomed = (index: number): boolean => planned[index] === 'pending' || planned[index] === 'withdrawn';
  const doomed = new Set(extras.flatMap(({ keyHash }, index) => (isDoomed(index) ? [keyHash] : [])));
  foreign.mark(doomed, 'doomed');
}

async function survey(
  app: App,
  run: RestoreRun,
  shard: number,
  fingerprints: FingerprintTable,
  shown: LiveShard,
  baseline: BaselineShard,
  isSelected: (place: number) => boolean = () => true,
): Promise<Survey & { readonly counts?: SurveyCounts & { readonly isLost: boolean }; readonly looked: Looked }> {
  const { get: baselineOf, isLost } = baseline;
  const options: SurveyOptions = {
    readAt: readAtOf(run),
    isUndone: run.source?.isUndone === true,
    nowMs: Date.parse(run.createdAt),
    around: circumstancesOf(run),
    expiryFloor: Date.parse(run.request.expiryFloorAt) / 1000,
    isWhole: isWhole(run),
    isSync: run.request.purpose === 'sync',
    isSelected,
    baselineOf,
    spokenAt: await openSpoken(app, run),
    isInTheWay: await openInTheWay(app, run, shown),
  };
  const part = openSurvey(fingerprints, options);
  const looked = await lookThrough(shown, () => fingerprints.keyHashes(), part.add);
  const { live } = looked;
  const found = { ...part.finish(live), looked };
  if (run.phase.pass > 1) return found;
  const newestKeys = await readNewestKeys(app, run, shard);
  // Where nothing was agreed on, as in a first restore, nothing can be missing or reworded.
  const [known] = baseline.keyHashes();
  const isFirst = known === undefined && newestKeys === undefined;
  const counts = { ...(isFirst ? noTargetCounts : countTarget(fingerprints, live, options, newestKeys)), isLost };
  const { extras } = found.comparison;
  const doomed = extras.flatMap(({ keyHash }, index) => (found.extraOutcomes[index] === 'pending' ? [keyHash] : []));
  const proven = await proveAbsence(app, run, shard, doomed, baselineOf);
  const isDoomed = (index: number): boolean => proven.has(extras[index]?.keyHash ?? Number.NaN);
  const extraOutcomes = found.extraOutcomes.map((one, index) =>
    one === 'pending' && !isDoomed(index) ? 'leftover' : one,
  );
  return {
    ...found,
    extraOutcomes,
    counts: {
      ...counts,
      driftedCount: counts.driftedCount + found.driftedExtras,
      changedCount: counts.changedCount + found.changedExtras,
    },
  };
}

interface SnapshotShard {
  readonly fingerprints: FingerprintTable;
  /** Of the first pass. */
  readonly first?: Pick<FirstLook, 'openRecords' | 'openEarlierRuns'>;
  readonly isSelected?: (index: number) => boolean;
}

function knownSnapshot(app: App, run: RestoreRun) {
  return async (shard: number): Promise<SnapshotShard> => ({
    fingerprints: await readSnapshotFingerprints(app, run, shard),
  });
}

/** Gives a shard's fingerprints once its bytes are proven. */
async function openSnapshot(app: App, run: RestoreRun): Promise<(shard: number) => Promise<SnapshotShard>> {
  const { sourceHub, snapshotId } = run.request;
  const manifest = await readManifest(app, sourceHub, snapshotId);
  if (manifest === undefined) {
    throw invalidDocument({
      what: 'document',
      name: manifestName(sourceHub, snapshotId),
      why: 'of this run is missing',
    });
  }
  const earlierRuns = openEarlierRuns(app, run);
  return async (shard) => {
    const snapshot = await openSnapshotShard(app, manifest, shard);
    const fingerprints = await openSnapshotFingerprints(app, run, shard, snapshot);
    if (run.request.purpose === 'rollback') return { fingerprints };
    return {
      fingerprints,
      first: { openRecords: snapshot.openRecords, openEarlierRuns: earlierRuns },
      isSelected: await selectionOf(app, run, shard, snapshot),
    };
  };
}
