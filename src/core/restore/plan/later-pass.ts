import type { Outcome, RecordFailure, WrittenOutcome } from './outcomes.ts';
import type { RecordPlan, Write } from './plan.ts';

/** What a pass makes of one record's plan. */
export type PassDecision =
  | { readonly kind: 'settled'; readonly outcome: Outcome; readonly hasChangedSince: boolean }
  | { readonly kind: 'failed'; readonly code: RecordFailure['code'] }
  | { readonly kind: 'write'; readonly outcome: WrittenOutcome; readonly writes: readonly Write[] }
  /** What the run created is taken back, and the record left to its device. */
  | { readonly kind: 'takeBack'; readonly writes: readonly Write[] };

export interface PassRules {
  /** Count what would be written, and write nothing. */
  readonly isDryRun: boolean;
  /** Look only: what is still missing has failed. */
  readonly isLastPass: boolean;
}

const outcomeOfWriting = { create: 'created', complete: 'updated', deduplicate: 'updated' } as const;

/**
 * `earlier` is what the pass before made of the record, absent in the first pass. Later passes only look after records
 * this run wrote: one that differs now was changed by its device since, a missing one is written again.
 */
export function decide(
  plan: RecordPlan,
  earlier: WrittenOutcome | undefined,
  { isDryRun, isLastPass }: PassRules,
): PassDecision {
  switch (plan.kind) {
    case 'unchanged':
      return { kind: 'settled', outcome: earlier ?? 'unchanged', hasChangedSince: false };
    case 'keptLive':
      return { kind: 'settled', outcome: earlier ?? 'keptLive', hasChangedSince: earlier !== undefined };
    case 'impossible':
      return { kind: 'failed', code: plan.fault };
    case 'takeBack':
      return isLastPass ? { kind: 'failed', code: 'NotApplied' } : { kind: 'takeBack', writes: plan.writes };
    case 'create':
    case 'complete':
    case 'deduplicate': {
      const outcome = earlier ?? outcomeOfWriting[plan.kind];
      if (earlier === undefined && isDryRun) return { kind: 'settled', outcome, hasChangedSince: false };
      if (earlier !== undefined && isLastPass) return { kind: 'failed', code: 'NotApplied' };
      return { kind: 'write', outcome, writes: plan.writes };
    }
    default:
      return plan satisfies never;
  }
}
