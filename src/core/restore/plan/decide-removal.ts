import type { RecordFailure, Removal } from './outcomes.ts';
import type { RemovalPlan } from './removal.ts';
import type { Write } from './write.ts';

/**
 * What a pass makes of one record. `unconfirmed`: a listing may pass over rows and show writes late, and so one look
 * does not prove it.
 */
export type RemovalDecision = { readonly unconfirmed: boolean } & (
  | { readonly kind: 'unchanged' | 'keptLive' }
  | { readonly kind: 'removed'; readonly removal: Removal; readonly hasChangedSince: boolean }
  | { readonly kind: 'failed'; readonly code: RecordFailure['code'] }
  | { readonly kind: 'remove'; readonly writes: readonly Write[] }
);

export interface RemovalRules {
  /** What the pass before made of the record; absent in the first. */
  readonly before: Removal | 'unchanged' | 'keptLive' | undefined;
  /** The restore has seen what it left of the record. */
  readonly isKnown: boolean;
  /** What the restore wrote may not show yet. */
  readonly isTooEarly: boolean;
  /** Look only. */
  readonly isLastPass: boolean;
}

/**
 * What was not seen is gone when two looks agree, or the hub has answered so. What still shows, and is the same, is
 * removed again; what differs is its device registering again.
 */
export function decideRemoval(plan: RemovalPlan, rules: RemovalRules): RemovalDecision {
  const { before, isKnown, isLastPass } = rules;
  switch (plan.kind) {
    case 'gone':
      return decideGone(rules);
    case 'changed':
      if (before !== undefined && before !== 'unchanged' && before !== 'keptLive')
        return { kind: 'removed', removal: before, hasChangedSince: true, unconfirmed: false };
      return { kind: 'keptLive', unconfirmed: !isKnown && before !== 'keptLive' };
    case 'remove':
      if (isLastPass) return { kind: 'failed', code: 'NotApplied', unconfirmed: false };
      return { kind: 'remove', writes: plan.writes, unconfirmed: false };
    default:
      return plan satisfies never;
  }
}

function decideGone({ before, isTooEarly }: RemovalRules): RemovalDecision {
  switch (before) {
    case undefined:
      return { kind: 'unchanged', unconfirmed: true };
    case 'unchanged':
      return { kind: 'unchanged', unconfirmed: isTooEarly };
    case 'keptLive':
      return { kind: 'keptLive', unconfirmed: false };
    case 'begun':
    case 'asked':
      return { kind: 'removed', removal: 'unseen', hasChangedSince: false, unconfirmed: true };
    case 'answered':
    case 'unseen':
      return { kind: 'removed', removal: before, hasChangedSince: false, unconfirmed: isTooEarly };
    default:
      return before satisfies never;
  }
}
