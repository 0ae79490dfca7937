import { expect, test } from 'vitest';
import type { Decision } from '../../src/core/restore/decide.ts';
import { decideRemoval } from '../../src/core/restore/decide-removal.ts';
import type { Write } from '../../src/core/restore/plan.ts';
import type { RemovalPlan } from '../../src/core/restore/plan-removal.ts';

const writes: readonly Write[] = [{ kind: 'removal', id: 'device-1' }];
const settled = (outcome: Extract<Decision, { kind: 'settled' }>['outcome'], hasChangedSince = false): Decision => ({
  kind: 'settled',
  outcome,
  hasChangedSince,
});
const remove: Decision = { kind: 'write', outcome: 'removed', writes };

const removals = {
  gone: { kind: 'gone' },
  changed: { kind: 'changed' },
  remove: { kind: 'remove', writes },
} as const satisfies Record<RemovalPlan['kind'], RemovalPlan>;

test.each<[keyof typeof removals, boolean, boolean, Decision]>([
  ['gone', false, false, settled('unchanged')],
  ['changed', false, false, settled('keptLive')],
  ['remove', false, false, remove],
  ['remove', false, true, remove],
  // A record the rollback removed is gone, was registered again by its device, or still shows.
  ['gone', true, false, settled('removed')],
  ['changed', true, false, settled('removed', true)],
  ['remove', true, false, remove],
  ['remove', true, true, { kind: 'failed', code: 'NotApplied' }],
])('plan %s, removed before: %s, last pass: %s', (kind, wasRemoved, isLastPass, decision) => {
  expect(decideRemoval(removals[kind], wasRemoved, isLastPass)).toEqual(decision);
});
