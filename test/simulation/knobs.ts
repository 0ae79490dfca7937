import type { Policy } from '../../src/app/app.ts';
import { type Random, randomOf } from './random.ts';

/** In which order a hub lists its rows. */
export const listOrders = ['platformAndId', 'insertion', 'newestFirst', 'idText', 'shuffled'] as const;
export type ListOrder = (typeof listOrders)[number];

/** How one hub behaves: the worst that the evidence allows. */
export interface HubKnobs {
  readonly pageSize: number;
  readonly order: ListOrder;
  /** Of a page with a token: fewer rows than asked for. */
  readonly shortPages: number;
  /** Of a page: none of the rows it could have, and a token. */
  readonly emptyPages: number;
  /** After the last row: one more token, which leads to an empty page. */
  readonly hasLastToken: boolean;
  /** An installation write takes effect between these milliseconds after it was accepted. */
  readonly installationDelayMs: readonly [least: number, most: number];
  /** Whether a later write to one installation may take effect before an earlier one. */
  readonly reorders: boolean;
  readonly noOpPutTrap: boolean;
  readonly unchangedRaisesEtag: boolean;
  readonly unchangedInstallationRaisesEtag: boolean;
  /** Of each write; absent where rows never expire by themselves. */
  readonly timeToLiveMs: number | undefined;
  readonly refusesForeignIds: boolean;
  /** Stores installations and registrations without their last tag. */
  readonly dropsTags: boolean;
  /** A template whose body changes gets a row of its own; the old one goes some seconds later. */
  readonly replacesTemplates: boolean;
  readonly listMs: number;
  readonly writeMs: number;
}

export interface Knobs {
  readonly hostCount: number;
  readonly messagesPerHost: number;
  readonly deviceCount: number;
  readonly plainShare: number;
  /** Of the plain devices: with two registrations, or one registered twice. */
  readonly twinShare: number;
  /** Of the devices: they speak at the secondary before anybody sends them there. */
  readonly strayShare: number;
  /** Of the devices: with as many tags as there may be. */
  readonly fullShare: number;
  readonly primary: HubKnobs;
  readonly secondary: HubKnobs;
  readonly scratch: HubKnobs;
  readonly storageMs: number;
  /** Of the calls: this many times as long. */
  readonly slowShare: number;
  readonly slowness: number;
  /** Of the calls: the answer comes an instant of its own later than the effect. */
  readonly lateAnswers: number;
  readonly storageFaults: number;
  readonly hubFaults: number;
  /** Of the calls: the host dies at it. */
  readonly deaths: number;
  /** Of the calls: the host freezes at it, for minutes. */
  readonly pauses: number;
  readonly lostMessages: number;
  readonly doubledMessages: number;
  readonly lateMessages: number;
  /** Of the calls that list a hub: a device speaks at the same time. */
  readonly busyListing: number;
  /** Devices that speak each minute, whatever the app does. */
  readonly churnPerMinute: number;
  /** The service itself loses a row, each minute. */
  readonly lossesPerMinute: number;
  readonly hasScratchHub: boolean;
  /** The readiness card is kept up to date with each step: a tenth of all calls. */
  readonly notesOnCard: boolean;
  readonly policy: Policy;
}

