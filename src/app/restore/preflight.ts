import { DrError } from '../../core/errors.ts';
import { isSameHub } from '../../core/paths.ts';
import type { Hub, HubProbe, HubRef } from '../../core/ports.ts';
import { deviceLimits } from '../../core/readiness/tiers.ts';
import type { RestoreRequest } from '../../core/request/restore.ts';
import type { RestoreRun } from '../../core/run/run.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import { type App, fullNameOf, hasAnsweredSince } from '../app.ts';
import { within } from '../listing/hub-rows.ts';

/** The caller waits for the preflight; a hub that needs longer is not reachable for this purpose. */
const PREFLIGHT_MS = 9000;

/** A request from outside, or a drill's into its scratch hub. */
export type RestoreOrder = Omit<RestoreRequest, 'target'> & { readonly target: RestoreRun['request']['target'] };

/** The configured hub of that role. Throws `WrongTarget` when there is no scratch hub. */
export function targetOf(app: App, role: RestoreOrder['target']): Hub {
  if (role === 'primary') return app.primary;
  if (role === 'secondary') return app.secondary;
  if (app.drillHub !== undefined) return app.drillHub;
  const message = 'There is no scratch hub: set DRILL_HUB_CONNECTION and DRILL_HUB_NAME.';
  throw new DrError('WrongTarget', message, { target: 'target' });
}

export function refuseUnsafeTarget(request: RestoreOrder, manifest: Manifest, target: Hub): void {
  refuseWrongConfirmation(request.confirm, target.ref);
  refuseUnconfirmedOverwrite(request, target);
  if (!isSameHub(manifest.hub, target.ref) || request.confirm !== undefined) return;
  const message = `The target, ${fullNameOf(target.ref)}, is the hub the snapshot was taken from. If that is meant, repeat this full name in the field confirm.`;
  throw new DrError('TargetIsSource', message, { target: 'target' });
}

function refuseUnconfirmedOverwrite({ onConflict, confirm, dryRun }: RestoreOrder, { ref }: Hub): void {
  if (onConflict !== 'overwrite' || dryRun || confirm !== undefined) return;
  const message = `Overwriting conflicts replaces what devices have registered in ${fullNameOf(ref)}. If that is meant, repeat this full name in the field confirm.`;
  throw new DrError('ConfirmationMissing', message, { target: 'confirm' });
}

/** For the preflight of whatever is about to write to a hub. */
export function refuseWrongConfirmation(confirm: string | undefined, hub: HubRef): void {
  if (confirm === undefined || confirm.toLowerCase() === fullNameOf(hub)) return;
  const message =
    'The field confirm does not name the target hub. Type the full name, namespace/hub, of the hub that is to be written to.';
  throw new DrError('ConfirmationMissing', message, { target: 'confirm' });
}

/** Reachable, with the rights, and large enough. What cannot be known is a warning, not a guess. */
export async function preflight(
  app: App,
  target: Hub,
  manifest: Manifest,
  { role, isWhole }: { readonly role: RestoreOrder['target']; readonly isWhole: boolean },
): Promise<string[]> {
  const warnings: string[] = [];
  const found = await probeTier(app, target);
  const configured = role === 'secondary' ? app.policy.secondaryTier : undefined;
  const tier = configured ?? (found === 'BasicOrFree' ? 'Basic' : found);
  if (tier === 'unknown')
    warnings.push('The tier of the target could not be learnt, so its device limit was not checked.');
  else if (manifest.counts.records > deviceLimits[tier]) {
    const facts = `The snapshot holds ${manifest.counts.records} devices; the target's tier (${tier}) takes ${deviceLimits[tier]}.`;
    if (isWhole) {
      const message = `${facts} Raise the tier of its namespace, then restore again.`;
      throw new DrError('TargetTooSmall', message, { target: 'target' });
    }
    warnings.push(`${facts} Only some of them are restored.`);
  }
  return [...warnings, ...warningsAbout(manifest)];
}

/** A target that answers that it throttles is there, and takes the restore at its own speed. */
export async function probeTier(app: App, target: Hub): Promise<HubProbe['tier']> {
  const beganAt = app.world.now();
  try {
    return (await target.probe(within(app, PREFLIGHT_MS))).tier;
  } catch (error) {
    const isThere = error instanceof DrError && error.code === 'HubUnavailable' && hasAnsweredSince(target, beganAt);
    if (!isThere) throw error;
    return 'unknown';
  }
}

function warningsAbout(manifest: Manifest): string[] {
  const warnings: string[] = [];
  const undeliverable = manifest.counts.byPlatform['Gcm'] ?? 0;
  if (undeliverable > 0) {
    warnings.push(`${undeliverable} registrations are of platform Gcm, to which nothing can be delivered since 2024.`);
  }
  const partial = manifest.counts.partialInstallations ?? 0;
  if (partial > 0) {
    warnings.push(
      `Of ${partial} installations the snapshot holds only templates. They are restored with the tags that all of these share.`,
    );
  }
  if (manifest.health === 'suspect') {
    warnings.push(`The snapshot is suspect: ${manifest.healthReasons.join('; ')}.`);
  }
  return warnings;
}
