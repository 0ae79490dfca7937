import { CALL_MS, type Device, type DeviceState, type Intent, isQuiet } from '../../core/dual/intent.ts';
import { DrError } from '../../core/errors.ts';
import { fullNameOf, isSameHub } from '../../core/paths.ts';
import type { CallOptions, HubRef, Log } from '../../core/ports.ts';
import { rebuildInstallation } from '../../core/registration/installation.ts';
import { descriptionForWrite, parseRegistration } from '../../core/registration/registration.ts';
import { toInstant } from '../app.ts';
import { toText } from '../stored/codec.ts';
import { documents } from '../stored/documents.ts';
import { asSent, type DualHub, type Sent, send } from './hub.ts';
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
  if (etag !== ownEtag && ageMs < (isRefusedWhereMissing(app, value) ? REFUSED_MS : CALL_MS)) return 'waiting';
  const call = { deadlineAt: app.world.now() + ATTEMPT_MS };
  const state = isCopy(value.state) ? await copied(app, value, call) : value.state;
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
  const taken: Intent = { ...value, state, refused: [] };
  const takenEtag = await write(app, taken, etag);
  if (takenEtag === 'conflict') return 'waiting';
  return finish(app, name, taken, takenEtag, await sendToBoth(app, taken, state, call));
}

/** By all hubs that have not confirmed it: one that did not answer is asked soon. */
function isRefusedWhereMissing({ hubs }: Repair, { confirmed, refused }: Intent): boolean {
  const missing = hubs.map(({ ref }) => fullNameOf(ref)).filter((hub) => !confirmed.includes(hub));
  return refused.length > 0 && missing.every((hub) => refused.some((one) => one.hub === hub));
}

const AWAY: Sent = {
  kind: 'failed',
  error: new DrError('HubUnavailable', 'The hub has just not answered.', { retryable: true, hasNoEffect: true }),
  isLanding: false,
};

type HubAndSent = readonly (readonly [DualHub, Sent])[];

function sendToBoth(
  app: Repair,
  { device, confirmed, quietUntil }: Intent,
  state: DeviceState,
  call: CallOptions,
): Promise<HubAndSent> {
  // What landed after it may have removed what it had made.
  const isAgain = quietUntil !== undefined;
  const missing = app.hubs.filter(({ ref }) => !confirmed.includes(fullNameOf(ref)));
  return Promise.all(
    missing.map(
      async (hub) =>
        [hub, app.isAway?.(hub.ref) ? AWAY : await send(app, hub, device, state, { ...call, isAgain })] as const,
    ),
  );
}

async function finish(app: Repair, name: string, intent: Intent, etag: string, results: HubAndSent): Promise<Repaired> {
  const nowMs = app.world.storageNow();
  const isTaken = results.every(([, { kind }]) => kind === 'taken');
  const isLanding = results.some(([, sent]) => sent.kind !== 'failed' && sent.isLanding);
  const left = remaining(app, intent, results, toInstant(nowMs));
  const next = left && isLanding ? { ...left, quietUntil: toInstant(nowMs + CALL_MS) } : left;
  if (next === undefined) await app.blobs.remove(name, etag);
  else await write(app, next, etag);
  if (isTaken && next === undefined) app.onConfirmed(intent.keyHash);
  const away = results.findLast(([, { kind }]) => kind === 'failed')?.[0].ref;
  if (away !== undefined) return { away };
  if (next === undefined) return 'done';
  return isTaken ? 'waiting' : 'refused';
}

/**
 * What is left to do of an intent once hubs have answered; `undefined`: nothing. `isSure`: nothing that lands in that hub later
 * can undo it.
 */
