import { intendedRows } from '../../core/dual/identified.ts';
import { CALL_MS, type Intent } from '../../core/dual/intent.ts';
import { fullNameOf, INTENTS_FOLDER, otherIdsName } from '../../core/paths.ts';
import { comparable, type Erasure, identifiersOf } from '../../core/request/erasure.ts';
import { type App, toInstant } from '../app.ts';
import { hashOf, write } from '../dual/intents.ts';
import { forEachConcurrent } from '../stored/concurrent.ts';
import { documents } from '../stored/documents.ts';
import type { LiveRows } from './live-rows.ts';

/** How long a caller waits for this. 100,000 intended writes are read in a fraction of it. */
const SEARCH_MS = 60_000;

export interface DroppedWrites {
  /** Intended writes to both hubs that will not be carried out. */
  readonly dropped: number;
  /** There was no time to look at these. */
  readonly unread: number;
  /** Until then calls for those that were dropped may still land in a hub. */
  readonly landingUntil: string | null;
}

/**
 * Drops what backends intended for the devices that are erased and not both hubs have confirmed: it would be written
 * again until they have. Deletions stay, and are carried out. Of each app with one of the hubs; `live`: what lives now,
 * since of a patch only the hub knows whose device it is.
 */
export async function dropIntended(
  { world, policy }: App,
  apps: readonly App[],
  erasure: Erasure,
  live: readonly LiveRows[],
): Promise<DroppedWrites> {
  const isMeant = meantBy(erasure, live);
  let [dropped, unread, landingAtMs] = [0, 0, 0];
  const deadlineAt = world.now() + SEARCH_MS;
  for (const app of apps) {
    await forEachConcurrent(await app.blobs.list(INTENTS_FOLDER), policy.maxConcurrency, async ({ name }) => {
      if (world.now() > deadlineAt) {
        unread += 1;
        return;
      }
      const landedAtMs = await drop(app, name, isMeant);
      if (landedAtMs === undefined) return;
      dropped += 1;
      if (landedAtMs > world.storageNow()) landingAtMs = Math.max(landingAtMs, landedAtMs);
    });
  }
  return { dropped, unread, landingUntil: landingAtMs === 0 ? null : toInstant(landingAtMs) };
}

type IsMeant = (app: App, intent: Intent) => Promise<boolean>;

/** When the last call for it has landed, epoch ms; `undefined`: it is none of these, or done. Others may change it meanwhile. */
async function drop(app: App, name: string, isMeant: IsMeant): Promise<number | undefined> {
  let landedAtMs: number | undefined;
  for (;;) {
    const found = await documents.intent.look(app, name, 'mayBeMissing');
    // A damaged one is never carried out.
    if (found === undefined || 'fault' in found) return landedAtMs;
    if (!(await isMeant(app, found.value))) {
      const isLeft = await forgetBefore(app, isMeant, found);
      if (isLeft) return landedAtMs;
      continue;
    }
    await app.blobs.remove(name, found.etag);
    const { ageMs = 0, value } = found;
    const storedAtMs = app.world.storageNow() - ageMs;
    landedAtMs = Math.max(storedAtMs + CALL_MS, value.quietUntil === undefined ? 0 : Date.parse(value.quietUntil));
  }
}

/** What would hold again if a hub refused the intended write. False: others have changed it meanwhile. */
async function forgetBefore(
  app: App,
  isMeant: IsMeant,
  { value, etag }: { readonly value: Intent; readonly etag: string },
): Promise<boolean> {
  const { before = [], ...rest } = value;
  for (const state of before) {
    if (await isMeant(app, { ...value, state })) return (await write(app, rest, etag)) !== 'conflict';
  }
  return true;
}

function meantBy(erasure: Erasure, live: readonly LiveRows[]): IsMeant {
  const wanted = comparable(erasure.value);
  const living = new Set(
    live.flatMap(({ rows }) =>
      rows.map(({ installationId, registrationId }) =>
        comparable(installationId === null ? `registration ${registrationId}` : `installation ${installationId}`),
      ),
    ),
  );
  return async (app, intent) => {
    const { device, state } = intent;
    if (state.kind === 'delete') return false;
    const rows = intendedRows(intent);
    if (identifiersOf({ rows }, erasure.kind).includes(wanted)) return true;
    if (state.kind === 'patch' && living.has(comparable(`${device.kind} ${device.id}`))) return true;
    if (erasure.kind !== 'registrationId') return false;
    // Of an installation the ids of its rows are the hub's alone; a registration may have another one in each hub.
    if (device.kind === 'installation') return living.has(comparable(`installation ${device.id}`));
    const others = (await documents.otherIds.find(app, otherIdsName(hashOf(device))))?.value.ids ?? {};
    return [app.primary, app.secondary].some(({ ref }) => comparable(others[fullNameOf(ref)] ?? '') === wanted);
  };
}
