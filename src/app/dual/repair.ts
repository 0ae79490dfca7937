import { CALL_MS, type Device, type Intent, isQuiet } from '../../core/dual/intent.ts';
import { patched } from '../../core/dual/patch.ts';
import { DrError } from '../../core/errors.ts';
import { fullNameOf, isSameHub } from '../../core/paths.ts';
import type { CallOptions, HubRef, Log } from '../../core/ports.ts';
import { rebuildInstallation } from '../../core/registration/installation.ts';
import { descriptionForWrite, parseRegistration } from '../../core/registration/registration.ts';
import { toInstant } from '../app.ts';
import { toText } from '../stored/codec.ts';
import { documents } from '../stored/documents.ts';
import { asSent, type DualHub, type Sent, send, type WholeState } from './hub.ts';
import { type Storage, write } from './intents.ts';

/** What bringing both hubs to what was intended needs. */
export interface Repair extends Storage {
  readonly log: Log;
  readonly hubs: readonly DualHub[];
  /** The hub in use: what it refuses is not to be in the other, either. */
  readonly active: HubRef;
  /** Whether it has just not answered: then it is not asked. */
  readonly isAway?: (hub: HubRef) => boolean;
  /** Called with the key's hash of a device that both hubs have confirmed. */
  readonly onConfirmed: (keyHash: number | undefined) => void;
}

/**
 * `done`: both hubs have it, or it is there no more. `waiting`: it is not its time. `away`: a hub did not answer as it
 * should. `refused`: a hub will not take it, which is tried again a day later.
 */
export type Repaired = 'done' | 'waiting' | 'refused' | { readonly away: HubRef };

/** Of one attempt at one device. */
const ATTEMPT_MS = 10_000;
const REFUSED_MS = 86_400_000;

/**
 * Brings a device to what was intended, in both hubs, and removes the intent if it is still the same then. `ownEtag`: of
 * a version whose calls, all of this process, are over; any other is left alone while calls for it may be under way.
 */
export async function repairIntent(app: Repair, name: string, ownEtag?: string): Promise<Repaired> {
  const found = await documents.intent.look(app, name, 'mayBeMissing');
  if (found === undefined) return 'done';
  if ('fault' in found) {
    app.log.warn('intended write unreadable', { name, code: found.fault.code });
    return 'refused';
  }
  const { value, etag, ageMs = 0 } = found;
  if (!isQuiet(value, app.world.storageNow())) return 'waiting';
  if (etag !== ownEtag && ageMs < (value.refused.length > 0 ? REFUSED_MS : CALL_MS)) return 'waiting';
  const call = { deadlineAt: app.world.now() + ATTEMPT_MS };
  const state = await wholeState(app, value, call);
  if ('away' in state) return state;
  if (state.kind === 'none') {
    await app.blobs.remove(name, etag);
    return 'done';
  }
  if (state.kind === 'unfit') {
    const refused = [{ hub: fullNameOf(app.active), status: 0, at: toInstant(app.world.storageNow()) }];
    await write(app, { ...value, refused }, etag);
    return 'refused';
  }
  // Taken in hand by compare-and-swap: until it is a minute old, others leave it.
  const { quietUntil: _, ...rest } = value;
  const taken: Intent = { ...rest, state, refused: [] };
  const takenEtag = await write(app, taken, etag);
  if (takenEtag === 'conflict') return 'waiting';
  return finish(app, name, taken, takenEtag, await sendToBoth(app, taken, state, call));
}

const AWAY: Sent = {
  kind: 'failed',
  error: new DrError('HubUnavailable', 'The hub has just not answered.', { retryable: true, hasNoEffect: true }),
  isLanding: false,
};

type HubAndSent = readonly (readonly [DualHub, Sent])[];

function sendToBoth(
  app: Repair,
  { device, confirmed }: Intent,
  state: WholeState,
  call: CallOptions,
): Promise<HubAndSent> {
  const missing = app.hubs.filter(({ ref }) => !confirmed.includes(fullNameOf(ref)));
  return Promise.all(
    missing.map(
      async (hub) => [hub, app.isAway?.(hub.ref) ? AWAY : await send(app, hub, device, state, call)] as const,
    ),
  );
}

async function finish(app: Repair, name: string, intent: Intent, etag: string, results: HubAndSent): Promise<Repaired> {
  const at = toInstant(app.world.storageNow());
  const confirmed = [...intent.confirmed];
  const refused: Intent['refused'] = [];
  let away: HubRef | undefined;
  for (const [{ ref }, sent] of results) {
    const hub = fullNameOf(ref);
    if (sent.kind === 'taken') confirmed.push(hub);
    else if (sent.kind === 'refused') refused.push({ hub, status: sent.status, at });
    else away = ref;
  }
  if (confirmed.length === app.hubs.length) {
    await app.blobs.remove(name, etag);
    app.onConfirmed(intent.keyHash);
    return 'done';
  }
  const next = afterRefusal(app, { ...intent, confirmed, refused });
  if (next === undefined) await app.blobs.remove(name, etag);
  else await write(app, next, etag);
  if (away !== undefined) return { away };
  return next === undefined ? 'done' : 'refused';
}

/**
 * What the hub in use refuses, the other is not to have: it is to be as the hub in use has the device. Where both refuse,
 * nothing was changed. `undefined`: nothing is left to do.
 */
export function afterRefusal({ active, hubs }: Pick<Repair, 'active' | 'hubs'>, intent: Intent): Intent | undefined {
  const { refused } = intent;
  if (refused.length === hubs.length) return undefined;
  const hub = fullNameOf(active);
  if (!refused.some((one) => one.hub === hub)) return intent;
  return { ...intent, state: { kind: 'patch', operations: [] }, confirmed: [hub], refused: [] };
}

type Whole = WholeState | { readonly kind: 'none' } | { readonly kind: 'unfit' } | { readonly away: HubRef };

/**
 * A patch as the state that it leads to, read from a hub that has it or else from the one in use. `none`: that hub does
 * not have the device, and nothing is removed elsewhere for it.
 */
async function wholeState(app: Repair, { device, state, confirmed }: Intent, call: CallOptions): Promise<Whole> {
  if (state.kind !== 'patch') return state;
  const source =
    app.hubs.find(({ ref }) => confirmed.includes(fullNameOf(ref))) ??
    app.hubs.find(({ ref }) => isSameHub(ref, app.active));
  if (source === undefined) return { kind: 'none' };
  let whole: Whole = { kind: 'none' };
  const read = await asSent(async () => {
    const body = await readBody(source, device, call);
    if (body === 'unfit') whole = { kind: 'unfit' };
    else if (typeof body === 'string') whole = { kind: 'put', body };
    else if (body !== undefined) whole = { kind: 'put', body: JSON.stringify(patched(body, state.operations)) };
    return { kind: 'written' };
  });
  return read.kind === 'failed' ? { away: source.ref } : whole;
}

async function readBody(hub: DualHub, { kind, id }: Device, call: CallOptions) {
  if (kind === 'registration') {
    const row = await hub.findRegistration(id, call);
    return row === undefined ? undefined : descriptionForWrite(toText(row));
  }
  const rows = await hub.findInstallation(id, call);
  if (rows.length === 0) return undefined;
  const rebuilt = rebuildInstallation(
    rows.map((row) => parseRegistration(toText(row))),
    0,
  );
  return typeof rebuilt === 'string' ? 'unfit' : { ...rebuilt.body };
}
