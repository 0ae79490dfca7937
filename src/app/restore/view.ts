import { DrError, orFault } from '../../core/errors.ts';
import { isSameHub } from '../../core/paths.ts';
import type { HubRef } from '../../core/ports.ts';
import { nextActionsOf } from '../../core/restore/next-actions.ts';
import { wayOf } from '../../core/restore/next-commands.ts';
import { type Pace, secondsToLook } from '../../core/restore/pace.ts';
import { isOver, type RestoreResult, type RestoreRun } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { readRowsRead } from '../listing/progress.ts';
import { readRoles } from '../runs/roles.ts';
import { findRun } from '../runs/store.ts';
import { viewCommon } from '../runs/view.ts';
import { SAVE_EVERY_MS } from './apply/open-outcomes.ts';
import { findRetryOf } from './outcomes/retried.ts';
import { readCurrentResult } from './outcomes/totals.ts';

export async function readRestoreView(app: App, runId: string, shown: Shown = {}) {
  return viewRestore(app, await findRun(app, 'restore', runId), shown);
}

interface Shown {
  readonly hasRequest?: boolean;
  readonly findRetry?: (app: App, run: RestoreRun) => Promise<string | undefined> | undefined;
  readonly findActive?: (app: App) => Promise<HubRef | undefined> | undefined;
}

/**
 * What the HTTP API shows of a restore. It costs one listing while the run is active or when it was stopped; after an
 * end in order nothing but the role, and the look for a retry where it left something out; and one request more while it
 * lists the hub, unless the caller has none left. `findRetry`, `findActive`: where that is known, or is looked for
 * together with others.
 */
export async function viewRestore(
  app: App,
  run: RestoreRun,
  { hasRequest = true, findRetry = findRetryOf, findActive = findActiveHub }: Shown = {},
) {
  const [{ result, signs, pace, savedAt }, rowsRead, retriedBy, active] = await Promise.all([
    readCurrentResult(app, run),
    hasRequest && isListing(run) ? readRowsRead(app, run) : undefined,
    findRetry(app, run),
    isOver(run) ? findActive(app) : undefined,
  ]);
  const isInUse = active !== undefined && isSameHub(active, run.hub);
  const { snapshotId, askedSnapshot, target, sourceHub, expiryFloorAt: _floor, ...asked } = run.request;
  return {
    ...viewCommon(run, signs),
    ...asked,
    way: asked.activate ? wayOf(run) : undefined,
    snapshot: { id: snapshotId, asked: askedSnapshot, hub: sourceHub },
    target: { role: target, ...run.hub },
    ...result,
    percent: percentOf(result),
    rowsRead,
    rowsExpected: isListing(run) ? rowsExpected(run) : undefined,
    ...(signs.waiting === undefined ? timeLeft(app, run, { result, pace }) : {}),
    settlesUntil: settlesUntil(app, run),
    lastChangeAt: isOver(run) ? undefined : lastOf(run.phase.startedAt, savedAt),
    retriedBy,
    targetInUse: isOver(run) ? isInUse : undefined,
    nextActions: nextActionsOf(run, result, { retriedBy, isInUse }),
  };
}

/** Until then it only gives the hub time to show what was written. */
function settlesUntil({ world }: App, run: RestoreRun): string | undefined {
  const { notBefore } = run.phase;
  if (notBefore === undefined || isOver(run)) return undefined;
  return Date.parse(notBefore) > world.storageNow() ? notBefore : undefined;
}

/** The hub in use; `undefined` where the stored role cannot be used, which other calls say. */
export async function findActiveHub(app: App): Promise<HubRef | undefined> {
  const roles = await orFault(readRoles(app));
  return roles instanceof DrError ? undefined : roles.active.ref;
}

function isListing(run: RestoreRun): boolean {
  return run.phase.name === 'scan' && !isOver(run);
}

/** Roughly; `undefined` where nothing is known of the hub. */
function rowsExpected({ phase, expectedRows, found }: RestoreRun): number | undefined {
  if (phase.pass === 1) return expectedRows?.first;
  return expectedRows && Math.max(expectedRows.later, found?.rows ?? 0);
}

/** The share of the records whose outcome is known, rounded down, so that 100 means all. */
function percentOf({ counts: { total, pending } }: RestoreResult): number {
  return total === 0 ? 100 : Math.floor(((total - pending) / total) * 1000) / 10;
}

function lastOf(startedAt: string, savedAt: string | undefined): string {
  return savedAt !== undefined && savedAt > startedAt ? savedAt : startedAt;
}

interface Measured {
  readonly result: RestoreResult;
  readonly pace: Pace | undefined;
}

/**
 * How fast records were settled of late, and how long it takes until the run is over: the rest of the writing at that
 * pace, the time given to the hub to settle, and another look that takes as long as the first one did. Only what was
 * measured counts, so there is nothing while there is nothing to go by.
 */
function timeLeft(app: App, run: RestoreRun, { result: { counts }, pace }: Measured) {
  if (isOver(run) || run.phase.name !== 'reconcile' || run.phase.pass > 1 || pace === undefined) return {};
  const { recordsPerSecond, lastAtMs } = pace;
  const sinceSeconds = (app.world.storageNow() - Date.parse(run.createdAt) - lastAtMs) / 1000;
  // Up to the next save records are settled, too.
  const unseenSeconds = Math.min(SAVE_EVERY_MS / 1000, Math.max(0, sinceSeconds));
  const writing = Math.max(0, counts.pending / recordsPerSecond - unseenSeconds);
  const after = run.request.dryRun ? 0 : app.policy.settleSeconds + secondsToLook(run);
  return {
    recordsPerSecond: Math.round(recordsPerSecond * 10) / 10,
    etaSeconds: Math.ceil(writing + after),
  };
}
