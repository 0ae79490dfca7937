import { isMadeFrom, isOver, type Run } from './run.ts';

/** What an operator asks for waits for the calls of a sync no longer than this. */
export const GIVES_WAY_MS = 7000;

/** The id of a standby sync follows from its snapshot's: starting it again finds it. */
export function syncRunId(snapshotId: string): string {
  return `${snapshotId}-sync`;
}

/** No caller may choose such an id. */
export function isSyncRunId(runId: string): boolean {
  return isMadeFrom(runId, ['sync']);
}

/** It was ended for an operator's call, and has had the time to stop. */
export function hasMadeWay(run: Run, nowMs: number): boolean {
  const isSuperseded = isSyncRunId(run.id) && run.error?.code === 'Superseded';
  return isOver(run) && isSuperseded && nowMs - Date.parse(run.finishedAt ?? run.createdAt) >= GIVES_WAY_MS;
}