/** Each seed has its own world: which faults there are, how often, and how large everything is. */
export function drawKnobs(seed: number): Knobs {
  const random = randomOf(seed, 'knobs');
  const isCalm = random.chance(0.25);
  const rate = (share: number, most: number): number =>
    !isCalm && random.chance(share) ? most * random.pick([0.1, 0.3, 1]) : 0;
  const storageMs = random.spread(1, 40);
  const [primary, secondary, scratch] = [drawHub(random), drawHub(random), drawHub(random)];
  const hubs = [primary, secondary, scratch];
  const shortestStepMs = Math.max(
    2000,
    WRITES_OF_A_RECORD * Math.max(...hubs.map(({ writeMs }) => writeMs)),
    READS_OF_A_STEP * storageMs + QUESTIONS_OF_A_RECORD * Math.max(...hubs.map(({ listMs }) => listMs)),
  );
  return {
    hostCount: random.between(1, 3),
    messagesPerHost: random.between(1, 3),
    deviceCount: random.chance(0.15) ? random.between(21, 40) : random.between(3, 14),
    plainShare: random.pick([0, 0.5, 0.5, 1]),
    twinShare: random.pick([0, 0, 0.2]),
    strayShare: random.pick([0, 0, 0, 0.3]),
    fullShare: random.pick([0, 0, 0, 0, 0.2]),
    primary,
    secondary,
    scratch,
    storageMs,
    slowShare: rate(0.5, 0.1),
    slowness: random.spread(5, 200),
    lateAnswers: random.pick([0.05, 0.3]),
    storageFaults: rate(0.35, 0.01),
    hubFaults: rate(0.4, 0.08),
    deaths: rate(0.4, 0.012),
    pauses: rate(0.2, 0.004),
    lostMessages: rate(0.25, 0.1),
    doubledMessages: rate(0.3, 0.2),
    lateMessages: rate(0.25, 0.1),
    busyListing: random.pick([0, 0.1, 0.5, 0.8]),
    churnPerMinute: random.pick([0, 0.2, 1, 4]),
    lossesPerMinute: rate(0.15, 0.3),
    hasScratchHub: random.chance(0.7),
    notesOnCard: random.chance(0.25),
    policy: { ...drawPolicy(random, shortestStepMs), ...drawParts(seed) },
  };
}

function drawHub(random: Random): HubKnobs {
  const hasDelay = random.chance(0.6);
  return {
    pageSize: random.pick([100, random.between(2, 5), random.between(2, 12)]),
    order: random.pick(listOrders),
    shortPages: random.pick([0, 0, 0.3]),
    emptyPages: random.pick([0, 0, 0.1]),
    hasLastToken: random.chance(0.2),
    installationDelayMs: hasDelay ? drawDelay(random) : [0, 0],
    reorders: hasDelay && random.chance(0.3),
    noOpPutTrap: random.chance(0.4),
    unchangedRaisesEtag: random.chance(0.7),
    unchangedInstallationRaisesEtag: random.chance(0.5),
    timeToLiveMs: random.chance(0.15) ? 90 * DAY_MS : undefined,
    refusesForeignIds: random.chance(0.12),
    dropsTags: random.chance(0.03),
    replacesTemplates: random.chance(0.25),
    listMs: random.spread(10, 400),
    writeMs: random.spread(10, random.chance(0.25) ? 8000 : 300),
  };
}

const DAY_MS = 86_400_000;

function drawDelay(random: Random): readonly [number, number] {
  return random.pick([
    [0, 2000],
    [0, 2000],
    [200, 8000],
    [32_000, 38_000],
    [100_000, 125_000],
  ]);
}

/** A call may take half as long again. Of a record all of its ids are asked for, and those minted for them. */
const READS_OF_A_STEP = 1.5 * 20;
const QUESTIONS_OF_A_RECORD = 1.5 * 8;
/** Its id is refused, another one minted, and that is written; the answers may be late. */
const WRITES_OF_A_RECORD = 2 * 3;

/** What lives in a target may be too much for a step, whatever it is. */
function drawParts(seed: number): Pick<Policy, 'tableBytesAtOnce'> {
  return randomOf(seed, 'parts').chance(0.25) ? { tableBytesAtOnce: 1 } : {};
}

function drawPolicy(random: Random, shortestStepMs: number): Policy {
  return {
    toolVersion: 'simulated',
    // Short ones end in the middle of a shard; none is too short for a single record.
    stepBudgetMs: Math.max(shortestStepMs, random.pick([240_000, 240_000, 20_000, shortestStepMs])),
    maxConcurrency: random.pick([8, 8, 3, 1]),
    backupIntervalMs: 3_600_000,
    watchIntervalMs: 60_000,
    retention: { hourly: 24, daily: 7, weekly: 5, monthly: 12 },
    suspectDropPercent: random.pick([20, 90, 90]),
    suspectAcceptAfter: 24,
    expiryFloorDays: 14,
    settleSeconds: random.pick([10, 10, 1, 30]),
    maxFailurePercent: 90,
    maxDeletePercent: 10,
    standbySync: 'off',
    standbyDriftPercent: 2,
    ignoredSettings: [],
    primaryTier: undefined,
    secondaryTier: undefined,
  };
}
