import { isSameHub } from '../../core/paths.ts';
import { isDrillRunId } from '../../core/readiness/drill.ts';
import { findUnsettled } from '../../core/restore/unsettled.ts';
import { isExchangedSince } from '../../core/run/role.ts';
import { roleUnsettled, settingsExchanged } from '../../core/run/role-words.ts';
import type { RestoreRun, Run } from '../../core/run/run.ts';
import { isSyncRunId } from '../../core/run/sync.ts';
import type { App } from '../app.ts';
import { type Roles, readRoles } from './roles.ts';
import { listWritingRestores } from './store.ts';

/** More restores of one tenure than anyone starts. */
const RESTORES_READ = 50;

/** Restores that a person asked for. */
export function isOperatorsId(runId: string): boolean {
  return !isDrillRunId(runId) && !isSyncRunId(runId);
}

/** Why no sync may write into the standby until the role is declared; `undefined` while one may. */
export async function whySyncRests(app: App, { role }: Roles): Promise<string | undefined> {
  if (isExchangedSince(role, app.primary.ref)) return settingsExchanged(role);
  const unsettled = findUnsettled(role, await listWritingRestores(app, RESTORES_READ, isOperatorsId));
  return unsettled && roleUnsettled(role, unsettled.runId, unsettled.at);
}

export function isSync(run: Run): run is RestoreRun {
  return run.kind === 'restore' && run.request.purpose === 'sync';
}

/** Roles may change while a sync runs: then its target is in use, and its source is not. */
export async function isAgainstRole(app: App, { hub }: RestoreRun): Promise<boolean> {
  return !isSameHub((await readRoles(app)).standby.ref, hub);
}
