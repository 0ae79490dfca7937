import { z } from 'zod';
import type { BlobFacts } from '../ports.ts';
import { operationSchema, patched } from './patch.ts';

/** A call to a hub is over this long after it was intended: it has landed by then, or never will. */
export const CALL_MS = 60_000;

const instant = z.iso.datetime();

/** What a device is to be in both hubs. */
const stateSchema = z.discriminatedUnion('kind', [
  /** `body`: of an installation its JSON, of a registration its description in XML. */
  z.strictObject({ kind: z.literal('put'), body: z.string() }),
  z.strictObject({ kind: z.literal('delete') }),
  /** As one of the hubs has it, with these changes; without any it is a plain copy. */
  z.strictObject({ kind: z.literal('patch'), operations: z.array(operationSchema) }),
]);

export type DeviceState = Readonly<z.infer<typeof stateSchema>>;

const deviceSchema = z.strictObject({ kind: z.enum(['installation', 'registration']), id: z.string().min(1) });

export type Device = Readonly<z.infer<typeof deviceSchema>>;

/**
 * What both hubs are to hold of one device, stored before either is called and removed when both have confirmed it. The
 * blob's ETag is its version. Hubs are named `{namespace}/{hub}`.
 */
export const intentSchema = z.strictObject({
  device: deviceSchema,
  state: stateSchema,
  /** When its device's backend asked for it, by the storage's clock. */
  at: instant,
  /** Until then a call for an older intent may still land: whatever a hub confirms, it is asked again after that. */
  quietUntil: instant.optional(),
  confirmed: z.array(z.string()),
  /** Hubs that will not take it, with their status. They are asked again a day later. */
  refused: z.array(z.strictObject({ hub: z.string(), status: z.int(), at: instant })).default([]),
  /**
   * What was intended before and may not be in both hubs, the newest last: it holds again where the hub in use will not take
   * this. Absent once that hub has taken it.
   */
  before: z.array(stateSchema).optional(),
  /** Hash of the key under which snapshots hold the device, where it is known. */
  keyHash: z.int().nonnegative().optional(),
});

export type Intent = Readonly<z.infer<typeof intentSchema>>;

/**
 * The state after a change to what was intended and may not be in the hubs yet. `absent`: a patch of what is to be
 * deleted, which a hub may still have.
 */
export function folded(before: DeviceState | undefined, change: DeviceState): DeviceState | 'absent' {
  if (change.kind !== 'patch' || before === undefined) return change;
  if (before.kind === 'delete') return 'absent';
  if (before.kind === 'patch') return { kind: 'patch', operations: [...before.operations, ...change.operations] };
  return { kind: 'put', body: JSON.stringify(patched(JSON.parse(before.body), change.operations)) };
}

/** A backend that sends the same wrong description again and again keeps what was intended before the first. */
const MOST_BEFORE = 8;

/** What holds again, newest last, where the hub in use will not take what is intended over that. */
export function heldBefore(before: Partial<Pick<Intent, 'state' | 'before'>> | undefined): Pick<Intent, 'before'> {
  if (before?.state === undefined) return {};
  const all = [...(before.before ?? []), before.state];
  const [oldest, ...others] = all;
  if (oldest === undefined || all.length <= MOST_BEFORE) return { before: all };
  return { before: [oldest, ...others.slice(1 - MOST_BEFORE)] };
}

/** What a listing shows of an intent. */
export function intentFacts({ at, refused, confirmed, keyHash }: Intent): BlobFacts {
  return {
    at,
    refused: String(refused.length),
    ...(confirmed.length === 0 ? {} : { confirmed: confirmed.join(' ') }),
    ...(keyHash === undefined ? {} : { key: String(keyHash) }),
  };
}

/** What a listing shows of intents, as `intentFacts` wrote it: which of them a hub refuses, and since when the oldest waits. */
export function readIntentFacts<Entry extends { readonly facts: BlobFacts }>(entries: readonly Entry[]) {
  const [oldestAt] = entries.map(({ facts }) => facts['at'] ?? '').sort();
  return {
    oldestAt: oldestAt || undefined,
    refused: entries.filter(({ facts }) => Number(facts['refused'] ?? 0) > 0),
  };
}

/** The hubs that have confirmed an intent, by its facts. */
export function confirmedIn(facts: BlobFacts): readonly string[] {
  return (facts['confirmed'] ?? '').split(' ');
}

/** Whether calls for older intents may land after this one's. */
export function isQuiet({ quietUntil }: Pick<Intent, 'quietUntil'>, nowMs: number): boolean {
  return quietUntil === undefined || Date.parse(quietUntil) <= nowMs;
}
