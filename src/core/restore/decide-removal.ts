import type { Decision } from './decide.ts';
import type { RemovalPlan } from './plan-removal.ts';

/**
 * What a pass of a rollback makes of one record's plan. `wasRemoved` tells that a pass before removed it: what still
 * shows, and is the same, is removed again; what differs is its device registering again.
 */
export function decideRemoval(plan: RemovalPlan, wasRemoved: boolean, isLastPass: boolean): Decision {
  switch (plan.kind) {
    case 'gone':
      return { kind: 'settled', outcome: wasRemoved ? 'removed' : 'unchanged', hasChangedSince: false };
    case 'changed':
      return { kind: 'settled', outcome: wasRemoved ? 'removed' : 'keptLive', hasChangedSince: wasRemoved };
    case 'remove':
      if (wasRemoved && isLastPass) return { kind: 'failed', code: 'NotApplied' };
      return { kind: 'write', outcome: 'removed', writes: plan.writes };
    default:
      return plan satisfies never;
  }
}
