import { DrError, orFault } from '../../core/errors.ts';
import type { FeedbackRun } from '../../core/feedback/run.ts';
import { BACKUPS_ON_CARD, type ReadinessCard } from '../../core/readiness/card.ts';
import { noteStandby, type Standby } from '../../core/readiness/standby.ts';
import { findUnsettled } from '../../core/restore/unsettled.ts';
import { type BackupRun, isOver, type RestoreRun, startOfRunId } from '../../core/run/run.ts';
import { isSyncRunId } from '../../core/run/sync.ts';
import { isAhead } from '../../core/snapshot/dating.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import { type App, toInstant } from '../app.ts';
import { readBackupProgress } from '../backup/view.ts';
import { readNewestDrills } from '../drill/store.ts';
import { readLags } from '../dual/lags.ts';
import { readFeedbackState } from '../feedback/state.ts';
import { readPace, readSeen } from '../restore/outcomes/card-facts.ts';
import { type Roles, readRoles, rolesBySettings } from '../runs/roles.ts';
import { listRuns } from '../runs/store.ts';
import { isOperatorsId } from '../runs/sync-rests.ts';
import { type Marks, newestProofAt, newestProven, readMarks } from '../snapshots/marks.ts';
import { searchLatest } from '../snapshots/store.ts';
import { listOpenAlerts } from './alerts.ts';
import { readCard, storeOrWarn } from './card-store.ts';

/** The newest may still go on, and those before it may have been cancelled, or be dry runs. */
const RESTORES_READ = 8;
/** The newest may still be under way, and those before it may have made way. */
const SYNCS_READ = 4;
const MAX_TRIES = 3;

/** What a gathered card takes over: it is kept nowhere else. */
type Kept = Pick<
  ReadinessCard,
  'watchedAt' | 'firstAt' | 'silentSince' | 'unsettled' | 'standby' | 'refused' | 'refusedWrites'
>;

/**
 * Reads everything the readiness rests on from where it is kept. About twenty storage requests, none of which grows
 * with the hub; a status call gets the stored card. Also gives the last restores, newest first.
 */
export async function gatherCard(app: App, kept: Kept) {
  const { roles, roleFault } = await findRoles(app);
  const hub = roles.active.ref;
  const judgedAt = toInstant(app.world.storageNow());
  const marked = readMarks(app, hub);
  const [{ manifest, faults }, marks, backups, restores, seen, pace, { lastEnded }, openAlerts] = await Promise.all([
    searchLatest(app, hub, marked),
    marked,
    // One by a clock that was ahead would hide for as long that none has started since.
    listRuns(app, 'backup', BACKUPS_ON_CARD, (id) => !isAhead(startOfRunId(id), app.world.storageNow())),
    listRuns(app, 'restore', RESTORES_READ, isOperatorsId),
    readSeen(app, roles.standby.ref),
    readPace(app),
    readNewestDrills(app),
    listOpenAlerts(app),
  ]);
  const card: ReadinessCard = {
    judgedAt,
    firstAt: kept.firstAt ?? judgedAt,
    watchedAt: kept.watchedAt,
    silentSince: kept.silentSince,
    refused: kept.refused,
    refusedWrites: kept.refusedWrites,
    role: roles.role,
    roleFault,
    unsettled: findUnsettled(roles.role, restores, kept.unsettled),
    secondary: app.secondary.ref,
    latest: manifest && noteLatest(manifest, marks.get(manifest.id)),
    passedOver: faults.map(({ message }) => message),
    ...noteProofs(marks),
    backups,
    backupProgress: await noteProgress(app, backups[0]),
    standby: await gatherStandby(app, { roles, latestId: manifest?.id, restores, before: kept.standby, at: judgedAt }),
    dualWrites: await readLags(app),
    feedback: await gatherFeedback(app),
    restore: restores[0],
    devicesInTarget: seen?.devices,
    pace: pace && notePaceOf(pace),
    lastDrill: lastEnded,
    openAlerts,
  };
  return { card, restores, roles };
}

