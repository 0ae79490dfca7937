import { z } from 'zod';
import { fullNameOf, isSameHub } from '../paths.ts';
import { mayHaveWritten, mostDeletes } from '../run/amounts.ts';
import type { Role } from '../run/role.ts';
import { hubRefSchema, isOver, type RestoreRun, restoreSchema } from '../run/run.ts';
import { counted } from '../words.ts';
import { describeDuration, type Finding, LATE_INTERVALS, risk } from './finding.ts';

const instant = z.iso.datetime();

/** What syncs made of the standby. */
export const standbySchema = z.strictObject({
  /** The newest sync. */
  last: restoreSchema.optional(),
  /** The newest that wrote all that the standby takes. */
  synced: z
    .strictObject({
      hub: hubRefSchema,
      runId: z.string(),
      snapshotId: z.string(),
      /** When that snapshot was read, and when the sync ended. */
      readAt: instant,
      at: instant,
      /** Records that the standby refused. */
      failed: z.int().nonnegative(),
      /** Records that it left different in the standby, of all that the snapshot holds. */
      different: z.int().nonnegative().optional(),
      records: z.int().nonnegative().optional(),
    })
    .optional(),
  /** The restore or rollback, if any, that has changed the standby since. */
  changedBy: z.strictObject({ hub: hubRefSchema, runId: z.string(), at: instant }).optional(),
  /** Why the newest that came to a decision changed nothing. */
  stopped: z.strictObject({ runId: z.string(), message: z.string() }).optional(),
  /** Since when the hub in use has a newer good snapshot than the standby. */
  outOfStepSince: instant.optional(),
});

export type Standby = Readonly<z.infer<typeof standbySchema>>;

interface Known {
  readonly role: Role;
  /** The newest good snapshot of the hub in use. */
  readonly latestId: string | undefined;
  /** What operators restored, the newest first. */
  readonly restores: readonly RestoreRun[];
  readonly before: Standby | undefined;
  readonly at: string;
}

/** Of the newest syncs, newest first. What became too old to be among them is known from before. */
export function noteStandby(syncs: readonly RestoreRun[], { role, latestId, restores, before, at }: Known): Standby {
  const isOfStandby = ({ hub }: Pick<RestoreRun, 'hub'>): boolean => isSameHub(hub, role.standby);
  const undone = new Set(
    restores.filter(({ request, status }) => request.purpose === 'rollback' && status === 'Succeeded').map(ofRun),
  );
  const decided = syncs.find((run) => isOfStandby(run) && (hasFilled(run) || isStopped(run)));
  const newest = syncs.find((run) => isOfStandby(run) && hasFilled(run) && !undone.has(run.id));
  const known = before?.synced;
  const isKnown = known !== undefined && isOfStandby(known) && !undone.has(known.runId);
  const synced = newest === undefined ? (isKnown ? known : undefined) : syncedBy(newest);
  const changedBy = synced && findChange(synced, restores.filter(isOfStandby), before?.changedBy);
  const isBehind = latestId !== undefined && (latestId !== synced?.snapshotId || changedBy !== undefined);
  return {
    last: syncs[0],
    synced,
    changedBy,
    stopped: decided !== undefined && isStopped(decided) ? stoppedBy(decided) : undefined,
    outOfStepSince: isBehind ? (before?.outOfStepSince ?? at) : undefined,
  };
}

function ofRun({ request }: RestoreRun): string | undefined {
  return request.of;
}

type Synced = NonNullable<Standby['synced']>;

/** `before`: what was known of a restore that has become too old to be among the newest. */
function findChange(
  synced: Synced,
  restores: readonly RestoreRun[],
  before: Standby['changedBy'],
): Standby['changedBy'] {
  const found = restores
    .filter((run) => isChange(run, synced))
    .map(({ hub, id, createdAt, finishedAt = createdAt }) => ({ hub, runId: id, at: finishedAt }));
  const isRead = restores.some(({ id }) => id === before?.runId);
  const isKnown = before !== undefined && !isRead && isSameHub(before.hub, synced.hub);
  return [...found, ...(isKnown ? [before] : [])].find(({ at }) => at > synced.at);
}

/** A restore of the snapshot that the sync restored, too, takes nothing of it away. */
function isChange(run: RestoreRun, { snapshotId }: Synced): boolean {
  const { dryRun, purpose } = run.request;
  if (dryRun || (purpose !== 'rollback' && run.request.snapshotId === snapshotId)) return false;
  if (run.result === undefined) return !isOver(run);
  const { removed, putBack } = run.result.counts;
  return mayHaveWritten(run.result) || removed + putBack > 0;
}