export function remaining(
  { active, hubs }: Pick<Repair, 'active' | 'hubs'>,
  { before, ...intent }: Intent,
  results: HubAndSent,
  at: string,
  isSure: (hub: string) => boolean = () => true,
): Intent | undefined {
  const named = results.map(([{ ref }, sent]) => ({ hub: fullNameOf(ref), sent }));
  const inUse = fullNameOf(active);
  const taken = named.flatMap(({ hub, sent }) => (sent.kind === 'taken' ? [hub] : []));
  const landing = named.flatMap(({ hub, sent }) => (sent.isLanding ? [hub] : []));
  const confirmed = [...intent.confirmed, ...taken.filter((hub) => isSure(hub) && !landing.includes(hub))];
  if (confirmed.length === hubs.length) return undefined;
  const isPatch = intent.state.kind === 'patch';
  const all = named.flatMap(({ hub, sent }) => (sent.kind === 'refused' ? [{ hub, status: sent.status, at }] : []));
  const refused = isPatch ? all.filter(({ hub }) => hub === inUse) : all;
  const held = before === undefined || taken.includes(inUse) ? {} : { before };
  if (isPatch && refused.length > 0 && held.before === undefined) {
    // What lands of it later may hit what is registered by then.
    return landing.length === 0 ? undefined : { ...intent, state: COPY, confirmed: [], refused: [] };
  }
  const next = afterRefusal({ active, hubs }, { ...intent, ...held, confirmed, refused });
  // What the other hub cannot patch it has not, or otherwise: it gets a copy.
  const isCopied = isPatch && all.length > refused.length && confirmed.includes(inUse);
  return next && isCopied ? { ...next, state: COPY } : next;
}

/**
 * What the hub in use refuses, the other is not to have: what was intended before holds again, in both. Where that is in
 * both already, the other is to be as the hub in use has the device. Where both refuse, nothing was changed. `undefined`:
 * nothing is left to do.
 */
function afterRefusal({ active, hubs }: Pick<Repair, 'active' | 'hubs'>, intent: Intent): Intent | undefined {
  const { refused, confirmed, before = [], ...rest } = intent;
  const hub = fullNameOf(active);
  const isRefused = refused.some((one) => one.hub === hub);
  const last = before.at(-1);
  if (isRefused && last !== undefined) {
    const older = before.slice(0, -1);
    // A registration may have had another key then.
    const { keyHash, ...unkeyed } = rest;
    const kept = rest.device.kind === 'installation' && keyHash !== undefined ? { keyHash } : {};
    const held = older.length > 0 ? { before: older } : {};
    return { ...unkeyed, ...kept, ...held, state: last, confirmed: [], refused: [] };
  }
  if (refused.length === hubs.length) return undefined;
  if (isRefused) return { ...rest, state: COPY, confirmed: [hub], refused: [] };
  return confirmed.includes(hub) ? { ...rest, confirmed, refused } : intent;
}

/** As a hub that has it has the device. */
const COPY: DeviceState = { kind: 'patch', operations: [] };

function isCopy(state: DeviceState): boolean {
  return state.kind === 'patch' && state.operations.length === 0;
}

type Copied =
  | { readonly kind: 'put'; readonly body: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'unfit' }
  | { readonly away: HubRef };

/** As a hub has it that has confirmed it, or else the one in use. `none`: that hub has it not; nothing is removed for it. */
async function copied(app: Repair, { device, confirmed }: Intent, call: CallOptions): Promise<Copied> {
  const source =
    app.hubs.find(({ ref }) => confirmed.includes(fullNameOf(ref))) ??
    app.hubs.find(({ ref }) => isSameHub(ref, app.active));
  if (source === undefined) return { kind: 'none' };
  let state: Copied = { kind: 'none' };
  const read = await asSent(async () => {
    const body = await readBody(source, device, call);
    if (body === 'unfit') state = { kind: 'unfit' };
    else if (body !== undefined) state = { kind: 'put', body };
    return { kind: 'written' };
  });
  return read.kind === 'failed' ? { away: source.ref } : state;
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
  return typeof rebuilt === 'string' ? 'unfit' : JSON.stringify(rebuilt.body);
}
