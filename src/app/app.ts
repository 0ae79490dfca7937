import { DrError } from '../core/errors.ts';
import type { Blobs, Clock, Hub, HubRef, Log, Notifier, StepQueue } from '../core/ports.ts';
import type { Tier } from '../core/readiness/tiers.ts';
import type { RetentionPolicy } from '../core/snapshot/retention.ts';

/** What the use cases work with: ports, and the settings that shape their decisions. */
export interface App {
  readonly blobs: Blobs;
  readonly queue: StepQueue;
  readonly clock: Clock;
  readonly log: Log;
  readonly primary: Hub;
  readonly secondary: Hub;
  /** The scratch hub of drills, where the settings name one. */
  readonly drillHub: Hub | undefined;
  readonly notifier: Notifier;
  /** Six random hexadecimal digits. */
  readonly newSuffix: () => string;
  readonly policy: Policy;
}

export interface Policy {
  readonly toolVersion: string;
  /** Work time of one step; it may be overrun by one request. */
  readonly stepBudgetMs: number;
  readonly maxConcurrency: number;
  readonly backupIntervalMs: number;
  /** How often the watchdog is due. */
  readonly watchIntervalMs: number;
  readonly retention: RetentionPolicy;
  readonly suspectDropPercent: number;
  readonly expiryFloorDays: number;
  readonly settleSeconds: number;
  readonly maxFailures: number;
  /** The device limit of the secondary's tier where the settings say so. */
  readonly secondaryTier: Tier | undefined;
}

/** The configured hub a run is about. Throws `WrongTarget` when the settings have changed since the run started. */
export function hubOf(app: App, ref: HubRef): Hub {
  const hubs = [app.primary, app.secondary, ...(app.drillHub === undefined ? [] : [app.drillHub])];
  const hub = hubs.find((candidate) => isSameHub(candidate.ref, ref));
  if (hub !== undefined) return hub;
  throw new DrError(
    'WrongTarget',
    `The run was started for hub ${ref.namespace}/${ref.hub}, which the settings no longer name. Start a new run.`,
    { target: `${ref.namespace}/${ref.hub}` },
  );
}

export function isSameHub(a: HubRef, b: HubRef): boolean {
  return a.namespace === b.namespace && a.hub === b.hub;
}

/** An instant as stored documents hold it. */
export function toInstant(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