/** As far as is known: the newest good snapshot is in the standby, but for a few records. */
export function isInStep({ synced, changedBy }: Standby, latestId: string | undefined, driftPercent: number): boolean {
  const isNewest = latestId !== undefined && latestId === synced?.snapshotId;
  return isNewest && changedBy === undefined && !differsMuch(synced, driftPercent);
}

function differsMuch({ different = 0, records = 0 }: Synced, driftPercent: number): boolean {
  return different > mostDeletes(records, driftPercent);
}

/** Records that the standby will not take are left out; all others are there. */
function hasFilled(run: RestoreRun): boolean {
  return isOver(run) && (run.status === 'Succeeded' || run.error?.code === 'RestoreIncomplete');
}

function isStopped({ error }: RestoreRun): boolean {
  return error?.code === 'SyncStopped';
}

function stoppedBy({ id, error }: RestoreRun): Standby['stopped'] {
  return { runId: id, message: error?.message ?? '' };
}

function syncedBy(run: RestoreRun): Synced {
  const { id, hub, request, source, createdAt, finishedAt = createdAt, result, recordCount } = run;
  const { failed = 0, conflict = 0, unknownOrigin = 0, keptLive = 0, leftover = 0 } = result?.counts ?? {};
  return {
    hub,
    runId: id,
    snapshotId: request.snapshotId,
    readAt: source?.readAt ?? createdAt,
    at: finishedAt,
    failed,
    different: conflict + unknownOrigin + keptLive + leftover,
    records: recordCount,
  };
}

interface StandbyFacts {
  readonly standby: Standby | undefined;
  readonly role: Role;
  /** Whether syncs rest until the role is declared. */
  readonly isUnsettled: boolean;
  readonly nowMs: number;
  readonly backupIntervalMs: number;
  readonly standbyDriftPercent: number;
}

/** What keeps the standby from being as the hub in use, where syncs are switched on. */
export function judgeStandby(facts: StandbyFacts): Finding[] {
  const { standby, role, isUnsettled, nowMs, backupIntervalMs } = facts;
  if (standby?.stopped !== undefined) {
    const { runId, message } = standby.stopped;
    return [{ ...risk('SyncStopped', `The standby is no longer kept in step. ${message}`), runId }];
  }
  if (standby?.outOfStepSince === undefined) return judgeDifference(facts);
  const { last, synced, changedBy, outOfStepSince } = standby;
  const sinceMs = Math.max(Date.parse(outOfStepSince), Date.parse(synced?.at ?? outOfStepSince));
  if (nowMs - sinceMs <= LATE_INTERVALS * backupIntervalMs) return judgeDifference(facts);
  const changed = changedBy === undefined ? '' : ` Restore ${changedBy.runId} changed it at ${changedBy.at}.`;
  const holds =
    synced === undefined ? 'No sync has filled it yet.' : `It was last synced with ${synced.snapshotId}.${changed}`;
  const message = `The standby, ${fullNameOf(role.standby)}, has not been in step with the hub in use for ${describeDuration(nowMs - sinceMs)}. ${holds} ${whyBehind(last, isUnsettled)}`;
  return [risk('StandbyOutOfStep', message)];
}

/** What syncs leave is not theirs to overwrite. */
function judgeDifference({ standby, role, standbyDriftPercent }: StandbyFacts): Finding[] {
  const { synced } = standby ?? {};
  if (synced === undefined || !differsMuch(synced, standbyDriftPercent)) return [];
  const message = `The standby, ${fullNameOf(role.standby)}, differs from the hub in use in ${counted(synced.different ?? 0, 'record')} that sync ${synced.runId} left, more than STANDBY_DRIFT_PERCENT (${standbyDriftPercent}) allows: others changed them in the standby, or it is not known who did. The counts of that sync say which. Those in conflict are overwritten by a restore with --on-conflict overwrite; those of unknown origin and those kept live stay until their devices change in the hub in use, and those that only the standby still holds until they are removed there.`;
  return [{ ...risk('StandbyDiffers', message), runId: synced.runId }];
}

function whyBehind(last: RestoreRun | undefined, isUnsettled: boolean): string {
  if (isUnsettled) return 'Syncs rest until the role is declared.';
  if (last === undefined) return 'None has started: the log says what it waits for.';
  if (!isOver(last)) return `The sync ${last.id} is still running.`;
  const why = last.error === undefined ? '' : `: ${last.error.message}`;
  return `The last one, ${last.id}, ${last.status === 'Canceled' ? 'was stopped' : last.status.toLowerCase()}${why}`;
}
