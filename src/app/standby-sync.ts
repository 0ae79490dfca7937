import { DrError } from '../core/errors.ts';
import { lockName } from '../core/paths.ts';
import { isOlderThanRole } from '../core/run/role-words.ts';
import { isOver } from '../core/run/run.ts';
import { syncRunId } from '../core/run/sync.ts';
import { type App, isNews } from './app.ts';
import { startRestore } from './restore/start.ts';
import { readLocked } from './runs/lock.ts';
import { type Roles, readRoles } from './runs/roles.ts';
import { readRun } from './runs/store.ts';
import { whySyncRests } from './runs/sync-rests.ts';
import { readLatest } from './snapshots/latest.ts';
import { chooseSnapshot } from './snapshots/store.ts';

/**
 * Starts the sync of the newest good snapshot of the hub in use, once for each: called at the end of each run and by the
 * watchdog. What keeps it from starting is tried again then, and whatever ends it, the next backup has a sync of its own.
 */
export async function advanceSync(app: App): Promise<void> {
  if (app.policy.standbySync === 'off') return;
  try {
    await startDue(app);
    isNews(app, 'sync', undefined);
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    const isNew = isNews(app, 'sync', error);
    if (isNew) app.log.warn('sync waits', { code: error.code, reason: error.message });
  }
}

async function startDue(app: App): Promise<void> {
  const roles = await readRoles(app);
  const { snapshotId } = await readLatest(app, roles.active.ref, 'mayBeMissing');
  if (snapshotId === undefined || (await isStarted(app, snapshotId))) return;
  const { manifest } = await chooseSnapshot(app, roles, 'latest');
  if ((await isStarted(app, manifest.id)) || isOlderThanRole(manifest.readStartedAt, roles.role)) return;
  if ((await whySyncRests(app, roles)) !== undefined || (await isRepaired(app, roles))) return;
  const request = { snapshot: manifest.id, target: 'standby', onConflict: 'keep', dryRun: false } as const;
  await startRestore(app, request, { id: syncRunId(manifest.id), purpose: 'sync', requestedBy: 'timer' });
}

/** An operator restores into the hub in use: what the pair agrees on may change. The standby's own lock is looked at later. */
async function isRepaired(app: App, { active }: Roles): Promise<boolean> {
  const run = (await readLocked(app, lockName('restore', active.ref)))?.run;
  return typeof run === 'object' && !isOver(run);
}

async function isStarted(app: App, snapshotId: string): Promise<boolean> {
  return (await readRun(app, 'restore', syncRunId(snapshotId))) !== undefined;
}
