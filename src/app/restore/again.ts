import { DrError } from '../../core/errors.ts';
import { fullNameOf, isSameHub } from '../../core/paths.ts';
import type { HubRef } from '../../core/ports.ts';
import { type Role, termsOf } from '../../core/run/role.ts';
import { declaring, withRole } from '../../core/run/role-words.ts';
import { isOver, type RestoreRun } from '../../core/run/run.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import { type App, hubOf } from '../app.ts';
import { findRun } from '../runs/store.ts';
import { refuseWhileWriting } from '../runs/writers.ts';
import { checkShardsStored, findSnapshotOf } from '../snapshots/store.ts';
import { launchRestore } from './launch.ts';
import { findSyncInTheWay, makeWay } from './outcomes/end-sync.ts';

/**
 * What a retry and a rollback share: each is a run about a restore that is over, of the same snapshot, on the same hub.
 */

/** Throws `RunNotOver` while the restore runs, and while steps of it may still write. */
export async function readEnded(app: App, runId: string): Promise<RestoreRun> {
  const run = await findRun(app, 'restore', runId);
  if (isOver(run)) {
    await refuseWhileWriting(app, run, true);
    return run;
  }
  const message = `The restore '${runId}' still runs. Wait until it is over, or cancel it.`;
  throw new DrError('RunNotOver', message, { target: runId });
}

export function refusal(code: 'NothingToRetry' | 'NothingToRollBack', { id }: RestoreRun, why: string): DrError {
  return new DrError(code, `The restore '${id}' ${why}.`, { target: id });
}

/** Throws `RunInProgress` while another run than that of the caller's id is the active one of the hub. */
export async function openTarget(app: App, { request, hub }: RestoreRun, id?: string) {
  const target = hubOf(app, hub);
  const sync = await findSyncInTheWay(app, hub, id);
  const manifest = await findSnapshotOf(app, request.sourceHub, request.snapshotId);
  await checkShardsStored(app, manifest);
  await makeWay(app, sync);
  return { manifest, hub: target };
}

interface AgainOptions extends Pick<RestoreRun, 'newer'> {
  readonly id?: string | undefined;
  readonly purpose: 'retry' | 'rollback';
  readonly role: Role;
  readonly warnings: readonly string[];
  readonly note?: string | undefined;
  readonly requestedBy?: RestoreRun['requestedBy'];
  readonly askedBy?: string | undefined;
}

export async function launchAgain(
  app: App,
  { id: of, hub, request, source }: RestoreRun,
  manifest: Manifest,
  { id, purpose, role, warnings, newer, note = request.note, requestedBy = 'http', askedBy }: AgainOptions,
): Promise<RestoreRun> {
  const { target, onConflict, leftovers, resurrect, isFailback, only, order } = request;
  const { run } = await launchRestore(app, {
    id,
    manifest,
    isUndone: source?.isUndone,
    hub,
    warnings: [...warnings, ...(purpose === 'rollback' ? warningsOfRole(role, hub) : [])],
    newer,
    requestedBy,
    askedBy,
    terms: termsOf(role),
    request: {
      purpose,
      of,
      askedSnapshot: manifest.id,
      target,
      onConflict,
      leftovers,
      resurrect,
      isFailback: purpose === 'retry' ? isFailback : undefined,
      dryRun: false,
      only,
      order: purpose === 'rollback' ? undefined : order,
      note,
    },
  });
  return run;
}

function warningsOfRole(role: Role, hub: HubRef): readonly string[] {
  if (!isSameHub(role.active, hub)) return [];
  return [
    `A rollback does not change the roles: what it removes is missing in ${withRole(hub, role)}. Only where devices and backends use ${fullNameOf(role.standby)} again, say so: ${declaring(role.standby)}`,
  ];
}
