import { PACE_NAME, resultsFolder, seenName } from '../../../core/paths.ts';
import type { HubRef } from '../../../core/ports.ts';
import { wrote } from '../../../core/restore/next-actions.ts';
import type { RestoreCounts, RestoreRun } from '../../../core/run/run.ts';
import { type App, toInstant } from '../../app.ts';
import { documents } from '../../stored/documents.ts';

/** What a restore leaves behind for the readiness card, so that asking for it reads no old runs. */

/** Fewer writes than this say nothing about the rate. */
const LEAST_WRITES = 100;

/**
 * Notes how many records a second the run's first pass put in place, from its start to the last write: its listing of
 * the target included, for a failover waits for that, too. A pass that found most in place already says nothing.
 */
export async function notePace(app: App, run: RestoreRun, counts: RestoreCounts): Promise<void> {
  const written = wrote(counts);
  if (run.request.dryRun || written < LEAST_WRITES || written * 2 < counts.total) return;
  const nowMs = app.world.storageNow();
  const seconds = Math.max((nowMs - Date.parse(run.createdAt)) / 1000, 0.001);
  const basis = run.request.purpose === 'drill' ? 'drill' : 'restore';
  const recordsPerSecond = Math.max(0.1, Math.round((written / seconds) * 10) / 10);
  const pace = { runId: run.id, basis, recordsPerSecond, at: toInstant(nowMs) } as const;
  await documents.pace.write(app, PACE_NAME, pace, 'any');
}

/** Notes how many devices the run's last listing of its target showed. */
export async function noteSeen(app: App, run: RestoreRun): Promise<void> {
  const compared = await app.blobs.list(resultsFolder('restore', run.id, run.phase.pass, 'seal'));
  const devices = compared.reduce((sum, { facts }) => sum + Number(facts['records']), 0);
  if (compared.length < run.shardCount || !Number.isInteger(devices)) return;
  const seen = { runId: run.id, devices, at: toInstant(app.world.storageNow()) };
  await documents.seen.write(app, seenName(run.hub), seen, 'any');
}

/** A damaged note counts as none: the card shows less, and the next restore writes it again. */
export async function readPace(app: App) {
  return (await documents.pace.tryFind(app, PACE_NAME)).value;
}

export async function readSeen(app: App, hub: HubRef) {
  return (await documents.seen.tryFind(app, seenName(hub))).value;
}
