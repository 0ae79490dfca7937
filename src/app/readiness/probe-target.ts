import { DrError } from '../../core/errors.ts';
import { deviceLimits, type ProbedTarget } from '../../core/readiness/tiers.ts';
import { type App, toInstant } from '../app.ts';

/** A status call waits for this. */
const PATIENCE_MS = 3_000;
/** Monitors ask often, and each probe costs the hub three requests. */
const FRESH_MS = 60_000;

/**
 * Whether a restore into the secondary could begin: reachable, rights, tier. Never throws what the hub answered. All
 * who ask within a minute share one answer.
 */
export function probeTarget(app: App): Promise<ProbedTarget> {
  const atMs = app.world.now();
  const known = app.memory.probes.get(app.secondary);
  if (known !== undefined && atMs - known.atMs < FRESH_MS) return known.answer;
  const answer = probe(app, atMs);
  app.memory.probes.set(app.secondary, { atMs, answer });
  return answer;
}

async function probe(app: App, atMs: number): Promise<ProbedTarget> {
  const configured = app.policy.secondaryTier;
  const answer = (found: ProbedTarget['tier']) => {
    const tier = configured ?? found;
    return { tier, deviceLimit: limitOf(tier), checkedAt: toInstant(atMs) };
  };
  try {
    const { tier, latencyMs } = await app.secondary.probe({ deadlineAt: atMs + PATIENCE_MS });
    return { reachable: true, rights: true, ...answer(tier), latencyMs };
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    const { code, message } = error;
    return {
      reachable: code !== 'HubUnavailable',
      rights: code === 'HubUnauthorized' || code === 'HubForbidden' ? false : null,
      ...answer('unknown'),
      latencyMs: app.world.now() - atMs,
      fault: { code, message },
    };
  }
}

/** Basic where it may be Free, too: a restore judges it alike. */
function limitOf(tier: ProbedTarget['tier']): number | null {
  if (tier === 'unknown') return null;
  return deviceLimits[tier === 'BasicOrFree' ? 'Basic' : tier];
}
