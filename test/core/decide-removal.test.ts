import { expect, test } from 'vitest';
import { decideRemoval, type RemovalDecision, type RemovalRules } from '../../src/core/restore/plan/decide-removal.ts';
import type { RemovalPlan } from '../../src/core/restore/plan/removal.ts';
import type { Write } from '../../src/core/restore/plan/write.ts';

const writes: readonly Write[] = [{ kind: 'installationDeletion', id: 'device-1' }];
const plans = {
  gone: { kind: 'gone' },
  changed: { kind: 'changed' },
  remove: { kind: 'remove', writes },
} as const satisfies Record<RemovalPlan['kind'], RemovalPlan>;

const unchanged = (unconfirmed: boolean): RemovalDecision => ({ kind: 'unchanged', unconfirmed });
const keptLive = (unconfirmed: boolean): RemovalDecision => ({ kind: 'keptLive', unconfirmed });
const removed = (removal: 'begun' | 'answered' | 'asked' | 'unseen', hasChangedSince = false, unconfirmed = false) =>
  ({ kind: 'removed', removal, hasChangedSince, unconfirmed }) as const;
const remove: RemovalDecision = { kind: 'remove', writes, unconfirmed: false };
const failed: RemovalDecision = { kind: 'failed', code: 'NotApplied', unconfirmed: false };

const seen = { isKnown: true };
const early = { isTooEarly: true };
const last = { isLastPass: true };

test.each<[keyof typeof plans, RemovalRules['before'], Partial<RemovalRules>, RemovalDecision]>([
  // One look does not prove that a record is gone, two do.
  ['gone', undefined, {}, unchanged(true)],
  ['gone', 'unchanged', {}, unchanged(false)],
  ['gone', 'asked', {}, removed('unseen', false, true)],
  ['gone', 'begun', {}, removed('unseen', false, true)],
  ['gone', 'unseen', {}, removed('unseen')],
  ['gone', 'asked', last, removed('unseen', false, true)],
  // The hub has said so, and then it does not show.
  ['gone', 'answered', {}, removed('answered')],
  // Nor do two while the restore's writes are on their way.
  ['gone', 'unchanged', early, unchanged(true)],
  ['gone', 'unseen', early, removed('unseen', false, true)],
  ['gone', 'keptLive', {}, keptLive(false)],
  // What the restore saw, it knows again at once; else two looks have to agree.
  ['changed', undefined, seen, keptLive(false)],
  ['changed', undefined, {}, keptLive(true)],
  ['changed', 'keptLive', {}, keptLive(false)],
  ['changed', 'unchanged', seen, keptLive(false)],
  // Its device registered again.
  ['changed', 'asked', seen, removed('asked', true)],
  ['changed', 'answered', {}, removed('answered', true)],
  ['changed', 'unseen', {}, removed('unseen', true)],
  // What shows is removed, whatever was made of it before.
  ['remove', undefined, {}, remove],
  ['remove', 'unchanged', {}, remove],
  ['remove', 'keptLive', {}, remove],
  ['remove', 'asked', {}, remove],
  ['remove', 'unseen', {}, remove],
  ['remove', 'asked', last, failed],
  ['remove', 'unchanged', last, failed],
])('plan %s, before: %s, %o', (kind, before, rules, decision) => {
  const none = { isKnown: false, isTooEarly: false, isLastPass: false };
  expect(decideRemoval(plans[kind], { before, ...none, ...rules })).toEqual(decision);
});
