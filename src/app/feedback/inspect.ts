import type { Mark } from '../../core/feedback/mark.ts';
import { versionOfRows } from '../../core/fingerprint/row.ts';
import type { CallOptions, Hub } from '../../core/ports.ts';
import { deviceKey, installationIdIn, installationKey, recordKey } from '../../core/registration/record.ts';
import type { Registration } from '../../core/registration/registration.ts';
import type { App } from '../app.ts';
import { findInstallationRows, findRow, findRows } from '../listing/hub-rows.ts';
import type { Roles } from '../runs/roles.ts';

export type OpenMark = Mark & { readonly handle: string };

/** What both hubs hold with a handle. */
export interface BothLook {
  readonly active: readonly Registration[];
  readonly standby: readonly Registration[];
  readonly look: NonNullable<Mark['look']>;
}

export async function lookAt(app: App, roles: Roles, mark: OpenMark, call: CallOptions): Promise<BothLook> {
  const at = app.world.storageNow();
  const [active, standby] = await Promise.all([
    rowsWith(roles.active, mark, call),
    rowsWith(roles.standby, mark, call),
  ]);
  return { active, standby, look: { at, active: versionOf(active), standby: versionOf(standby) } };
}

async function rowsWith(hub: Hub, { handle, platform }: OpenMark, call: CallOptions): Promise<Registration[]> {
  const rows = await findRows(hub, { handle }, call);
  return rows.filter((row) => row.handle === handle && isOneService(row.platform, platform));
}

/** Tokens of Firebase are the same under both of its platforms, and feedback may name either. */
function isOneService(a: string, b: string): boolean {
  const service = (platform: string): string => platform.toLowerCase().replace(/^fcmv1$/, 'gcm');
  return service(a) === service(b);
}

function versionOf(rows: readonly Registration[]): number | null {
  return rows.length === 0 ? null : versionOfRows(rows);
}

/** A record with a dead handle, or that the verdict names. */
export interface DeadRecord {
  readonly key: string;
  readonly installationId: string | undefined;
  readonly active: readonly Registration[];
  readonly standby: readonly Registration[];
  /** Either hub holds it with another handle. */
  readonly isElsewhere: boolean;
}

export async function recordsOf(
  roles: Roles,
  mark: OpenMark,
  { active, standby }: BothLook,
  call: CallOptions,
): Promise<DeadRecord[]> {
  const keys = new Set([...active, ...standby].map(recordKey));
  keys.add(deviceKey(mark));
  if (mark.installationId !== undefined) keys.add(installationKey(mark.installationId));
  return Promise.all(
    [...keys].map(async (key): Promise<DeadRecord> => {
      const installationId = installationIdIn(key);
      if (installationId === undefined) return plainRecord(roles, key, { active, standby }, call);
      const [inActive, inStandby] = await Promise.all([
        findInstallationRows(roles.active, installationId, call),
        findInstallationRows(roles.standby, installationId, call),
      ]);
      // A tile has a channel of its own.
      const hasOther = [...inActive, ...inStandby].some(
        (row) => row.tileName === undefined && row.handle !== mark.handle,
      );
      return { key, installationId, active: inActive, standby: inStandby, isElsewhere: hasOther };
    }),
  );
}

async function plainRecord(
  roles: Roles,
  key: string,
  found: Pick<BothLook, 'active' | 'standby'>,
  call: CallOptions,
): Promise<DeadRecord> {
  const isOwn = (row: Registration): boolean => recordKey(row) === key;
  const active = found.active.filter(isOwn);
  const standby = found.standby.filter(isOwn);
  const ids = standby.map(({ id }) => id).filter((id) => !active.some((row) => row.id === id));
  const moved = await Promise.all(ids.map((id) => findRow(roles.active, id, call)));
  return { key, installationId: undefined, active, standby, isElsewhere: moved.some((row) => row !== undefined) };
}
