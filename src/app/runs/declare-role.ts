import { DrError } from '../../core/errors.ts';
import { fullNameOf, isFullNameOf, isSameHub, ROLE_NAME } from '../../core/paths.ts';
import type { HubRef } from '../../core/ports.ts';
import { isDrillRunId } from '../../core/readiness/drill.ts';
import type { RoleRequest } from '../../core/request/role.ts';
import { type Role, roleDeclared, roleOfLostHistory, type Voice } from '../../core/run/role.ts';
import { isOver, type RestoreRun } from '../../core/run/run.ts';
import { type App, toInstant } from '../app.ts';
import { documents } from '../stored/documents.ts';
import { namedHubs, readRoles, roleFrom, storeRole, viewRole } from './roles.ts';
import { listWritingRestores } from './store.ts';
import { isOperatorsId } from './sync-rests.ts';

export async function readRoleView(app: App) {
  return viewRole((await readRoles(app)).role);
}

/**
 * Declares which hub devices and backends use. Declaring it again is how an operator settles a doubt. Throws `WrongTarget`,
 * `ConfirmationMissing`, or `RoleContradicted` where nothing was restored into that hub since the other one is in use.
 */
export async function declareRole(app: App, request: RoleRequest, askedBy?: string) {
  await app.blobs.ensure();
  const active = namedHub(app, request.active);
  refuseUnconfirmed(active, request.confirm);
  for (;;) {
    const { role, etag } = await findAnyRole(app, active);
    if (request.force !== true) await refuseContradiction(app, role, active);
    const voice: Voice = { at: await timeOfDeclaring(app), by: 'operator', note: request.note, askedBy };
    const next = roleDeclared(role, active, voice, namedHubs(app));
    if (await storeRole(app, next, etag)) return viewRole(next);
  }
}

/** Hosts know the time of the storage to a few seconds. */
const APART_MS = 10_000;

/** What has ended is settled by it, also where the host that ended it thought that it was later. */
async function timeOfDeclaring(app: App): Promise<string> {
  const nowMs = app.world.storageNow();
  const restores = await listWritingRestores(app, RESTORES_READ, isOperatorsId);
  const endsMs = restores.flatMap(({ finishedAt }) => (finishedAt === undefined ? [] : [Date.parse(finishedAt)]));
  return toInstant(Math.max(nowMs, ...endsMs.filter((endMs) => endMs < nowMs + APART_MS)));
}

/** A damaged document is replaced. */
async function findAnyRole(
  app: App,
  active: HubRef,
): Promise<{ readonly role: Role; readonly etag: string | undefined }> {
  const found = await documents.role.look(app, ROLE_NAME);
  if (found !== undefined && 'fault' in found) {
    app.log.warn('role unreadable', { code: found.fault.code });
    return { role: roleOfLostHistory(namedHubs(app), active), etag: found.etag };
  }
  return { role: roleFrom(app, found?.value), etag: found?.etag };
}

/** `primary`, `secondary` or `namespace/hub`. */
function namedHub({ primary, secondary }: App, name: string): HubRef {
  const names = (hub: HubRef, inSettings: string) => name.toLowerCase() === inSettings || isFullNameOf(hub, name);
  if (names(primary.ref, 'primary')) return primary.ref;
  if (names(secondary.ref, 'secondary')) return secondary.ref;
  const message = `The hubs are ${fullNameOf(primary.ref)} (primary) and ${fullNameOf(secondary.ref)} (secondary): name the one in use.`;
  throw new DrError('WrongTarget', message, { target: 'active' });
}

function refuseUnconfirmed(hub: HubRef, confirm: string | undefined): void {
  if (isFullNameOf(hub, confirm)) return;
  const name = fullNameOf(hub);
  const message =
    confirm === undefined
      ? `Backups follow the hub in use, and restores write into the other one. If devices and backends use ${name}, repeat this full name after --confirm.`
      : `The confirmation does not name the hub that is declared to be in use. Its full name is ${name}.`;
  throw new DrError('ConfirmationMissing', message, { target: 'confirm' });
}

/** More restores of one tenure than anyone starts. */
const RESTORES_READ = 50;

async function refuseContradiction(app: App, role: Role, active: HubRef): Promise<void> {
  if (isSameHub(role.active, active)) return;
  const restores = await listWritingRestores(app, RESTORES_READ, (id) => !isDrillRunId(id));
  const last = restores.find((run) => isSameHub(run.hub, active) && isOfAll(run, active) && !isSyncInVain(run));
  if (last !== undefined && last.createdAt >= role.since && isFilling(last)) return;
  const [name, other] = [fullNameOf(active), fullNameOf(role.active)];
  const message = `Nothing was restored into ${name} since ${other} came into use: devices of ${other} may be missing there. Restore first: notification-hubs-dr restore; if ${name} holds its devices all the same, or to undo a mistaken declaration, add --force`;
  throw new DrError('RoleContradicted', message, { target: 'active' });
}

/** Not some devices of the other hub, nor what the hub had held itself. */
function isOfAll({ request: { only, sourceHub } }: RestoreRun, hub: HubRef): boolean {
  return only === undefined && !isSameHub(sourceHub, hub);
}

/** One that did not come to its end takes nothing away from those before it. */
function isSyncInVain(run: RestoreRun): boolean {
  return run.request.purpose === 'sync' && (!isOver(run) || !isFilling(run));
}

/** All that could be written was, or will be. */
function isFilling(run: RestoreRun): boolean {
  if (run.request.purpose === 'rollback') return false;
  return !isOver(run) || run.status === 'Succeeded' || run.error?.code === 'RestoreIncomplete';
}
