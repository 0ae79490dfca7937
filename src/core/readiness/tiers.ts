import type { HubProbe } from '../ports.ts';

/** Active devices a namespace may hold (learn.microsoft.com, Notification Hubs pricing and FAQ, read 2026-11). */
export const deviceLimits = { Free: 500, Basic: 200_000, Standard: 10_000_000 } as const;

export const tiers = ['Free', 'Basic', 'Standard'] as const satisfies readonly Tier[];

export type Tier = keyof typeof deviceLimits;

/** How a hub answered when it was last asked. */
export interface ProbedHub {
  /** False when it did not answer in time. */
  readonly reachable: boolean;
  /** `null` when that could not be found out. */
  readonly rights: boolean | null;
  readonly checkedAt: string;
  readonly latencyMs: number;
  readonly fault?: ProbeFault;
  /** Since when it has not answered, as far as that was noticed. */
  readonly silentSince?: string | undefined;
  /** What it takes; absent where it has not throttled of late. */
  readonly requestsPerSecond?: number | undefined;
}

export interface ProbeFault {
  readonly code: string;
  readonly message: string;
  /** Of a hub that does not answer, in plain words. */
  readonly cause?: string;
}

export interface ProbedTarget extends ProbedHub {
  readonly tier: Tier | HubProbe['tier'];
  readonly deviceLimit: number | null;
}

/** What one look at a hub showed. */
export interface HubLook {
  readonly hub: ProbedHub;
  readonly tier: HubProbe['tier'];
  /** When it was asked for; absent after a look that failed, so that the next one asks for everything. */
  readonly tierAtMs?: number | undefined;
}

/** The hub in use, and the standby as the target of a restore. */
export interface ProbedHubs {
  readonly source: ProbedHub;
  readonly target: ProbedTarget;
}
