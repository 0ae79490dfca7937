import type { HubProbe } from '../ports.ts';

/** Active devices a namespace may hold (learn.microsoft.com, Notification Hubs pricing and FAQ, read 2026-11). */
export const deviceLimits = { Free: 500, Basic: 200_000, Standard: 10_000_000 } as const;

export const tiers = ['Free', 'Basic', 'Standard'] as const satisfies readonly Tier[];

export type Tier = keyof typeof deviceLimits;

/** How the target answered when it was last asked. */
export interface ProbedTarget {
  /** False when the hub did not answer in time. */
  readonly reachable: boolean;
  /** `null` when that could not be found out. */
  readonly rights: boolean | null;
  readonly tier: Tier | HubProbe['tier'];
  readonly deviceLimit: number | null;
  readonly checkedAt: string;
  readonly latencyMs: number;
  readonly fault?: { readonly code: string; readonly message: string };
}
