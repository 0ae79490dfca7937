import { z } from 'zod';
import { isSameHub } from '../paths.ts';
import type { HubRef } from '../ports.ts';
import { noteSchema } from '../request/restore.ts';
import { hubRefSchema, MAX_TERMS, type Term } from './run.ts';

const instant = z.iso.datetime();
/** `askedBy`: who called, as signed in or as they call themselves. */
const voice = { note: noteSchema.optional(), runId: z.string().optional(), askedBy: z.string().optional() };

/** From then on that hub is in use, until the next one is. */
const tenureSchema = z.strictObject({
  hub: hubRefSchema,
  since: instant,
  /** `settings`: a run saw that the settings call the hub primary. `restore`: a restore that was to activate it. */
  by: z.enum(['settings', 'operator', 'restore']),
  ...voice,
});

/** Which hub of a pair devices and backends use. Fields are contract: backends read this blob while the app is down. */
export const roleSchema = z
  .strictObject({
    active: hubRefSchema,
    standby: hubRefSchema,
    /** Of the active hub, by the storage's clock. That of the first one is the beginning of time. */
    since: instant,
    /** When the role was last declared. Absent: the hub that the settings call primary is in use. */
    declared: z
      .strictObject({
        at: instant,
        by: z.enum(['operator', 'restore']),
        ...voice,
        /** The hub that the settings called primary then. */
        primary: hubRefSchema,
      })
      .optional(),
    /** The oldest first. */
    history: z.array(tenureSchema).min(1).max(MAX_TERMS),
  })
  .refine(({ active, since, history }) => {
    const newest = history.at(-1);
    return newest !== undefined && isSameHub(newest.hub, active) && newest.since === since;
  }, 'its history does not end with the active hub');

export type Role = Readonly<z.infer<typeof roleSchema>>;

/** The two hubs as the settings name them. */
export interface NamedHubs {
  readonly primary: HubRef;
  readonly secondary: HubRef;
}

const BEGINNING = new Date(0).toISOString();

/** The stored role, or what the settings say where none was declared. `stored` itself where nothing is new. */
export function roleNow(stored: Role | undefined, { primary, secondary }: NamedHubs, at: string): Role {
  if (stored === undefined) {
    const since = BEGINNING;
    return { active: primary, standby: secondary, since, history: [{ hub: primary, since, by: 'settings' }] };
  }
  const isFollowed = stored.declared === undefined && !isSameHub(stored.active, primary);
  return isFollowed ? turned(stored, primary, { at, by: 'settings' }) : stored;
}

/** Who declares a hub to be in use, when and why. */
export interface Voice {
  readonly at: string;
  readonly by: 'operator' | 'restore';
  readonly note?: string | undefined;
  readonly runId?: string | undefined;
  readonly askedBy?: string | undefined;
}

export function roleDeclared(role: Role, active: HubRef, voice: Voice, { primary }: NamedHubs): Role {
  const next = isSameHub(role.active, active) ? role : turned(role, active, voice);
  return { ...next, declared: { ...voice, primary } };
}

/** Of a role whose history is lost: either hub may have been in use before. */
export function roleOfLostHistory({ primary, secondary }: NamedHubs, active: HubRef): Role {
  const [standby, hub] = isSameHub(active, primary) ? [secondary, primary] : [primary, secondary];
  return roleNow(undefined, { primary: standby, secondary: hub }, BEGINNING);
}

function turned(
  { standby, active, since, history }: Role,
  hub: HubRef,
  { at, ...voice }: Omit<Voice, 'by'> & { readonly by: Role['history'][number]['by'] },
): Role {
  // The clock of the storage may have been set back.
  const from = at > since ? at : new Date(Date.parse(since) + 1).toISOString();
  const other = isSameHub(hub, active) ? standby : active;
  return {
    active: hub,
    standby: other,
    since: from,
    history: [...history, { hub, since: from, ...voice }].slice(-MAX_TERMS),
  };
}

/** As runs keep them. The oldest that is known counts from the beginning. */
export function termsOf({ history }: Role): Term[] {
  return history.map(({ hub, since }, place) => ({ hub, since: place === 0 ? BEGINNING : since }));
}

/** The settings have called the other hub primary since the role was declared, which then no longer follows them. */
export function isExchangedSince({ declared }: Role, primary: HubRef): boolean {
  return declared !== undefined && !isSameHub(declared.primary, primary);
}

/** Whether the active hub came into use after the other one: only then can its snapshots be from before. */
export function hasChanged({ history }: Role): boolean {
  return history.length > 1;
}
