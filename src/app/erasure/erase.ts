import { DrError } from '../../core/errors.ts';
import { isSameHub, lockName } from '../../core/paths.ts';
import type { HubRef } from '../../core/ports.ts';
import type { Erasure } from '../../core/request/erasure.ts';
import { isOver } from '../../core/run/run.ts';
import { type App, toInstant } from '../app.ts';
import { BIRTH_MS, readLocked } from '../runs/lock.ts';
import { appsOfOtherPairs, describePair } from '../runs/other-pairs.ts';
import { refuseWhileWriting } from '../runs/writers.ts';
import { addErasure } from '../snapshots/erased.ts';
import { listSnapshotIdsOfPair } from '../snapshots/store.ts';
import { forEachConcurrent } from '../stored/concurrent.ts';
import { findHolders } from './holders.ts';
import { dropIntended } from './intended.ts';
import { findLive } from './live-rows.ts';

const WRITERS = 16;

/**
 * From here on, no restore, sync, failback or rollback brings back what is erased from a snapshot whose reading has
 * begun, and what backends intended for it is dropped. It touches no hub: what lives there is listed. Throws
 * `RunInProgress` while a restore runs, for that may have decided already, and `RunNotOver` while steps of one may still
 * write.
 */
export async function erase(app: App, erasure: Erasure) {
  await refuseWhileRestoring(app);
  const at = toInstant(app.world.storageNow());
  const apps = await appsOfPairsWith(app);
  const begun = [...(await listSnapshotIdsOfPair(app)), ...(await snapshotsUnderWay(app, apps))];
  await forEachConcurrent(begun, WRITERS, ({ hub, id }) => addErasure(app, hub, id, erasure));
  // One that began meanwhile may have looked before there was anything to see.
  await refuseWhileRestoring(app);
  const intended = await dropIntended(app, apps, erasure, await findLiveInBoth(app, erasure));
  app.log.info('erased', { kind: erasure.kind, snapshots: begun.length, dropped: intended.dropped });
  // Asked again: one that was being carried out may have been written meanwhile.
  const [holders, live] = await Promise.all([findHolders(app, erasure), findLiveInBoth(app, erasure)]);
  return { erasedAt: at, by: erasure.kind, snapshots: holders, intended, live };
}

function findLiveInBoth(app: App, erasure: Erasure) {
  return Promise.all([app.primary, app.secondary].map((hub) => findLive(app, hub, erasure)));
}

/** Also while one is silent: it may resume. Those of other pairs may restore what one of these hubs held. */
async function refuseWhileRestoring(app: App): Promise<void> {
  for (const each of await appsOfPairsWith(app)) {
    for (const { ref } of [each.primary, each.secondary]) {
      const held = await readLocked(each, lockName('restore', ref));
      if (held === undefined) continue;
      const { lock, run } = held;
      if (typeof run === 'object' && isOver(run)) await refuseWhileWriting(each, run, true);
      else if (typeof run === 'object' || lock.ageMs < BIRTH_MS) throw stillRuns(each, app, lock.runId);
    }
  }
}

function stillRuns(of: App, app: App, runId: string): DrError {
  const what = `The restore '${runId}' still runs, and may have decided already whom it brings back.`;
  const cure =
    of === app
      ? `Wait until it is over, or stop it: notification-hubs-dr cancel ${runId}`
      : `It is a run of ${describePair(of)}: wait until it is over, or cancel it there.`;
  return new DrError('RunInProgress', `${what} ${cure}`, { target: runId });
}

/** This app, and those of other pairs that have one of its hubs. */
async function appsOfPairsWith(app: App): Promise<readonly App[]> {
  const hubs = [app.primary.ref, app.secondary.ref];
  const others = (await appsOfOtherPairs(app)).filter((other) =>
    hubs.some((hub) => isSameHub(hub, other.primary.ref) || isSameHub(hub, other.secondary.ref)),
  );
  return [app, ...others];
}

/** Of backups that read one of the hubs now. Their ids are those of the snapshots that they make. */
async function snapshotsUnderWay(
  app: App,
  apps: readonly App[],
): Promise<{ readonly hub: HubRef; readonly id: string }[]> {
  const under: { readonly hub: HubRef; readonly id: string }[] = [];
  const hubs = [app.primary.ref, app.secondary.ref];
  for (const each of apps) {
    for (const { ref } of [each.primary, each.secondary]) {
      if (!hubs.some((hub) => isSameHub(hub, ref))) continue;
      const run = (await readLocked(each, lockName('backup', ref)))?.run;
      if (typeof run === 'object' && !isOver(run)) under.push({ hub: ref, id: run.id });
    }
  }
  return under;
}
