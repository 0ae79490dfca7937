import { DrError } from '../../core/errors.ts';
import { fullNameOf, isFullNameOf, isSameHub } from '../../core/paths.ts';
import type { Hub, HubProbe, HubRef } from '../../core/ports.ts';
import { deviceLimits, type Tier } from '../../core/readiness/tiers.ts';
import type { RestoreRequest } from '../../core/request/restore.ts';
import type { Role } from '../../core/run/role.ts';
import { IF_MEANT, inUseAlready, isOlderThanRole, snapshotOlderThanRole, withRole } from '../../core/run/role-words.ts';
import type { RestoreRun } from '../../core/run/run.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import { counted } from '../../core/words.ts';
import { type App, hasAnsweredSince } from '../app.ts';
import { within } from '../listing/hub-rows.ts';
import type { Roles } from '../runs/roles.ts';

/** The caller waits for the preflight; a hub that needs longer is not reachable for this purpose. */
const PREFLIGHT_MS = 9000;

/** A request from outside, or a drill's into its scratch hub. */
export type AskedRestore = Omit<RestoreRequest, 'target'> & { readonly target: RestoreRequest['target'] | 'drill' };

/** The hub that is asked for, and what the settings call it. Throws `WrongTarget` when there is no scratch hub. */
export function targetOf(app: App, { standby }: Roles, { target }: AskedRestore): Target {
  if (target === 'primary' || (target === 'standby' && standby === app.primary)) {
    return { hub: app.primary, name: 'primary' };
  }
  if (target !== 'drill') return { hub: app.secondary, name: 'secondary' };
  if (app.drillHub !== undefined) return { hub: app.drillHub, name: 'drill' };
  const message = 'There is no scratch hub: set DRILL_HUB_CONNECTION and DRILL_HUB_NAME.';
  throw new DrError('WrongTarget', message, { target: 'target' });
}

export interface Target {
  readonly hub: Hub;
  readonly name: RestoreRun['request']['target'];
}

/** A snapshot, and what is to be known of it before its restore is confirmed: text, empty where there is nothing. */
interface Chosen {
  readonly manifest: Manifest;
  readonly about: string;
}

/** What is not the plain way, from the hub in use into the standby, has to be confirmed with the target's full name. */
export function refuseUnsafeTarget(
  request: AskedRestore,
  { manifest, about }: Chosen,
  { ref }: Hub,
  { role }: Roles,
): void {
  refuseWrongConfirmation(request.confirm, ref);
  if (request.confirm !== undefined) return;
  const name = withRole(ref, role);
  const ifMeant = confirming(about);
  if (isSameHub(manifest.hub, ref)) {
    const inUse = isSameHub(role.active, ref) ? 'the hub in use, and ' : '';
    const message = `The target, ${fullNameOf(ref)}, is ${inUse}the hub the snapshot was taken from. ${ifMeant}`;
    throw new DrError('TargetIsSource', message, { target: 'target' });
  }
  if (request.dryRun) return;
  if (request.onConflict === 'overwrite') {
    const message = `Overwriting conflicts replaces what devices have registered in ${name}. ${ifMeant}`;
    throw new DrError('ConfirmationMissing', message, { target: 'confirm' });
  }
  refuseHubInUse(ref, role, about);
}

/** For a caller that has not typed its name. */
export function refuseHubInUse(hub: HubRef, role: Role, about = ''): void {
  if (!isSameHub(role.active, hub)) return;
  const message = `The target is ${withRole(hub, role)}. ${confirming(about)}`;
  throw new DrError('ConfirmationMissing', message, { target: 'confirm' });
}

function confirming(about: string): string {
  return about === '' ? IF_MEANT : `${about} ${IF_MEANT}`;
}

/** Activating is about all devices. A call that is repeated after it has had its effect starts nothing. */
export function refuseActivation({ activate, confirm, only }: AskedRestore, { ref }: Hub, { role }: Roles): void {
  if (activate !== true) return;
  if (isSameHub(role.active, ref) || isFullNameOf(role.active, confirm)) {
    const message = `${inUseAlready(role)} Nothing was started.`;
    throw new DrError('AlreadyInUse', message, { target: 'activate' });
  }
  if (only === undefined) return;
  const message = 'A hub comes into use by a restore of all its devices: leave out --activate, or restore all.';
  throw new DrError('BadRequest', message, { target: 'only' });
}

