import { startOfRunId } from './run.ts';

/** The id of a standby sync follows from its snapshot's: starting it again finds it. */
export function syncRunId(snapshotId: string): string {
  return `${snapshotId}-sync`;
}

/** An id that a caller chose never is one: those do not begin with a date. */
export function isSyncRunId(runId: string): boolean {
  return startOfRunId(runId) !== undefined && runId.endsWith('-sync');
}
