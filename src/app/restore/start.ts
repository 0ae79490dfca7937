import { DrError } from '../../core/errors.ts';
import { fullNameOf, isFullNameOf } from '../../core/paths.ts';
import type { Hub } from '../../core/ports.ts';
import { rolesOf } from '../../core/restore/plan/terms.ts';
import { termsOf } from '../../core/run/role.ts';
import { isRunId, type RestoreRun } from '../../core/run/run.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import type { App } from '../app.ts';
import { refuseIfHeld } from '../runs/lock.ts';
import { noteRoles, type Roles } from '../runs/roles.ts';
import { readRun } from '../runs/store.ts';
import { isOperatorsId } from '../runs/sync-rests.ts';
import { checkShardsStored, chooseSnapshot } from '../snapshots/store.ts';
import { launchRestore } from './launch.ts';
import { findSyncInTheWay, makeWay } from './outcomes/end-sync.ts';
import {
  type AskedRestore,
  preflight,
  refuseActivation,
  refuseOlderThanRole,
  refuseUnsafeActivation,
  refuseUnsafeTarget,
  targetOf,
} from './preflight.ts';

export interface StartOptions {
  /** The caller's own id. */
  readonly id?: string | undefined;
  readonly purpose?: 'restore' | 'sync' | 'drill';
  readonly requestedBy?: RestoreRun['requestedBy'];
  readonly askedBy?: string | undefined;
}

/**
 * Checks everything that can be checked before the first write, then starts a restore. With a caller's id it is
 * idempotent: the same request again finds its run, which then is not new, another one under that id is `RunIdInUse`.
 */
export async function startRestore(
  app: App,
  request: AskedRestore,
  { id, purpose = 'restore', requestedBy = 'http', askedBy }: StartOptions = {},
) {
  if (id !== undefined) {
    refuseBadId(id);
    const existing = await readRun(app, 'restore', id);
    if (existing !== undefined) return { run: requireSame(existing, request, purpose), isNew: false };
    if (purpose === 'restore' && !isOperatorsId(id)) throw reservedId();
  }
  await app.blobs.ensure();
  const roles = await noteRoles(app);
  const target = targetOf(app, roles, request);
  refuseActivation(request, target.hub, roles);
  if (purpose !== 'restore') await refuseIfHeld(app, 'restore', target.hub.ref, id);
  const sync = purpose === 'restore' ? await findSyncInTheWay(app, target.hub.ref, id) : undefined;
  const { manifest, isUndone, warnings: found } = await chooseSnapshot(app, roles, request.snapshot);
  refuseOlderThanRole(request, manifest, roles);
  const chosen = { manifest, about: isUndone ? found.join(' ') : '' };
  refuseUnsafeActivation(request, chosen, target.hub, roles);
  refuseUnsafeTarget(request, chosen, target.hub, roles);
  await checkShardsStored(app, manifest);
  // A dry run looks at what the sync is filling.
  if (!request.dryRun) await makeWay(app, sync);
  const warnings = [...found, ...(await preflight(app, target, manifest, { isWhole: request.only === undefined }))];
  const { snapshot, target: askedTarget, confirm: _confirm, onConflict = 'keep', ...asked } = request;
  const started = await launchRestore(app, {
    id,
    manifest,
    isUndone,
    hub: target.hub.ref,
    warnings,
    requestedBy,
    askedBy,
    terms: termsOf(roles.role),
    request: {
      purpose,
      askedSnapshot: snapshot,
      target: target.name,
      askedTarget: askedTarget === 'standby' ? askedTarget : undefined,
      onConflict,
      isFailback: isFailback(request, manifest, target.hub, roles),
      ...asked,
    },
  });
  return started.isNew ? started : { run: requireSame(started.run, request, purpose), isNew: false };
}

function refuseBadId(runId: string): void {
  if (isRunId(runId)) return;
  const message =
    'A restore id is 1 to 64 letters, digits, "-", "_" or ".", beginning and ending with a letter or digit.';
  throw new DrError('BadRequest', message, { target: 'id' });
}

/** Under it the restore would not be shown among those that a person asked for. */
function reservedId(): DrError {
  const message =
    'Ids of that form are of the runs of drills and syncs. Choose another ending, or a name that does not begin with a date.';
  return new DrError('BadRequest', message, { target: 'id' });
}

/** A switch to a hub that was in use before, unless the caller decides about conflicts. */
function isFailback(request: AskedRestore, { hub }: Manifest, { ref }: Hub, { role }: Roles): true | undefined {
  if (request.activate !== true || request.onConflict !== undefined) return undefined;
  return rolesOf(termsOf(role), hub, ref).wasTargetInUseBefore ? true : undefined;
}

/** The standby may have been activated since. Runs of older versions have `secondary` where nothing was asked for. */
function isTargetOf({ request: { askedTarget, target } }: RestoreRun, request: AskedRestore): boolean {
  if (request.target === 'standby') return askedTarget === 'standby' || target === 'secondary';
  return request.target === target;
}

/** What was asked for under an id stays: the same request finds it, another one is refused. */
function requireSame(run: RestoreRun, request: AskedRestore, purpose: RestoreRun['request']['purpose']): RestoreRun {
  const { askedSnapshot, onConflict, leftovers, resurrect, activate, dryRun, only, order, note } = run.request;
  const isSame =
    (request.confirm === undefined || isFullNameOf(run.hub, request.confirm)) &&
    purpose === run.request.purpose &&
    askedSnapshot === request.snapshot &&
    isTargetOf(run, request) &&
    onConflict === (request.onConflict ?? 'keep') &&
    dryRun === request.dryRun &&
    JSON.stringify([leftovers, resurrect, activate, only, order, note]) ===
      JSON.stringify([
        ...[request.leftovers, request.resurrect, request.activate],
        ...[request.only, request.order, request.note],
      ]);
  if (isSame) return run;
  const message = `The restore '${run.id}' into ${fullNameOf(run.hub)} exists with another request. Choose another id.`;
  throw new DrError('RunIdInUse', message, { target: run.id });
}
