import { DrError } from '../../core/errors.ts';
import { fullNameOf } from '../../core/paths.ts';
import type { Hub } from '../../core/ports.ts';
import type { ReadinessCard } from '../../core/readiness/card.ts';
import type { HubMetadata } from '../../core/readiness/metadata.ts';
import { deviceLimits, type HubLook, type ProbedHub, type ProbedHubs } from '../../core/readiness/tiers.ts';
import { causeInWords } from '../../core/run/causes.ts';
import { type App, hasAnsweredSince, toInstant } from '../app.ts';
import type { Roles } from '../runs/roles.ts';
import { findMetadata } from './metadata.ts';

/** A status call waits for this. */
const PATIENCE_MS = 3_000;
/** Monitors ask often: all who ask within this time share one answer. */
const FRESH_MS = 10_000;
/** A hub that has just answered a run is there: a probe would wait behind that run's calls, and cost it some. */
const JUST_MS = 5_000;
/** A tier changes seldom, and asking for it and for the right to write costs two more requests. */
const TIER_FRESH_MS = 60_000;

/** The hubs as they answer, and as Resource Manager describes them. */
export interface JudgedHubs extends ProbedHubs {
  readonly metadata: { readonly source: HubMetadata | undefined; readonly target: HubMetadata | undefined };
}

/**
 * Whether a backup and a restore could begin: reachable, rights, the target's tier. Never throws what a hub answered.
 */
export async function probeHubs(app: App, { active, standby }: Roles): Promise<JudgedHubs> {
  const [source, target, sourceMetadata, targetMetadata] = await Promise.all([
    look(app, active, { asksTier: false }),
    look(app, standby, { asksTier: true }),
    findMetadata(app, active),
    findMetadata(app, standby),
  ]);
  const { primaryTier, secondaryTier } = app.policy;
  const set = standby === app.primary ? primaryTier : secondaryTier;
  const tier = set ?? targetMetadata?.tier ?? target.tier;
  const probed = { ...target.hub, tier, deviceLimit: limitOf(tier) };
  return { source: source.hub, target: probed, metadata: { source: sourceMetadata, target: targetMetadata } };
}

/** With what another process has noticed before this one, by the card. */
export function withNoticed(
  app: App,
  { active }: Roles,
  { source, target, metadata }: JudgedHubs,
  noticed: ReadinessCard['silentSince'] = {},
): JudgedHubs {
  const { primary, secondary } = noticed;
  const [ofActive, ofStandby] = active === app.primary ? [primary, secondary] : [secondary, primary];
  return {
    source: { ...source, silentSince: earlier(source.silentSince, ofActive) },
    target: { ...target, silentSince: earlier(target.silentSince, ofStandby) },
    metadata,
  };
}

/** For the card, by the names in the settings: roles change. */
export function silenceOf(app: App, { active }: Roles, { source, target }: ProbedHubs): ReadinessCard['silentSince'] {
  const [primary, secondary] = active === app.primary ? [source, target] : [target, source];
  return { primary: primary.silentSince, secondary: secondary.silentSince };
}

function earlier(since: string | undefined, noticedAt: string | undefined): string | undefined {
  return since !== undefined && noticedAt !== undefined && noticedAt < since ? noticedAt : since;
}

interface Depth {
  readonly asksTier: boolean;
}

function look(app: App, hub: Hub, depth: Depth): Promise<HubLook> {
  const atMs = app.world.now();
  const known = app.memory.probes.get(hub);
  if (known !== undefined && atMs - known.atMs < FRESH_MS) return known.answer;
  const answer = lookAgain(app, hub, depth, known?.answer);
  app.memory.probes.set(hub, { atMs, answer });
  return answer;
}

async function lookAgain(
  { world }: App,
  hub: Hub,
  { asksTier }: Depth,
  before: Promise<HubLook> | undefined,
): Promise<HubLook> {
  const atMs = world.now();
  const known = await before;
  const isTierKnown = known?.tierAtMs !== undefined && atMs - known.tierAtMs < TIER_FRESH_MS;
  const isBrief = !asksTier || isTierKnown;
  const checkedAt = toInstant(world.storageNow());
  const { lastAnswerAt = Number.NEGATIVE_INFINITY, requestsPerSecond } = hub.pace();
  const isEnough = known !== undefined && known.hub.fault === undefined && (!asksTier || known.tierAtMs !== undefined);
  if (isEnough && atMs - lastAnswerAt < JUST_MS) {
    return { ...known, hub: { ...known.hub, checkedAt, requestsPerSecond } };
  }
  try {
    const { tier, latencyMs } = await hub.probe({ deadlineAt: atMs + PATIENCE_MS, isBrief });
    const { requestsPerSecond } = hub.pace();
    const seen = { reachable: true, rights: true, checkedAt, latencyMs, requestsPerSecond };
    return { hub: seen, tier: isBrief ? (known?.tier ?? 'unknown') : tier, tierAtMs: isBrief ? known?.tierAtMs : atMs };
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    const seen = {
      checkedAt,
      latencyMs: world.now() - atMs,
      ...faultOf(hub, error, { atMs, checkedAt, known: known?.hub, nowMs: world.storageNow() }),
    };
    return { hub: seen, tier: known?.tier ?? 'unknown' };
  }
}

interface Asked {
  readonly atMs: number;
  readonly checkedAt: string;
  /** By the storage's clock. */
  readonly nowMs: number;
  /** The look before. */
  readonly known: ProbedHub | undefined;
}

function faultOf(
  hub: Hub,
  { code, message, seen, retryAfterMs }: DrError,
  { atMs, checkedAt, nowMs, known }: Asked,
): Omit<ProbedHub, 'checkedAt' | 'latencyMs'> {
  if (code !== 'HubUnavailable') {
    const isRefused = code === 'HubUnauthorized' || code === 'HubForbidden';
    return { reachable: true, rights: isRefused ? false : null, fault: { code, message } };
  }
  const there = { reachable: true, rights: known?.rights ?? null, requestsPerSecond: hub.pace().requestsPerSecond };
  if (seen === 'throttled' && retryAfterMs !== undefined) {
    const cause = `throttled until ${toInstant(nowMs + retryAfterMs)}`;
    return {
      ...there,
      fault: { code, message: `Hub ${fullNameOf(hub.ref)} wants to be left alone: ${cause}.`, cause },
    };
  }
  // It throttles, or is kept busy by a run: it is there.
  if (hasAnsweredSince(hub, atMs)) return there;
  const fault = { code, message, cause: causeInWords(seen) };
  return { reachable: false, rights: null, fault, silentSince: known?.silentSince ?? checkedAt };
}

/** Basic where it may be Free, too: a restore judges it alike. */
function limitOf(tier: ProbedHubs['target']['tier']): number | null {
  if (tier === 'unknown') return null;
  return deviceLimits[tier === 'BasicOrFree' ? 'Basic' : tier];
}
