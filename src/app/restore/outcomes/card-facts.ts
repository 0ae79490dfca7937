import { PACE_NAME, resultsFolder, seenName } from '../../../core/paths.ts';
import type { BlobFacts, HubRef } from '../../../core/ports.ts';
import { paceOf, secondsToLook } from '../../../core/restore/pace.ts';
import { asListed } from '../../../core/restore/plan/circumstances.ts';
import { wrote } from '../../../core/run/amounts.ts';
import type { RestoreCounts, RestoreRun } from '../../../core/run/run.ts';
import { type App, toInstant } from '../../app.ts';
import { documents } from '../../stored/documents.ts';

/** What a restore leaves behind for the readiness card, so that asking for it reads no old runs. */

/** Fewer writes than this say nothing about the rate. */
const LEAST_WRITES = 100;

/**
 * Notes how many records a second the run's first pass settled while it wrote, outages and queues aside, and what it
 * takes besides: the looks before and after, and the time for the hub to settle. A pass that found most in place already
 * says nothing.
 */
export async function notePace(app: App, run: RestoreRun, counts: RestoreCounts, first: readonly BlobFacts[]) {
  const written = wrote(counts);
  if (run.request.dryRun || written < LEAST_WRITES || written * 2 < counts.total) return;
  const measured = paceOf(first, Number.POSITIVE_INFINITY)?.recordsPerSecond ?? written / LEAST_SECONDS;
  const pace = {
    runId: run.id,
    basis: run.request.purpose === 'drill' ? 'drill' : 'restore',
    recordsPerSecond: Math.max(0.1, Math.round(measured * 10) / 10),
    besidesSeconds: app.policy.settleSeconds + 2 * secondsToLook(run),
    at: toInstant(app.world.storageNow()),
  } as const;
  await documents.pace.write(app, PACE_NAME, pace, 'any');
}

/** A writing of which no two moments were saved. */
const LEAST_SECONDS = 0.1;

/** Notes how many devices, and rows, the run's last listing of its target showed. */
export async function noteSeen(app: App, run: RestoreRun): Promise<void> {
  const { pass } = asListed(run).phase;
  const compared = await app.blobs.list(resultsFolder('restore', run.id, pass, 'seal'));
  const sumOf = (name: string): number => compared.reduce((sum, { facts }) => sum + Number(facts[name]), 0);
  const [devices, rows] = [sumOf('records'), sumOf('rows')];
  if (compared.length < run.shardCount || !Number.isInteger(devices)) return;
  const seen = {
    runId: run.id,
    devices,
    ...(Number.isInteger(rows) ? { rows } : {}),
    at: toInstant(app.world.storageNow()),
  };
  await documents.seen.write(app, seenName(run.hub), seen, 'any');
}

/** A damaged note counts as none: the card shows less, and the next restore writes it again. */
export async function readPace(app: App) {
  return (await documents.pace.tryFind(app, PACE_NAME)).value;
}

export async function readSeen(app: App, hub: HubRef) {
  return (await documents.seen.tryFind(app, seenName(hub))).value;
}
