import { DrError } from '../../core/errors.ts';
import type { Hub } from '../../core/ports.ts';
import { installationIdOf, type Registration } from '../../core/registration/registration.ts';
import type { Erasure } from '../../core/request/erasure.ts';
import type { App } from '../app.ts';
import { findInstallationRows, findRow, findRows, within } from '../listing/hub-rows.ts';

/** A caller waits. */
const PATIENCE_MS = 20_000;

export type LiveRows = Awaited<ReturnType<typeof findLive>>;

/** What a hub holds now of what is erased, by ids with which it can be removed there. A hub that does not answer says why. */
export async function findLive(app: App, hub: Hub, erasure: Erasure) {
  try {
    const rows = await askFor(app, hub, erasure);
    return { hub: hub.ref, rows: rows.map(describe), error: null };
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    return { hub: hub.ref, rows: [], error: { code: error.code, message: error.message } };
  }
}

async function askFor(app: App, hub: Hub, { kind, value }: Erasure): Promise<readonly Registration[]> {
  const call = within(app, PATIENCE_MS);
  switch (kind) {
    case 'registrationId': {
      const row = await findRow(hub, value, call);
      return row === undefined ? [] : [row];
    }
    case 'installationId':
      return findInstallationRows(hub, value, call);
    case 'userId':
      return findRows(hub, { tag: `$UserId:{${value}}` }, call);
    case 'tag':
      return findRows(hub, { tag: value }, call);
    case 'handle':
      return findRows(hub, { handle: value }, call);
    default:
      return kind satisfies never;
  }
}

/** Never by the token of the device. */
function describe({ id, tags, platform, expirationTime }: Registration) {
  return {
    registrationId: id,
    installationId: installationIdOf(tags) ?? null,
    platform,
    expiresAt: expirationTime ?? null,
  };
}
