import { DrError } from '../../core/errors.ts';
import { isSameHub } from '../../core/paths.ts';
import type { Drill } from '../../core/readiness/drill.ts';
import { newRunId } from '../../core/run/run.ts';
import { type App, toInstant } from '../app.ts';
import { findSnapshot } from '../snapshots/store.ts';
import { advanceDrills } from './advance.ts';
import { createDrill, readDrill, readNewestDrills } from './store.ts';

/**
 * Starts a drill of the latest good snapshot. It is moved on by the ends of its runs and by the watchdog. Throws
 * `RunInProgress` while another one is active, `NoGoodSnapshot` when there is nothing to rehearse with.
 */
export async function startDrill(app: App, requestedBy: Drill['requestedBy'], askedBy?: string): Promise<Drill> {
  await app.blobs.ensure();
  const others = await readNewestDrills(app);
  const { newest, lastEnded } = others;
  if (others.isBeingBorn || (newest !== undefined && newest.value.stage !== 'over')) throw inProgress(newest?.value.id);
  const { id: snapshotId } = await findSnapshot(app, 'latest');
  const nowMs = app.world.storageNow();
  const createdAt = toInstant(nowMs);
  const scratchHub = app.drillHub?.ref;
  const isSame = scratchHub && lastEnded?.scratchHub && isSameHub(scratchHub, lastEnded.scratchHub);
  const owes = isSame ? lastEnded.owes : undefined;
  const drill: Drill = {
    formatVersion: 1,
    id: newRunId(nowMs, app.world.newSuffix()),
    requestedBy,
    askedBy,
    createdAt,
    before: lastEnded?.id,
    snapshotId,
    scratchHub,
    stage: scratchHub === undefined ? 'verifying' : 'sweeping',
    stageSince: createdAt,
    owes,
  };
  if (!(await createDrill(app, drill, others))) throw inProgress(undefined);
  app.log.info('drill started', { drillId: drill.id, snapshotId, requestedBy });
  await advanceDrills(app);
  return (await readDrill(app, drill.id))?.value ?? drill;
}

function inProgress(id: string | undefined): DrError {
  const which =
    id === undefined
      ? 'Find it: notification-hubs-dr drills'
      : `Watch it: notification-hubs-dr watch ${id}; or stop it: notification-hubs-dr cancel ${id}`;
  return new DrError('RunInProgress', `A drill is still running. ${which}`, { target: id ?? 'drill' });
}
