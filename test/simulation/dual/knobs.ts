import { drawKnobs, type HubKnobs, type Knobs } from '../knobs.ts';
import { drawNight, type Night } from '../night.ts';
import { type Random, randomOf } from '../random.ts';

/** What a seed draws for backends that write to two hubs. */
export interface DualKnobs {
  readonly knobs: Knobs;
  /** Of the hubs' doors, and how wrong clocks are. */
  readonly night: Night;
  readonly backendCount: number;
  readonly deviceCount: number;
  readonly roundCount: number;
  /** Between two deeds of a device at most. */
  readonly mostPauseMs: number;
  /** Of the rounds: two processes write the same device at once. */
  readonly together: number;
  /** Processes that are killed each minute, beside those that die at a call. */
  readonly killsPerMinute: number;
  /** The standby is away from the beginning until all is written; hubs come and go; nothing of the kind. */
  readonly outages: 'standby' | 'now and then' | 'none';
  readonly failovers: number;
  /** Of the writes to a hub: an attempt that got no answer is repeated, and lands later. */
  readonly strays: number;
  /** No backend lives on to bring to its end what it left: the app does it all. */
  readonly backendsLeave: boolean;
}

/** What the library asks of the world: a call has landed so long after it was made. */
export const LONGEST_CALL_MS = 25_000;
const LONGEST_STORAGE_MS = 8_000;
/** A call may take half as long again. */
const LONG_TRIP = 1.5;

export function drawDual(seed: number): DualKnobs {
  const random = randomOf(seed, 'dual');
  const night = { ...drawNight(seed), outages: 0 };
  const isCalm = random.chance(0.15);
  return {
    knobs: adapt(drawKnobs(seed), random, isCalm),
    night,
    backendCount: random.between(1, 4),
    deviceCount: random.between(2, 6),
    roundCount: random.between(3, 8),
    mostPauseMs: random.pick([500, 20_000, 90_000]),
    together: random.pick([0, 0.2, 0.5]),
    killsPerMinute: isCalm ? 0 : random.pick([0, 0.1, 0.5]),
    outages: isCalm ? 'none' : random.pick(['standby', 'now and then', 'now and then', 'none']),
    failovers: random.pick([0, 0, 1, 3]),
    strays: isCalm ? 0 : random.pick([0, 0.02, 0.2]),
    backendsLeave: random.chance(0.5),
  };
}

function adapt(knobs: Knobs, random: Random, isCalm: boolean): Knobs {
  const rate = (share: number, most: number): number =>
    !isCalm && random.chance(share) ? most * random.pick([0.1, 0.3, 1]) : 0;
  const [primary, secondary] = [adaptHub(knobs.primary, random), adaptHub(knobs.secondary, random)];
  const hubMs = Math.max(...[primary, secondary].flatMap(({ writeMs, listMs }) => [writeMs, listMs]));
  const mostSlow = Math.min(LONGEST_CALL_MS / hubMs, LONGEST_STORAGE_MS / knobs.storageMs) / LONG_TRIP;
  return {
    ...knobs,
    primary,
    secondary,
    slowShare: rate(0.6, 0.2),
    slowness: Math.max(1, Math.min(mostSlow, knobs.slowness)),
    storageFaults: rate(0.4, 0.05),
    hubFaults: rate(0.5, 0.3),
    deaths: rate(0.5, 0.05),
    pauses: rate(0.3, 0.02),
    lostMessages: rate(0.3, 0.5),
    doubledMessages: rate(0.4, 0.3),
    lateMessages: rate(0.4, 0.3),
    policy: { ...knobs.policy, stepBudgetMs: random.pick([240_000, 20_000]) },
  };
}

/** What a hub that does not keep what it is given, or its order, does to a device, no client can set right. */
function adaptHub(hub: HubKnobs, random: Random): HubKnobs {
  return {
    ...hub,
    reorders: false,
    dropsTags: false,
    refusesForeignIds: random.chance(0.3),
    timeToLiveMs: undefined,
    writeMs: Math.min(hub.writeMs, 3000),
  };
}
