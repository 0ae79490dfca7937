import { DrError, orFault } from '../../core/errors.ts';
import { emptyName, isSameHub, manifestName, resultsFolder, scanName } from '../../core/paths.ts';
import type { BlobFacts, HubRef } from '../../core/ports.ts';
import { isDoneFact } from '../../core/restore/plan/outcomes.ts';
import type { BackupRun } from '../../core/run/run.ts';
import { type Earlier, judgeSnapshot } from '../../core/snapshot/health.ts';
import { addCounts, addDigest, type Manifest, noCounts, type RecordCounts } from '../../core/snapshot/manifest.ts';
import type { ScanCheckpoint } from '../../core/snapshot/scan-checkpoint.ts';
import { counted, grouped } from '../../core/words.ts';
import { type App, toInstant } from '../app.ts';
import { readFinishedScan } from '../listing/scan.ts';
import { endRun } from '../runs/end.ts';
import { readLatest, storeLatest } from '../snapshots/latest.ts';
import { putMark, readMarksOfPair } from '../snapshots/marks.ts';
import { checkShardsStored, listSnapshotIdsOfPair, readManifest, searchLatest } from '../snapshots/store.ts';
import { sha256Hex } from '../stored/codec.ts';
import { documents } from '../stored/documents.ts';
import { noteRefusal } from '../stored/refusals.ts';
import { readShardResults, type ShardResult } from './build-shards.ts';
import { storeChurn } from './churn.ts';
import { storeCoverage } from './coverage.ts';

/** How many good snapshots the usual count is the median of. */
const JUDGED_BY = 7;

/** Writes the manifest, which makes the snapshot exist, then `latest.json` if it is good. May run twice. */
export async function publish(app: App, run: BackupRun): Promise<void> {
  const manifest = (await readManifest(app, run.hub, run.id)) ?? (await writeManifest(app, run));
  const { counts, health, healthReasons } = manifest;
  const reasons = healthReasons.join('; ');
  if (health === 'good') await pointLatest(app, run.hub);
  else {
    await putMark(app, manifest, 'suspect');
    app.log.warn('snapshot is suspect and will not be latest', { runId: run.id, reasons });
  }
  const facts = await readShardFacts(app, run);
  await storeChurn(app, manifest, facts);
  await storeCoverage(app, manifest, facts);
  if (counts.records === 0) await documents.empty.write(app, emptyName(run.hub), { at: manifest.readStartedAt }, 'any');
  const result = {
    snapshotId: manifest.id,
    recordCount: counts.records,
    registrationCount: counts.registrations,
    deviceCount: counts.devices,
    duplicateCount: counts.duplicates,
    health,
    healthReasons,
  };
  await endRun(app, run, 'Succeeded', { result });
}

async function writeManifest(app: App, run: BackupRun): Promise<Manifest> {
  const checkpoint = await readFinishedScan(app, run);
  const results = await readShardResults(app, run);
  const sum = results.reduce((total, result) => addCounts(total, result.counts), noCounts);
  const counts = run.deviceCount === undefined ? sum : { ...sum, devices: run.deviceCount };
  await refuseLoss(app, run, checkpoint, results);
  const earlier = await earlierCounts(app, run);
  const manifest = addDigest(
    {
      id: run.id,
      hub: run.hub,
      readStartedAt: checkpoint.startedAt,
      readFinishedAt: checkpoint.finishedAt ?? checkpoint.startedAt,
      publishedAt: toInstant(app.world.storageNow()),
      counts,
      duplicatesSeen: results.reduce((total, result) => total + result.duplicatesSeen, 0),
      unreadableRows: checkpoint.unreadableCount,
      listingRestarts: checkpoint.restartCount,
      ...judgeSnapshot(counts, earlier, checkpoint, app.policy),
      toolVersion: app.policy.toolVersion,
      shards: results.map((result) => result.shard),
    },
    sha256Hex,
  );
  const stored = await documents.manifest.write(app, manifestName(run.hub, run.id), manifest, 'new');
  if (stored !== 'conflict') return manifest;
  return (await readManifest(app, run.hub, run.id)) ?? manifest;
}

async function readShardFacts(app: App, run: BackupRun): Promise<readonly BlobFacts[]> {
  const entries = await app.blobs.list(resultsFolder('backup', run.id, run.phase.pass, 'seal'));
  return entries.map((entry) => entry.facts).filter(isDoneFact);
}

/** Every row that was listed is in a shard, seen twice or known to be unreadable; and every shard is stored. */
async function refuseLoss(
  app: App,
  run: BackupRun,
  { rowCount, unreadableCount }: ScanCheckpoint,
  results: readonly ShardResult[],
): Promise<void> {
  const kept = results.reduce((total, { shard, duplicatesSeen }) => total + shard.registrations + duplicatesSeen, 0);
  if (kept !== rowCount - unreadableCount) {
    const message = `Of ${counted(rowCount - unreadableCount, 'registration')} listed, the shards hold ${grouped(kept)}. Start a new backup.`;
    throw new DrError('StoredDocumentInvalid', message, { target: scanName(run.kind, run.id, run.phase.pass) });
  }
  await checkShardsStored(app, { id: run.id, hub: run.hub, shards: results.map((result) => result.shard) });
}

/** Of the hub that was in use, whichever it was: after a change of roles the one hub is judged by the other. */
async function earlierCounts(app: App, run: BackupRun): Promise<Earlier> {
  const good: RecordCounts[] = [];
  const ofHub: RecordCounts[] = [];
  const suspect: RecordCounts[] = [];
  const marksOf = await readMarksOfPair(app);
  for (const { hub, id } of await listSnapshotIdsOfPair(app)) {
    if (good.length === JUDGED_BY) break;
    if (id >= run.id) continue;
    const marks = marksOf({ hub, id });
    const isEnough = good.length > 0 || suspect.length >= app.policy.suspectAcceptAfter;
    if (marks?.isSuspect && !marks.isAccepted && isEnough) continue;
    const manifest = await orFault(readManifest(app, hub, id));
    if (manifest instanceof DrError) app.log.warn('manifest unusable', { snapshotId: id, code: manifest.code });
    else if (manifest?.health === 'good') {
      good.push(manifest.counts);
      if (isSameHub(hub, run.hub)) ofHub.push(manifest.counts);
    } else if (manifest !== undefined) {
      if (!marks?.isSuspect) await putMark(app, manifest, 'suspect');
      if (good.length > 0) continue;
      if (marks?.isAccepted) return { good: [manifest.counts], ofHub: [manifest.counts], suspect };
      suspect.push(manifest.counts);
    }
  }
  return { good, ofHub, suspect };
}

/**
 * The newest intact good one, whatever was named before: a slow old backup never takes the place of a newer one. It is
 * for readers outside: where the storage refuses it, the snapshot is there all the same.
 */
async function pointLatest(app: App, hub: HubRef): Promise<void> {
  for (;;) {
    const etag = (await readLatest(app, hub)).etag;
    const { manifest } = await searchLatest(app, hub);
    const stored = manifest === undefined ? undefined : await orFault(storeLatest(app, manifest, etag));
    if (stored === 'conflict') continue;
    return noteRefusal(app, 'latest', stored instanceof DrError ? stored : undefined);
  }
}
