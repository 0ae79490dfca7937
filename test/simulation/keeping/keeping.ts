import type { RetentionPolicy } from '../../../src/core/snapshot/retention.ts';
import type { Knobs } from '../knobs.ts';
import { randomOf } from '../random.ts';

/** What is done about snapshots beside the runs. */
export interface Keeping {
  readonly retention: RetentionPolicy;
  readonly pruneEveryMs: number;
  /** Between two deeds of one of the people. */
  readonly mostRestMs: number;
  readonly people: number;
  /** Storage gives other bytes than it was given. */
  readonly hasDamage: boolean;
}

/** Of the seeds. */
const SEEDS = 0.1;
const MINUTE_MS = 60_000;

/** Its draws are its own. */
export function drawKeeping(seed: number): Keeping | undefined {
  const random = randomOf(seed, 'vault');
  if (!random.chance(SEEDS)) return undefined;
  return {
    retention: { hourly: random.pick([0, 1, 2]), daily: random.pick([0, 1]), weekly: 0, monthly: 0 },
    pruneEveryMs: random.pick([2, 5, 20]) * MINUTE_MS,
    mostRestMs: random.pick([1, 5, 20]) * MINUTE_MS,
    people: random.pick([1, 2, 2]),
    hasDamage: random.chance(0.6),
  };
}

/** Snapshots go soon. */
export function inKeeping(knobs: Knobs, keeping: Keeping | undefined): Knobs {
  if (keeping === undefined) return knobs;
  return { ...knobs, policy: { ...knobs.policy, retention: keeping.retention } };
}
