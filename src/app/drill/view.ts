import type { Drill } from '../../core/readiness/drill.ts';
import type { App } from '../app.ts';
import { findDrill, listDrills } from './store.ts';

/** What the HTTP API shows of drills. Fields are contract: add, never rename. */

const LISTED = 50;

/** What is undefined is left out of the JSON. */
export function viewDrill(drill: Drill) {
  const { id, requestedBy, askedBy, createdAt, snapshotId, finishedAt, verdict, failure } = drill;
  const { restoreId, cleanupId, verificationId } = drill;
  return {
    id,
    status: statusOf(drill),
    how: howOf(drill),
    stage: drill.stage,
    snapshot: snapshotId,
    restoreId,
    cleanupId,
    verificationId,
    requestedBy,
    askedBy,
    createdAt,
    finishedAt,
    seconds: finishedAt === undefined ? undefined : secondsOf(drill, finishedAt),
    verdict,
    reason: failure,
  };
}

/** Of a drill that ended, for the readiness card. */
export function viewLastDrill(drill: Drill) {
  const { id, finishedAt = drill.createdAt, failure } = drill;
  const verdict = drill.canceledAt === undefined ? (drill.verdict ?? 'Failed') : 'Canceled';
  return { id, at: finishedAt, verdict, seconds: secondsOf(drill, finishedAt), how: howOf(drill), reason: failure };
}

export async function readDrillView(app: App, id: string) {
  return viewDrill((await findDrill(app, id)).value);
}

/** Newest first. `from` is the `next` of the page before. */
export async function listDrillViews(app: App, from?: string) {
  const { value, next } = await listDrills(app, LISTED, from);
  return { value: value.map(viewDrill), next };
}

function statusOf({ stage, verdict, canceledAt }: Drill): 'Running' | 'Succeeded' | 'Failed' | 'Canceled' {
  if (stage !== 'over') return 'Running';
  if (canceledAt !== undefined) return 'Canceled';
  return verdict === 'Passed' ? 'Succeeded' : 'Failed';
}

function howOf({ scratchHub }: Drill): 'scratch hub' | 'verification' {
  return scratchHub === undefined ? 'verification' : 'scratch hub';
}

function secondsOf({ createdAt }: Drill, finishedAt: string): number {
  return Math.round((Date.parse(finishedAt) - Date.parse(createdAt)) / 100) / 10;
}