/** The hub to be activated gets the devices of the hub in use, and its name is typed back. */
export function refuseUnsafeActivation(
  request: AskedRestore,
  { manifest, about }: Chosen,
  { ref }: Hub,
  { role }: Roles,
): void {
  if (request.activate !== true) return;
  if (!isSameHub(manifest.hub, role.active)) {
    const message = `Only a snapshot of ${withRole(role.active, role)}, can bring the other hub into use.`;
    throw new DrError('WrongTarget', message, { target: 'snapshot' });
  }
  if (request.dryRun || request.confirm !== undefined) return;
  const message = `${fullNameOf(ref)} becomes the hub in use when all that can be written is. ${confirming(about)}`;
  throw new DrError('ConfirmationMissing', message, { target: 'confirm' });
}

/** A call that names nothing goes by the role alone, and so what is stored has to fit that; so does a switch. */
export function refuseOlderThanRole(request: AskedRestore, { id, readStartedAt }: Manifest, { role }: Roles): void {
  if (request.snapshot !== 'latest' || (request.target !== 'standby' && request.activate !== true)) return;
  if (!isOlderThanRole(readStartedAt, role)) return;
  const command = `restore --snapshot ${id}${request.activate === true ? ' --activate' : ''} --watch`;
  const message = `${snapshotOlderThanRole(readStartedAt, role)}; to restore all the same, name a snapshot: notification-hubs-dr ${command}`;
  throw new DrError('SnapshotOlderThanRole', message, { target: 'snapshot' });
}

/** For the preflight of whatever is about to write to a hub. */
export function refuseWrongConfirmation(confirm: string | undefined, hub: HubRef): void {
  if (confirm === undefined || isFullNameOf(hub, confirm)) return;
  const message = `The confirmation does not name the hub that is to be written to. Its full name is ${fullNameOf(hub)}.`;
  throw new DrError('ConfirmationMissing', message, { target: 'confirm' });
}

/** Reachable, with the rights, and large enough. What cannot be known is a warning, not a guess. */
export async function preflight(
  app: App,
  { hub: target, name }: Target,
  manifest: Manifest,
  { isWhole }: { readonly isWhole: boolean },
): Promise<string[]> {
  const warnings: string[] = [];
  const found = await probeTier(app, target);
  const tier = configuredTier(app, name) ?? (found === 'BasicOrFree' ? 'Basic' : found);
  if (tier === 'unknown') warnings.push('The tier of the target is not known, so its device limit was not checked.');
  else if (manifest.counts.records > deviceLimits[tier]) {
    const facts = `The snapshot holds ${counted(manifest.counts.records, 'record')}; the target's tier (${tier}) takes ${counted(deviceLimits[tier], 'device')}.`;
    if (isWhole) {
      const message = `${facts} Raise the tier of its namespace, then restore again.`;
      throw new DrError('TargetTooSmall', message, { target: 'target' });
    }
    warnings.push(`${facts} Only some of them are restored.`);
  }
  return [...warnings, ...warningsAbout(manifest)];
}

function configuredTier({ policy }: App, name: Target['name']): Tier | undefined {
  return { primary: policy.primaryTier, secondary: policy.secondaryTier, drill: undefined }[name];
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
    warnings.push(
      `${counted(undeliverable, 'registration')} of platform Gcm: nothing has been delivered to it since 2024.`,
    );
  }
  const partial = manifest.counts.partialInstallations ?? 0;
  if (partial > 0) {
    warnings.push(
      `Of ${counted(partial, 'installation')} the snapshot holds templates only: restored with the tags that these share.`,
    );
  }
  if (manifest.health === 'suspect') {
    warnings.push(`The snapshot is suspect: ${manifest.healthReasons.join('; ')}.`);
  }
  return warnings;
}
