import { newRunId, type Run, type VerificationRun } from '../../core/run/run.ts';
import { type App, toInstant } from '../app.ts';
import { launchRun } from '../runs/launch.ts';
import { readRun, runNotStored } from '../runs/store.ts';
import { findSnapshot } from './store.ts';

/**
 * Starts the verification of a snapshot: every shard is read again, its checksum checked and every record parsed, as
 * steps through the queue. With a caller's id it is idempotent. Throws `RunInProgress` while another one runs.
 */
export async function startVerification(
  app: App,
  asked: string,
  requestedBy: Run['requestedBy'],
  callersId?: string,
): Promise<VerificationRun> {
  const existing = callersId === undefined ? undefined : await findExisting(app, callersId);
  if (existing !== undefined) return existing;
  await app.blobs.ensure();
  const manifest = await findSnapshot(app, app.primary.ref, asked);
  const nowMs = app.world.now();
  const createdAt = toInstant(nowMs);
  const run: VerificationRun = {
    formatVersion: 1,
    kind: 'verification',
    id: callersId ?? newRunId(nowMs, app.world.newSuffix()),
    status: 'Running',
    requestedBy,
    createdAt,
    hub: manifest.hub,
    phase: { name: 'verify', pass: 1, isDispatched: false, startedAt: createdAt },
    shardCount: manifest.shards.length,
    kicks: 0,
    warnings: [],
    snapshotId: manifest.id,
    recordCount: manifest.counts.records,
  };
  if (!(await launchRun(app, run))) {
    const twin = await findExisting(app, run.id);
    if (twin === undefined) throw runNotStored('verification', run.id);
    return twin;
  }
  app.log.info('verification started', { runId: run.id, snapshotId: manifest.id, records: run.recordCount });
  return run;
}

async function findExisting(app: App, runId: string): Promise<VerificationRun | undefined> {
  const run = (await readRun(app, 'verification', runId))?.run;
  return run?.kind === 'verification' ? run : undefined;
}
