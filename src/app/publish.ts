import { DrError } from '../core/errors.ts';
import { judgeSnapshot } from '../core/health.ts';
import { addCounts, formatManifest, type Manifest, noCounts, sealManifest } from '../core/manifest.ts';
import { latestName, manifestName } from '../core/paths.ts';
import type { BackupRun } from '../core/run.ts';
import { type App, toInstant } from './app.ts';
import { sha256Hex, toBytes, toText } from './codec.ts';
import { endRun } from './end-run.ts';
import { readScan } from './scan.ts';
import { readSealResults } from './seal.ts';
import { listSnapshotIds, readManifest } from './snapshots.ts';

/** How many good snapshots the usual count is the median of. */
const JUDGED_BY = 7;

/** Writes the manifest, which makes the snapshot exist, then `latest.json` if it is a good one. May run twice. */
export async function publish(app: App, run: BackupRun): Promise<void> {
  const manifest = (await readManifest(app, run.hub, run.id)) ?? (await writeManifest(app, run));
  if (manifest.health === 'good') await pointLatestTo(app, manifest);
  else
    app.log.warn('snapshot is suspect and will not be latest', {
      runId: run.id,
      reasons: manifest.healthReasons.join('; '),
    });
  const { counts, health, healthReasons } = manifest;
  const result = {
    snapshotId: manifest.id,
    recordCount: counts.records,
    registrationCount: counts.registrations,
    health,
    healthReasons: [...healthReasons],
  };
  await endRun(app, run, 'Succeeded', (current) => (current.kind === 'backup' ? { ...current, result } : current));
}

async function writeManifest(app: App, run: BackupRun): Promise<Manifest> {
  const checkpoint = await readScan(app, run, run.phase.pass);
  const results = await readSealResults(app, run);
  if (results.length !== run.shardCount) {
    throw new DrError(
      'StoredDocumentInvalid',
      `Of ${run.shardCount} shards only ${results.length} are sealed. Start a new backup.`,
    );
  }
  const counts = results.reduce((total, result) => addCounts(total, result.counts), noCounts);
  const earlier = await earlierCounts(app, run);
  const manifest = sealManifest(
    {
      formatVersion: 1,
      id: run.id,
      hub: run.hub,
      readStartedAt: checkpoint.startedAt,
      readFinishedAt: checkpoint.finishedAt ?? checkpoint.startedAt,
      publishedAt: toInstant(app.clock.now()),
      counts,
      duplicatesSeen: results.reduce((total, result) => total + result.duplicatesSeen, 0),
      unreadableRows: checkpoint.unreadableCount,
      listingRestarts: checkpoint.restartCount,
      ...toMutable(judgeSnapshot(counts.records, earlier, checkpoint, app.policy.suspectDropPercent)),
      toolVersion: app.policy.toolVersion,
      shards: results.map((result) => result.shard),
    },
    sha256Hex,
  );
  const stored = await app.blobs.put(manifestName(run.hub, run.id), toBytes(formatManifest(manifest)), 'new');
  if (stored !== 'conflict') return manifest;
  return (await readManifest(app, run.hub, run.id)) ?? manifest;
}

function toMutable(health: ReturnType<typeof judgeSnapshot>) {
  return { health: health.health, healthReasons: [...health.healthReasons] };
}

async function earlierCounts(app: App, run: BackupRun): Promise<number[]> {
  const found: number[] = [];
  for (const id of (await listSnapshotIds(app, run.hub)).reverse()) {
    if (found.length === JUDGED_BY) break;
    if (id >= run.id) continue;
    try {
      const manifest = await readManifest(app, run.hub, id);
      if (manifest?.health === 'good') found.push(manifest.counts.records);
    } catch (error) {
      if (!(error instanceof DrError) || error.retryable) throw error;
      app.log.warn('manifest unusable', { snapshotId: id, code: error.code });
    }
  }
  return found;
}

/** Only ever forward: a slow old backup never takes the place of a newer one. */
async function pointLatestTo(app: App, manifest: Manifest): Promise<void> {
  const name = latestName(manifest.hub);
  const bytes = toBytes(`${JSON.stringify({ formatVersion: 1, snapshotId: manifest.id, digest: manifest.digest })}\n`);
  for (;;) {
    const blob = await app.blobs.get(name);
    if (blob !== undefined && namedBy(toText(blob.bytes)) >= manifest.id) return;
    const condition = blob === undefined ? 'new' : { etag: blob.etag };
    if ((await app.blobs.put(name, bytes, condition)) !== 'conflict') return;
  }
}

/** A damaged `latest.json` names nothing, and so is older than any snapshot. */
function namedBy(text: string): string {
  return /"snapshotId":"([^"]+)"/.exec(text)?.[1] ?? '';
}
