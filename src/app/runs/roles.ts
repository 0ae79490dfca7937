import { fullNameOf, isSameHub, ROLE_NAME } from '../../core/paths.ts';
import type { Hub } from '../../core/ports.ts';
import { type NamedHubs, type Role, roleNow } from '../../core/run/role.ts';
import { type App, emit, toInstant } from '../app.ts';
import { documents } from '../stored/documents.ts';

/** The pair's hubs by what they are used for. */
export interface Roles {
  readonly role: Role;
  /** The hub in use: backups follow it. */
  readonly active: Hub;
  /** Restores write into this one. */
  readonly standby: Hub;
}

/** Which hub is in use now. Throws `StoredDocumentInvalid` when the stored role is damaged: no guess takes its place. */
export async function readRoles(app: App): Promise<Roles> {
  return withHubs(app, (await findRole(app)).role);
}

/** The same, for a run: what the settings say otherwise than before is stored, at the storage's time. */
export async function noteRoles(app: App): Promise<Roles> {
  return changeRole(app, (role) => role);
}

/** Changes the role by compare-and-swap until it holds. `change` may be called several times. */
export async function changeRole(app: App, change: (role: Role) => Role): Promise<Roles> {
  for (;;) {
    const { stored, role, etag } = await findRole(app);
    const next = change(role);
    if (next === stored) return withHubs(app, next);
    if (await storeRole(app, next, etag)) return withHubs(app, next);
  }
}

/** False when it changed since it was read with that ETag. */
export async function storeRole(app: App, role: Role, etag: string | undefined): Promise<boolean> {
  if ((await documents.role.write(app, ROLE_NAME, role, { etag })) === 'conflict') return false;
  app.log.info('role', { active: fullNameOf(role.active), since: role.since, by: role.history.at(-1)?.by });
  await emit(app, { kind: 'role' });
  return true;
}

/** Where nothing is stored. */
export function rolesBySettings(app: App): Roles {
  return withHubs(app, roleFrom(app, undefined));
}

export function namedHubs({ primary, secondary }: App): NamedHubs {
  return { primary: primary.ref, secondary: secondary.ref };
}

export function withHubs({ primary, secondary }: App, role: Role): Roles {
  return isSameHub(role.active, primary.ref)
    ? { role, active: primary, standby: secondary }
    : { role, active: secondary, standby: primary };
}

async function findRole(app: App) {
  const found = await documents.role.find(app, ROLE_NAME);
  return { stored: found?.value, etag: found?.etag, role: roleFrom(app, found?.value) };
}

/** The stored role, or what the settings say otherwise as of now. */
export function roleFrom(app: App, stored: Role | undefined): Role {
  return roleNow(stored, namedHubs(app), toInstant(app.world.storageNow()));
}

/** What the HTTP API shows of the role: the fields of the stored document, which are contract. The newest tenure first. */
export function viewRole({ active, standby, since, declared, history }: Role) {
  return { active, standby, since, declared: declared ?? null, history: history.toReversed() };
}
