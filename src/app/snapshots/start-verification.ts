import type { Run, VerificationRun } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { launchRun, newRun } from '../runs/launch.ts';
import { readRoles } from '../runs/roles.ts';
import { readRun } from '../runs/store.ts';
import { chooseSnapshot } from './store.ts';

/**
 * Starts the verification of a snapshot: every shard is read again, its checksum checked and every record parsed, as
 * steps through the queue. With a caller's id it is idempotent. Throws `RunInProgress` while another one runs.
 */
export async function startVerification(
  app: App,
  asked: string,
  requestedBy: Run['requestedBy'],
  { id, askedBy }: { readonly id?: string; readonly askedBy?: string | undefined } = {},
): Promise<VerificationRun> {
  const existing = id === undefined ? undefined : await readRun(app, 'verification', id);
  if (existing !== undefined) return existing;
  await app.blobs.ensure();
  const { manifest, warnings } = await chooseSnapshot(app, await readRoles(app), asked);
  const { run, isNew } = await launchRun(app, {
    ...newRun(app, 'verify', id),
    kind: 'verification',
    requestedBy,
    askedBy,
    hub: manifest.hub,
    shardCount: manifest.shards.length,
    warnings: [...warnings],
    snapshotId: manifest.id,
    recordCount: manifest.counts.records,
  });
  if (isNew) app.log.info('verification started', { runId: run.id, snapshotId: manifest.id, records: run.recordCount });
  return run;
}
