import type { Drill } from '../../core/readiness/drill.ts';
import { type App, toInstant } from '../app.ts';

export function enter(app: App, drill: Drill, stage: Drill['stage']): Drill {
  return { ...drill, stage, stageSince: toInstant(app.world.storageNow()) };
}

/** A cancelled drill has neither passed nor failed. */
export function end(app: App, drill: Drill, failure: string | undefined): Drill {
  const ended = { ...enter(app, drill, 'over'), finishedAt: toInstant(app.world.storageNow()) };
  if (drill.canceledAt !== undefined) return { ...ended, failure };
  return failure === undefined ? { ...ended, verdict: 'Passed' } : { ...ended, verdict: 'Failed', failure };
}
