import { fullNameOf, isSameHub } from '../paths.ts';
import type { HubRef } from '../ports.ts';
import { hasChanged, type Role } from './role.ts';

/** Messages for where the role and what is stored do not fit. Each spells out both ways on. */

/** How a caller confirms what is done to a hub. */
export const IF_MEANT = 'If that is meant, repeat this full name after --confirm.';

/** The command that declares a hub to be in use. */
export function declaring(hub: HubRef): string {
  return `notification-hubs-dr role ${fullNameOf(hub)}`;
}

function bothWays({ active, standby }: Role): string {
  return `If ${fullNameOf(active)} is in use, back it up first: notification-hubs-dr backup; if ${fullNameOf(standby)} is, say so: ${declaring(standby)}`;
}

/** The first hub counts as in use from the beginning of time. */
export function inUseAlready({ active, since }: Role): string {
  const from = Date.parse(since) === 0 ? 'from the beginning' : `since ${since}`;
  return `${fullNameOf(active)} is in use already, ${from}.`;
}

export function noGoodSnapshot(role: Role): string {
  const hub = fullNameOf(role.active);
  return hasChanged(role)
    ? `There is no good snapshot of ${hub}, the hub in use since ${role.since}. ${bothWays(role)}`
    : `There is no good snapshot of hub ${hub}. A suspect one, if there is one, can be restored by its id: notification-hubs-dr snapshots; else back up now: notification-hubs-dr backup`;
}

export function isOlderThanRole(readStartedAt: string, { since }: Role): boolean {
  return Date.parse(readStartedAt) < Date.parse(since);
}

export function snapshotOlderThanRole(readStartedAt: string, role: Role): string {
  const hub = fullNameOf(role.active);
  return `The newest good snapshot of ${hub} was read at ${readStartedAt}, before that hub came into use at ${role.since}: what devices registered there since is missing in it. ${bothWays(role)}`;
}

export function roleUnsettled({ active, standby }: Role, runId: string, at: string): string {
  const [inUse, other] = [fullNameOf(active), fullNameOf(standby)];
  return `Restore ${runId} into ${other} ended at ${at}, and which hub is in use was not declared since. If devices and backends moved to ${other}, say so: ${declaring(standby)}; if not, confirm that ${inUse} is in use: ${declaring(active)}`;
}

export function settingsExchanged({ active, standby, declared }: Role): string {
  const [inUse, other] = [fullNameOf(active), fullNameOf(standby)];
  return `The settings were exchanged after ${inUse} was declared to be in use, at ${declared?.at}; backups still follow that. If ${other} is in use now, say so: ${declaring(standby)}; if not, confirm that ${inUse} is in use: ${declaring(active)}`;
}

/** `one/devices, the hub in use` */
export function withRole(hub: HubRef, { active }: Role): string {
  return isSameHub(hub, active) ? `${fullNameOf(hub)}, the hub in use` : fullNameOf(hub);
}
