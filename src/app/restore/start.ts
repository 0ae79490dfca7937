import { DrError } from '../../core/errors.ts';
import type { Hub } from '../../core/ports.ts';
import { deviceLimits } from '../../core/readiness/tiers.ts';
import type { RestoreRequest } from '../../core/request/restore.ts';
import { isRunId, type RestoreRun } from '../../core/run.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import { type App, isSameHub } from '../app.ts';
import { readRun } from '../runs/store.ts';
import { checkShardsStored, chooseSnapshot } from '../snapshots/store.ts';
import { launchRestore, refuseWrongConfirmation } from './launch.ts';

/** The caller waits for the preflight; a hub that needs longer is not reachable for this purpose. */
export const PREFLIGHT_MS = 10_000;

export interface StartedRestore {
  readonly run: RestoreRun;
  /** False when the caller repeated a request whose run exists. */
  readonly isNew: boolean;
}

/** A request from outside, or a drill's into its scratch hub. */
export type RestoreOrder = Omit<RestoreRequest, 'target'> & { readonly target: RestoreRun['request']['target'] };

export interface StartOptions {
  /** The caller's own id. */
  readonly id?: string | undefined;
  readonly purpose?: 'restore' | 'drill';
  readonly requestedBy?: RestoreRun['requestedBy'];
}

/**
 * Checks everything that can be checked before the first write, then starts a restore. With a caller's id it is
 * idempotent: the same request again finds its run, another one under that id is `RunIdInUse`.
 */
export async function startRestore(
  app: App,
  request: RestoreOrder,
  { id, purpose = 'restore', requestedBy = 'http' }: StartOptions = {},
): Promise<StartedRestore> {
  if (id !== undefined) {
    refuseBadId(id);
    const existing = (await readRun(app, 'restore', id))?.run;
    if (existing?.kind === 'restore') return { run: requireSame(existing, request), isNew: false };
  }
  await app.blobs.ensure();
  const target = targetOf(app, request.target);
  const { manifest, warnings: found } = await chooseSnapshot(app, app.primary.ref, request.snapshot);
  refuseUnsafeTarget(request, manifest, target);
  await checkShardsStored(app, manifest);
  const warnings = [
    ...found,
    ...(await preflight(app, target, manifest, { role: request.target, isWhole: request.only === undefined })),
  ];
  const { snapshot, confirm: _confirm, ...asked } = request;
  const started = await launchRestore(app, {
    id,
    manifest,
    hub: target.ref,
    warnings,
    requestedBy,
    request: { purpose, askedSnapshot: snapshot, ...asked },
  });
  return started.isNew ? started : { run: requireSame(started.run, request), isNew: false };
}

/** The configured hub of that role. Throws `WrongTarget` when there is no scratch hub. */
export function targetOf(app: App, role: RestoreOrder['target']): Hub {
  if (role === 'primary') return app.primary;
  if (role === 'secondary') return app.secondary;
  if (app.drillHub !== undefined) return app.drillHub;
  throw new DrError('WrongTarget', 'There is no scratch hub: set DRILL_HUB_CONNECTION and DRILL_HUB_NAME.', {
    target: 'target',
  });
}

function refuseBadId(runId: string): void {
  if (isRunId(runId)) return;
  throw new DrError(
    'BadRequest',
    'A restore id is 1 to 64 letters, digits, "-", "_" or ".", beginning and ending with a letter or digit.',
    { target: 'id' },
  );
}

/** What was asked for under an id stands: the same request finds it, another one is refused. */
function requireSame(run: RestoreRun, request: RestoreOrder): RestoreRun {
  const { purpose, askedSnapshot, target, onConflict, dryRun, only, order, note } = run.request;
  const isSame =
    (purpose === 'restore' || purpose === 'drill') &&
    askedSnapshot === request.snapshot &&
    target === request.target &&
    onConflict === request.onConflict &&
    dryRun === request.dryRun &&
    JSON.stringify([only, order, note]) === JSON.stringify([request.only, request.order, request.note]);
  if (isSame) return run;
  throw new DrError('RunIdInUse', `The restore '${run.id}' exists with another request. Choose another id.`, {
    target: run.id,
  });
}

function refuseUnsafeTarget(request: RestoreOrder, manifest: Manifest, target: Hub): void {
  refuseWrongConfirmation(request.confirm, target.ref.hub);
  if (!isSameHub(manifest.hub, target.ref) || request.confirm !== undefined) return;
  throw new DrError(
    'TargetIsSource',
    `The target is the hub the snapshot was taken from. If that is meant, add "confirm":"${target.ref.hub}" to the body.`,
    { target: 'target' },
  );
}

/** Reachable, with the rights, and large enough. What cannot be known is a warning, not a guess. */
export async function preflight(
  app: App,
  target: Hub,
  manifest: Manifest,
  { role, isWhole }: { readonly role: RestoreOrder['target']; readonly isWhole: boolean },
): Promise<string[]> {
  const warnings: string[] = [];
  const probe = await target.probe({ deadlineAt: app.world.now() + PREFLIGHT_MS });
  const told = role === 'secondary' ? app.policy.secondaryTier : undefined;
  const tier = told ?? (probe.tier === 'BasicOrFree' ? 'Basic' : probe.tier);
  if (tier === 'unknown')
    warnings.push('The tier of the target could not be learnt, so its device limit was not checked.');
  else if (manifest.counts.records > deviceLimits[tier]) {
    const facts = `The snapshot holds ${manifest.counts.records} devices; the target's tier (${tier}) takes ${deviceLimits[tier]}.`;
    if (isWhole) {
      throw new DrError('TargetTooSmall', `${facts} Raise the tier of its namespace, then restore again.`, {
        target: 'target',
      });
    }
    warnings.push(`${facts} Only some of them are restored.`);
  }
  const undeliverable = manifest.counts.byPlatform['Gcm'] ?? 0;
  if (undeliverable > 0) {
    warnings.push(`${undeliverable} registrations are of platform Gcm, to which nothing can be delivered since 2024.`);
  }
  if (manifest.health === 'suspect') {
    warnings.push(`The snapshot is suspect: ${manifest.healthReasons.join('; ')}.`);
  }
  return warnings;
}
