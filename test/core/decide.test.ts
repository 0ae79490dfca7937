import { expect, test } from 'vitest';
import { decide, type PassDecision, type PassRules } from '../../src/core/restore/plan/later-pass.ts';
import type { RecordPlan, Write } from '../../src/core/restore/plan/plan.ts';

const writes: readonly Write[] = [{ kind: 'registration', id: '1-1-1', xml: '<a/>' }];
const first: PassRules = { isDryRun: false, isLastPass: false };
const dryRun: PassRules = { isDryRun: true, isLastPass: false };
const last: PassRules = { isDryRun: false, isLastPass: true };

const plans = {
  unchanged: { kind: 'unchanged', collapsed: 0 },
  keptLive: { kind: 'keptLive', collapsed: 0 },
  impossible: { kind: 'impossible', fault: 'UnknownPlatform', collapsed: 0 },
  create: { kind: 'create', writes, collapsed: 0 },
  complete: { kind: 'complete', writes, collapsed: 0 },
  deduplicate: { kind: 'deduplicate', writes, collapsed: 0 },
  takeBack: { kind: 'takeBack', writes, collapsed: 0 },
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

test.each<[keyof typeof plans, 'created' | 'updated' | undefined, PassRules, PassDecision]>([
  // In the first pass the plan decides.
  ['unchanged', undefined, first, settled('unchanged')],
  ['keptLive', undefined, first, settled('keptLive')],
  ['impossible', undefined, first, failed('UnknownPlatform')],
  ['create', undefined, first, write('created')],
  ['complete', undefined, first, write('updated')],
  ['deduplicate', undefined, first, write('updated')],
  // A dry run counts what it would write.
  ['create', undefined, dryRun, settled('created')],
  ['complete', undefined, dryRun, settled('updated')],
  ['deduplicate', undefined, dryRun, settled('updated')],
  ['unchanged', undefined, dryRun, settled('unchanged')],
  ['keptLive', undefined, dryRun, settled('keptLive')],
  ['impossible', undefined, dryRun, failed('UnknownPlatform')],
  // A record the run wrote keeps its outcome: in place, or changed by its device since.
  ['unchanged', 'created', first, settled('created')],
  ['unchanged', 'updated', last, settled('updated')],
  ['keptLive', 'created', first, settled('created', true)],
  ['keptLive', 'updated', last, settled('updated', true)],
  // One that is missing is written again as what it was, and has failed when the last pass misses it.
  ['create', 'created', first, write('created')],
  ['create', 'updated', first, write('updated')],
  ['complete', 'created', first, write('created')],
  ['deduplicate', 'created', first, write('created')],
  ['create', 'created', last, failed('NotApplied')],
  ['complete', 'updated', last, failed('NotApplied')],
  ['deduplicate', 'created', last, failed('NotApplied')],
  ['impossible', 'created', first, failed('UnknownPlatform')],
  // What it created is taken back where its device registered meanwhile.
  ['takeBack', 'created', first, { kind: 'takeBack', writes }],
  ['takeBack', 'created', last, failed('NotApplied')],
])('a restore: plan %s, before %s, rules %o', (kind, earlier, rules, decision) => {
  expect(decide(plans[kind], earlier, rules)).toEqual(decision);
});
