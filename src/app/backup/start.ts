import type { BackupRun } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { launchRun, newRun } from '../runs/launch.ts';
import { noteRoles } from '../runs/roles.ts';

/** Starts a backup of the hub in use. Throws `RunInProgress` while one is running. */
export async function startBackup(app: App, requestedBy: 'timer' | 'http', askedBy?: string): Promise<BackupRun> {
  await app.blobs.ensure();
  const { active } = await noteRoles(app);
  const { run } = await launchRun(app, {
    ...newRun(app, 'scan'),
    kind: 'backup',
    requestedBy,
    askedBy,
    hub: active.ref,
    shardCount: 0,
    warnings: [],
  });
  app.log.info('backup started', { runId: run.id, requestedBy });
  return run;
}
