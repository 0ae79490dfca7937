import type { ReadinessCard } from '../../core/readiness/card.ts';
import { findRisks } from '../../core/readiness/readiness.ts';
import type { ProbedTarget } from '../../core/readiness/tiers.ts';
import type { App } from '../app.ts';

/**
 * Would a failover now go well? Judged for this instant, from what was gathered before and the target as it answers.
 */
export function judgeReadiness(app: App, card: ReadinessCard, target: ProbedTarget) {
  const { backupIntervalMs, watchIntervalMs } = app.policy;
  const facts = { card, target, nowMs: app.world.now(), backupIntervalMs, watchIntervalMs };
  return { facts, findings: findRisks(facts) };
}
