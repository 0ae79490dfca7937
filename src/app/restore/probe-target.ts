import { DrError } from '../../core/errors.ts';
import type { Hub, HubProbe } from '../../core/ports.ts';
import { deviceLimits, type Tier } from '../../core/readiness/tiers.ts';
import { type App, toInstant } from '../app.ts';

/** Whoever asks for the status waits for this. */
const PATIENCE_MS = 3_000;
/** Monitors ask often, and each probe costs the hub three requests. */
const FRESH_MS = 60_000;

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

/** One answer a hub and process, shared by all who ask within a minute. */
const recent = new WeakMap<Hub, { readonly atMs: number; readonly answer: Promise<ProbedTarget> }>();

/** Whether a restore into the secondary could begin: reachable, rights, tier. Never throws what the hub answered. */
export function probeTarget(app: App): Promise<ProbedTarget> {
  const atMs = app.clock.now();
  const known = recent.get(app.secondary);
  if (known !== undefined && atMs - known.atMs < FRESH_MS) return known.answer;
  const answer = probe(app, atMs);
  recent.set(app.secondary, { atMs, answer });
  return answer;
}

async function probe(app: App, atMs: number): Promise<ProbedTarget> {
  const told = app.policy.secondaryTier;
  try {
    const probed = await app.secondary.probe({ deadlineAt: atMs + PATIENCE_MS });
    const tier = told ?? probed.tier;
    return {
      reachable: true,
      rights: true,
      tier,
      deviceLimit: limitOf(tier),
      checkedAt: toInstant(atMs),
      latencyMs: probed.latencyMs,
    };
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    const isRefused = error.code === 'HubUnauthorized' || error.code === 'HubForbidden';
    return {
      reachable: error.code !== 'HubUnavailable',
      rights: isRefused ? false : null,
      tier: told ?? 'unknown',
      deviceLimit: limitOf(told ?? 'unknown'),
      checkedAt: toInstant(atMs),
      latencyMs: app.clock.now() - atMs,
      fault: { code: error.code, message: error.message },
    };
  }
}

/** Basic where it may be Free, too: a restore judges it alike. */
function limitOf(tier: ProbedTarget['tier']): number | null {
  if (tier === 'unknown') return null;
  return deviceLimits[tier === 'BasicOrFree' ? 'Basic' : tier];
}
