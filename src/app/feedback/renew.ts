import type { DeviceState, Intent } from '../../core/dual/intent.ts';
import type { Renewal } from '../../core/feedback/mark.ts';
import { isRenewable, withHandle } from '../../core/feedback/renewed.ts';
import type { FeedbackItem } from '../../core/feedback/run.ts';
import { fullNameOf } from '../../core/paths.ts';
import type { CallOptions } from '../../core/ports.ts';
import { rebuildInstallation } from '../../core/registration/installation.ts';
import { deviceKey, installationIdIn, installationKey, keyHashOf, recordKey } from '../../core/registration/record.ts';
import type { Registration } from '../../core/registration/registration.ts';
import { type App, toInstant } from '../app.ts';
import { write } from '../dual/intents.ts';
import { findInstallationRows, findRow, findRows } from '../listing/hub-rows.ts';
import type { Roles } from '../runs/roles.ts';

/** A device of the standby that has another handle since. */
export interface Renewed {
  readonly device: Intent['device'];
  readonly state: DeviceState;
  readonly keyHash: number | undefined;
  /** The hub in use has the new handle already: it is copied to the other. */
  readonly isInActive: boolean;
  readonly platform: string;
}

/** Which devices a renewed handle is of. Nothing where the hub in use has the device with a third handle, or has none. */
export async function planRenewal(roles: Roles, renewal: Renewal, call: CallOptions): Promise<Renewed[]> {
  const { handle, newHandle, platform } = renewal;
  if (!isRenewable(platform)) return [];
  const own = (row: Registration): boolean => row.handle === handle && row.platform === platform;
  const [active, standby] = await Promise.all([
    findRows(roles.active, { handle }, call),
    findRows(roles.standby, { handle }, call),
  ]);
  const rows = [...active, ...standby].filter(own);
  const found: Renewed[] = [];
  for (const key of new Set(rows.map(recordKey))) {
    const id = installationIdIn(key);
    const ids = id === undefined ? new Set(rows.filter((row) => recordKey(row) === key).map((row) => row.id)) : [id];
    for (const one of ids) {
      const plan = await (id === undefined
        ? planRegistration(roles, one, renewal, call)
        : planInstallation(roles, one, renewal, call));
      if (plan !== undefined) found.push({ ...plan, platform });
    }
  }
  return found.filter(({ isInActive }) => !isInActive || standby.some(own)).filter(() => newHandle !== handle);
}

async function planInstallation(
  { active }: Roles,
  id: string,
  { handle, newHandle }: Renewal,
  call: CallOptions,
): Promise<Omit<Renewed, 'platform'> | undefined> {
  const rows = await findInstallationRows(active, id, call);
  const handles = rows.filter((row) => row.tileName === undefined);
  const common = { device: { kind: 'installation' as const, id }, keyHash: keyHashOf(installationKey(id)) };
  if (handles.length === 0) return undefined;
  if (handles.every((row) => row.handle === newHandle)) return { ...common, state: COPY, isInActive: true };
  if (!handles.every((row) => row.handle === handle)) return undefined;
  const rebuilt = rebuildInstallation(rows, 0);
  if (typeof rebuilt === 'string') return undefined;
  const body = JSON.stringify({ ...rebuilt.body, pushChannel: newHandle });
  return { ...common, state: { kind: 'put', body }, isInActive: false };
}

async function planRegistration(
  { active }: Roles,
  id: string,
  { handle, newHandle, platform }: Renewal,
  call: CallOptions,
): Promise<Omit<Renewed, 'platform'> | undefined> {
  const row = await findRow(active, id, call);
  if (row === undefined) return undefined;
  const common = {
    device: { kind: 'registration' as const, id },
    keyHash: keyHashOf(deviceKey({ platform, handle: newHandle })),
  };
  if (row.handle === newHandle) return { ...common, state: COPY, isInActive: true };
  const body = row.handle === handle ? withHandle(row.xml, platform, handle, newHandle) : undefined;
  return body === undefined ? undefined : { ...common, state: { kind: 'put', body }, isInActive: false };
}

const COPY: DeviceState = { kind: 'patch', operations: [] };

/**
 * What is intended for the device, as a backend would store it: the queue function that brings such writes to both hubs
 * does the rest. Its backend writes it just now: then that counts, and nothing is stored.
 */
export async function storeRenewal(app: App, { active }: Roles, renewed: Renewed): Promise<FeedbackItem['outcome']> {
  const { device, state, keyHash, isInActive } = renewed;
  const intent: Intent = {
    device,
    state,
    at: toInstant(app.world.storageNow()),
    confirmed: isInActive ? [fullNameOf(active.ref)] : [],
    refused: [],
    ...(keyHash === undefined ? {} : { keyHash }),
  };
  return (await write(app, intent, undefined)) === 'conflict' ? 'changed' : 'renewed';
}
