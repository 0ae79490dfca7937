import type { RunKind } from '../paths.ts';
import type { Lane } from '../ports.ts';
import type { Run } from './run.ts';
import type { Step } from './step.ts';

/** Messages that one look into a queue shows at most (learn.microsoft.com, "Peek Messages"): behind them may be more. */
export const MAX_PEEKED = 32;

const laneOfKind = {
  backup: 'backups',
  restore: 'restores',
  verification: 'rest',
} as const satisfies Record<RunKind, Lane>;

/** Of runs: what backends intend to write has a lane that none of them uses. */
export type LaneOfRuns = Exclude<Lane, 'writes'>;

/** Where the steps of a run are queued. A drill's restore and its rollback never take a slot from a real restore. */
export function laneOf(run: Run): LaneOfRuns {
  return run.kind === 'restore' && run.request.target === 'drill' ? 'rest' : laneOfKind[run.kind];
}

/** Where a step is enqueued again. One of an earlier version does not say it. */
export function laneOfStep({ kind, lane }: Pick<Step, 'kind' | 'lane'>): LaneOfRuns {
  return lane ?? laneOfKind[kind];
}