/** Where it is switched on. */
async function gatherFeedback(app: App): Promise<ReadinessCard['feedback']> {
  if ((app.policy.feedbackCleanup ?? 'off') === 'off') return undefined;
  const { failure, last } = (await readFeedbackState(app)) ?? {};
  return {
    ...(failure === undefined ? {} : { failure: { message: failure.message, since: failure.since } }),
    ...(last === undefined ? {} : { last: shownOfCleanUp(last) }),
  };
}

function shownOfCleanUp({ id, finishedAt, removed, due, bound, bursts, held }: Omit<FeedbackRun, 'items'>) {
  return { id, at: finishedAt, removed, due, bound, bursts, isOverBound: held === 'bound' };
}

interface Gathered {
  readonly roles: Roles;
  readonly latestId: string | undefined;
  readonly restores: readonly RestoreRun[];
  readonly before: Standby | undefined;
  readonly at: string;
}

/** One listing, and the last few syncs, where they are switched on. */
async function gatherStandby(app: App, { roles, ...known }: Gathered): Promise<Standby | undefined> {
  if (app.policy.standbySync === 'off') return undefined;
  const syncs = await listRuns(app, 'restore', SYNCS_READ, isSyncRunId);
  return noteStandby(syncs, { ...known, role: roles.role });
}

/** The card says what is wrong with a role that cannot be used, and goes by the settings. */
async function findRoles(app: App): Promise<{ readonly roles: Roles; readonly roleFault?: string }> {
  const roles = await orFault(readRoles(app));
  return roles instanceof DrError ? { roles: rolesBySettings(app), roleFault: roles.message } : { roles };
}

/** Gathers a card and stores it, unless something it shows keeps changing meanwhile. */
export async function renewCard(app: App, kept: Kept = {}): Promise<ReadinessCard> {
  for (let tries = 1; ; tries += 1) {
    const before = await readCard(app);
    const { card } = await gatherCard(app, keptOf(before.card, kept));
    if ((await storeOrWarn(app, card, before.etag)) || tries === MAX_TRIES) return card;
  }
}

/** What is kept of a card, where the caller does not know better. */
export function keptOf(card: ReadinessCard | undefined, newer: Kept): Kept {
  return {
    firstAt: card?.firstAt ?? card?.judgedAt,
    watchedAt: card?.watchedAt,
    silentSince: card?.silentSince,
    refused: card?.refused,
    refusedWrites: card?.refusedWrites,
    unsettled: card?.unsettled,
    standby: card?.standby,
    ...newer,
  };
}

function noteLatest({ id, readStartedAt, readFinishedAt, counts }: Manifest, marks: Marks | undefined) {
  const latest = { id, readStartedAt, readFinishedAt, counts, coverage: marks?.coverage };
  if (marks?.churn === undefined) return latest;
  const { sinceSnapshotId, seconds, added, changed } = marks.churn;
  return { ...latest, churn: { sinceSnapshotId, seconds, added, changed } };
}

function notePaceOf({ at: _, ...pace }: NonNullable<Awaited<ReturnType<typeof readPace>>>): ReadinessCard['pace'] {
  return pace;
}

function noteProofs(marks: ReadonlyMap<string, Marks>): Pick<ReadinessCard, 'proven' | 'provenAt'> {
  const newest = newestProven(marks);
  const provenAtMs = newestProofAt(marks);
  if (newest === undefined || provenAtMs === undefined) return {};
  const { how, at, readStartedAt } = newest.proof;
  return { proven: { id: newest.id, how, at, readStartedAt }, provenAt: toInstant(provenAtMs) };
}

async function noteProgress(app: App, run: BackupRun | undefined): Promise<ReadinessCard['backupProgress']> {
  if (run === undefined || isOver(run)) return undefined;
  return { runId: run.id, ...(await readBackupProgress(app, run)) };
}
