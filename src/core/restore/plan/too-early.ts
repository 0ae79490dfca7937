import type { RestoreRun } from '../../run/run.ts';

/** The service applies an installation's write late: up to this long after it was accepted. */
const LATE_MS = 180_000;

/** Whether all that a run wrote which ended at `endedAt` shows at `atMs`. */
export function showsAll(endedAt: string | undefined, atMs: number): boolean {
  return endedAt === undefined || Date.parse(endedAt) + LATE_MS < atMs;
}

/**
 * When all that the restore wrote shows which a rollback undoes (epoch ms): its writers had stopped when the rollback
 * was started.
 */
export function allShowsAt(rollback: RestoreRun): number {
  return Date.parse(rollback.createdAt) + LATE_MS;
}

/**
 * Whether the look of the rollback's pass began before that: what it does not show may be there later. A restore that
 * ended in order had no writers left then.
 */
export function isTooEarlyToMiss(rollback: RestoreRun, restore: RestoreRun): boolean {
  const { pass } = rollback.phase;
  const scan = (rollback.history ?? []).find((phase) => phase.name === 'scan' && phase.pass === pass);
  const lookAt = Date.parse(scan?.startedAt ?? rollback.createdAt);
  if (restore.status === 'Succeeded') return !showsAll(restore.finishedAt, lookAt);
  return lookAt < allShowsAt(rollback);
}
