import { type BackupRun, newRunId } from '../../core/run/run.ts';
import { type App, toInstant } from '../app.ts';
import { launchRun } from '../runs/launch.ts';
import { runNotStored } from '../runs/store.ts';

/** Starts a backup of the primary hub. Throws `RunInProgress` while one is running. */
export async function startBackup(app: App, requestedBy: 'timer' | 'http'): Promise<BackupRun> {
  await app.blobs.ensure();
  const nowMs = app.world.now();
  const createdAt = toInstant(nowMs);
  const run: BackupRun = {
    formatVersion: 1,
    kind: 'backup',
    id: newRunId(nowMs, app.world.newSuffix()),
    status: 'Running',
    requestedBy,
    createdAt,
    hub: app.primary.ref,
    phase: { name: 'scan', pass: 1, isDispatched: false, startedAt: createdAt },
    shardCount: 0,
    kicks: 0,
    warnings: [],
  };
  if (!(await launchRun(app, run))) throw runNotStored('backup', run.id);
  app.log.info('backup started', { runId: run.id, requestedBy });
  return run;
}
