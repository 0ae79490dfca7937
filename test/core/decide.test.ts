import { expect, test } from 'vitest';
import { decide, type PassDecision, type PassRules, type RecordPlan } from '../../src/core/restore/plan/later-pass.ts';
import type { Write } from '../../src/core/restore/plan/write.ts';

const writes: readonly Write[] = [{ kind: 'registration', id: '1-1-1', xml: '<a/>' }];
const later: PassRules = { isLastPass: false };
const last: PassRules = { isLastPass: true };

const plans = {
  unchanged: { kind: 'unchanged' },
  keptLive: { kind: 'keptLive' },
  impossible: { kind: 'impossible', fault: 'UnknownPlatform' },
  repair: { kind: 'repair', writes },
  takeBack: { kind: 'takeBack', writes },
} as const satisfies Record<RecordPlan['kind'], RecordPlan>;

const settled = (
  outcome: Extract<PassDecision, { kind: 'settled' }>['outcome'],
  hasChangedSince = false,
): PassDecision => ({
  kind: 'settled',
  outcome,
  hasChangedSince,
});
const failed = (code: Extract<PassDecision, { kind: 'failed' }>['code']): PassDecision => ({ kind: 'failed', code });
const write = (outcome: Extract<PassDecision, { kind: 'write' }>['outcome']): PassDecision => ({
  kind: 'write',
  outcome,
  writes,
});

test.each<[keyof typeof plans, 'created' | 'updated', PassRules, PassDecision]>([
  // A record the run wrote keeps its outcome: in place, or changed by its device since.
  ['unchanged', 'created', later, settled('created')],
  ['unchanged', 'updated', last, settled('updated')],
  ['keptLive', 'created', later, settled('created', true)],
  ['keptLive', 'updated', last, settled('updated', true)],
  // One that is missing is written again as what it was, and has failed when the last pass misses it.
  ['repair', 'created', later, write('created')],
  ['repair', 'updated', later, write('updated')],
  ['repair', 'created', last, failed('NotApplied')],
  ['repair', 'updated', last, failed('NotApplied')],
  ['impossible', 'created', later, failed('UnknownPlatform')],
  // What it created is taken back where its device registered meanwhile.
  ['takeBack', 'created', later, { kind: 'takeBack', writes }],
  ['takeBack', 'created', last, failed('NotApplied')],
])('a restore: plan %s, before %s, rules %o', (kind, earlier, rules, decision) => {
  expect(decide(plans[kind], earlier, rules)).toEqual(decision);
});
