import {
  CALL_MS,
  type Device,
  type DeviceState,
  folded,
  heldBefore,
  type Intent,
  intentFacts,
  isQuiet,
} from '../../core/dual/intent.ts';
import { DrError } from '../../core/errors.ts';
import { intentName } from '../../core/paths.ts';
import { type App, toInstant } from '../app.ts';
import { sha256Hex } from '../stored/codec.ts';
import type { Found, Unusable } from '../stored/document.ts';
import { documents } from '../stored/documents.ts';

export type Storage = Pick<App, 'blobs' | 'world'>;

/** What a device's documents are named by: no name of a blob holds an id. */
export function hashOf({ kind, id }: Device): string {
  return sha256Hex(`${kind} ${id}`);
}

export interface StoredIntent {
  readonly intent: Intent;
  readonly etag: string;
}

export interface Change {
  readonly device: Device;
  readonly state: DeviceState;
  readonly keyHash?: number | undefined;
}

/** Writers that keep overtaking each other for one device have other troubles. */
const MAX_TRIES = 20;

/**
 * Stores what is intended now, over what was intended before and may not be in both hubs yet. `known`: the device's
 * intent as this process stored it, after which its calls come in their order. Of any other the calls may still land:
 * then this one is not done before they have. `absent`: there is nothing to patch, and nothing was stored.
 */
export async function storeIntent(
  app: Storage,
  change: Change,
  known: StoredIntent | undefined,
): Promise<StoredIntent | 'absent'> {
  const { device, keyHash } = change;
  const name = intentName(hashOf(device));
  let before: Before | undefined = known;
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const nowMs = app.world.storageNow();
    const state = folded(before?.intent.state, change.state);
    if (state === 'absent') return state;
    const intent: Intent = {
      device,
      state,
      at: toInstant(nowMs),
      ...quietAfter(before, nowMs),
      ...heldBefore(before?.intent),
      confirmed: [],
      refused: [],
      ...(keyHash === undefined ? {} : { keyHash }),
    };
    const etag = await write(app, intent, before?.etag);
    if (etag !== 'conflict') return { intent, etag };
    before = toBefore(await documents.intent.look(app, name, 'mayBeMissing'));
  }
  throw new DrError('StorageUnavailable', 'Others write the same device all the time: try again.', { retryable: true });
}

/** Takes effect only over that version of it; `undefined`: where there is none. */
export function write(app: Storage, intent: Intent, etag: string | undefined): Promise<string | 'conflict'> {
  return documents.intent.write(app, intentName(hashOf(intent.device)), intent, { etag }, intentFacts(intent));
}

/** What is there already; a damaged one counts as one of which nothing is known but that its calls may land. */
interface Before {
  readonly etag: string;
  readonly intent: Partial<Pick<Intent, 'quietUntil' | 'state' | 'before'>>;
  /** Absent: this process stored it. */
  readonly ageMs?: number;
}

function toBefore(found: Found<Intent> | Unusable | undefined): Before | undefined {
  if (found === undefined) return undefined;
  const { etag, ageMs = 0 } = found;
  return { etag, ageMs, intent: 'fault' in found ? {} : found.value };
}

function quietAfter(before: Before | undefined, nowMs: number): Pick<Intent, 'quietUntil'> {
  if (before === undefined) return {};
  const { ageMs = Infinity, intent } = before;
  const isWaited = ageMs < CALL_MS;
  if (isWaited) return { quietUntil: toInstant(nowMs + CALL_MS) };
  return isQuiet(intent, nowMs) ? {} : { quietUntil: intent.quietUntil };
}
