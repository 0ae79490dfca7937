import { z } from 'zod';
import { fullNameOf, isSameHub } from '../paths.ts';
import type { Role } from '../run/role.ts';
import { hubRefSchema, isOver, type RestoreRun, restoreSchema } from '../run/run.ts';
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
    })
    .optional(),
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
  const isBehind = latestId !== undefined && latestId !== synced?.snapshotId;
  return {
    last: syncs[0],
    synced,
    stopped: decided !== undefined && isStopped(decided) ? stoppedBy(decided) : undefined,
    outOfStepSince: isBehind ? (before?.outOfStepSince ?? at) : undefined,
  };
}

function ofRun({ request }: RestoreRun): string | undefined {
  return request.of;
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

function syncedBy({ id, hub, request, source, createdAt, finishedAt = createdAt, result }: RestoreRun) {
  const failed = result?.counts.failed ?? 0;
  return {
    hub,
    runId: id,
    snapshotId: request.snapshotId,
    readAt: source?.readAt ?? createdAt,
    at: finishedAt,
    failed,
  };
}

interface StandbyFacts {
  readonly standby: Standby | undefined;
  readonly role: Role;
  /** Whether syncs rest until the role is declared. */
  readonly isUnsettled: boolean;
  readonly nowMs: number;
  readonly backupIntervalMs: number;
}

/** What keeps the standby from being as the hub in use, where syncs are switched on. */
export function judgeStandby({ standby, role, isUnsettled, nowMs, backupIntervalMs }: StandbyFacts): Finding[] {
  if (standby?.stopped !== undefined) {
    const { runId, message } = standby.stopped;
    return [{ ...risk('SyncStopped', `The standby is no longer kept in step. ${message}`), runId }];
  }
  if (standby?.outOfStepSince === undefined) return [];
  const { last, synced, outOfStepSince } = standby;
  const sinceMs = Math.max(Date.parse(outOfStepSince), Date.parse(synced?.at ?? outOfStepSince));
  if (nowMs - sinceMs <= LATE_INTERVALS * backupIntervalMs) return [];
  const holds = synced === undefined ? 'No sync has filled it yet.' : `It holds snapshot ${synced.snapshotId}.`;
  const message = `The standby, ${fullNameOf(role.standby)}, has not been in step with the hub in use for ${describeDuration(nowMs - sinceMs)}. ${holds} ${whyBehind(last, isUnsettled)}`;
  return [risk('StandbyOutOfStep', message)];
}

function whyBehind(last: RestoreRun | undefined, isUnsettled: boolean): string {
  if (isUnsettled) return 'Syncs rest until the role is declared.';
  if (last === undefined) return 'None has started: the log says what it waits for.';
  if (!isOver(last)) return `The sync ${last.id} is still running.`;
  const why = last.error === undefined ? '' : `: ${last.error.message}`;
  return `The last one, ${last.id}, ended ${last.status}${why}`;
}
