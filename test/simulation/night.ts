import type { Knobs } from './knobs.ts';
import { type Random, randomOf } from './random.ts';

/** What the worst night adds to a seed; its draws are its own, so that what else a seed draws stays as it is. */
export interface Night {
  /** Clocks of processes, and of the storage, are wrong by up to this. */
  readonly mostSkewMs: number;
  /** Of the calls to a hub: it goes away at it, for minutes or hours. */
  readonly outages: number;
  readonly primaryRate: number | undefined;
  readonly secondaryRate: number | undefined;
  readonly scratchRate: number | undefined;
  /** Of a process, each minute: it is stopped, as by a deployment. */
  readonly stops: number;
  /** After the chaos one process, the storage and the target are well, and everything else is dead for ever. */
  readonly onlyCoreHeals: boolean;
  /** Operators declare which hub is in use, and never exchange the settings. */
  readonly hasRoles: boolean;
  /** After each good backup the standby is brought up to date. */
  readonly hasSyncs: boolean;
}

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

export function drawNight(seed: number): Night {
  const random = randomOf(seed, 'night');
  const hasSkew = random.chance(0.35);
  const mostSkewMs = random.pick([SECOND_MS, 10 * SECOND_MS, 3 * MINUTE_MS, HOUR_MS]);
  const hasOutages = random.chance(0.15);
  const outages = random.pick([0.002, 0.01, 0.03]);
  const rate = (): number | undefined => {
    const isLimited = random.chance(0.12);
    const perSecond = random.pick([1, 1, 2, 5, 20]);
    return isLimited ? perSecond : undefined;
  };
  const night = {
    mostSkewMs: hasSkew ? mostSkewMs : 0,
    outages: hasOutages ? outages : 0,
    primaryRate: rate(),
    secondaryRate: rate(),
    scratchRate: rate(),
    onlyCoreHeals: random.chance(0.25),
  };
  const hasStops = random.chance(0.2);
  const stops = random.pick([0.05, 0.2, 0.5]);
  const hasRoles = random.chance(0.1);
  const hasSyncs = random.chance(0.15);
  // Without a declared role a sync rests from the first restore into the standby on.
  return { ...night, stops: hasStops ? stops : 0, hasRoles: hasRoles || (hasSyncs && random.chance(0.8)), hasSyncs };
}

/** Of a slow hub a step gets its turn several times within its budget, as it does in life. */
const TURNS = 120;

export function inNight(knobs: Knobs, { primaryRate, secondaryRate, scratchRate, hasSyncs }: Night): Knobs {
  const rates = [primaryRate, secondaryRate, scratchRate].filter((rate) => rate !== undefined);
  const leastMs = (TURNS * SECOND_MS) / Math.min(Number.POSITIVE_INFINITY, ...rates);
  const stepBudgetMs = Math.max(knobs.policy.stepBudgetMs, leastMs);
  const standbySync = hasSyncs ? 'afterBackup' : 'off';
  return { ...knobs, policy: { ...knobs.policy, stepBudgetMs, standbySync } };
}

/** How wrong one clock is. */
export function drawSkew(random: Random, { mostSkewMs }: Night): number {
  const lot = random.below(4);
  const ms = random.spread(SECOND_MS, Math.max(SECOND_MS, mostSkewMs));
  if (mostSkewMs === 0 || lot === 0) return 0;
  return lot === 1 ? -ms : ms;
}

/** How a hub that is away takes a call: after some time the client gives it up. */
type Manner = 'refuses' | 'hangs' | 'asksLater';

/** The calls made to one hub at once, and what becomes of one. */
export type Admission =
  | { readonly kind: 'served'; readonly waitMs: number }
  | { readonly kind: 'notServed'; readonly waitMs: number; readonly seen: string; readonly retryAfterMs?: number };

export interface DoorParts {
  readonly name: string;
  readonly rate: number | undefined;
  readonly night: Night;
  readonly random: Random;
  readonly now: () => number;
  readonly isHealed: () => boolean;
  readonly trace: (line: () => string) => void;
  readonly sometimes: (what: string) => void;
}

/** More of them only repeat what the first have shown. */
const MOST_OUTAGES = 2;
/** The client gives up an outage after this long, and one request after the other times. */
const PATIENCE_MS = 8000;
const NO_CONNECTION_MS = 10_000;
const NO_ANSWER_MS = 30_000;

/** Whether a hub can be reached, and how many requests it takes: at it, the clients of all processes wait their turn. */
export class Door {
  readonly #parts: DoorParts;
  /** When it was away. */
  readonly outages: { readonly from: number; readonly until: number }[] = [];
  #manner: Manner = 'refuses';
  #nextAt = 0;

  constructor(parts: DoorParts) {
    this.#parts = parts;
  }

  get isAway(): boolean {
    return (this.outages.at(-1)?.until ?? 0) > this.#parts.now();
  }

  /** For ever, unless it comes back at some time. */
  goAway(until = Number.POSITIVE_INFINITY): void {
    const { name, random, now, trace, sometimes } = this.#parts;
    this.#manner = random.pick(['refuses', 'refuses', 'hangs', 'asksLater']);
    this.outages.push({ from: now(), until });
    sometimes(`hubAway ${this.#manner}`);
    trace(() => `AWAY ${name} ${this.#manner} for ${(until - now()) / SECOND_MS} s`);
  }

  comeBack(): void {
    const last = this.outages.at(-1);
    if (last !== undefined && this.isAway) this.outages.splice(-1, 1, { ...last, until: this.#parts.now() });
  }

  /** Of a call that ends at `deadlineAt` at the latest. */
  admit(deadlineAt: number): Admission {
    const { rate, night, random, now, isHealed, sometimes } = this.#parts;
    if (night.outages > 0 && this.outages.length < MOST_OUTAGES && !this.isAway && !isHealed()) {
      if (random.chance(night.outages)) this.goAway(now() + random.spread(5 * MINUTE_MS, 5 * HOUR_MS));
    }
    if (this.isAway) return this.#refuse();
    if (rate === undefined) return { kind: 'served', waitMs: 0 };
    const turnAt = Math.max(now(), this.#nextAt);
    if (turnAt >= deadlineAt) {
      sometimes('rateRefused');
      return { kind: 'notServed', waitMs: 0, seen: '429' };
    }
    this.#nextAt = turnAt + SECOND_MS / rate;
    return { kind: 'served', waitMs: turnAt - now() };
  }

  #refuse(): Admission {
    const { random } = this.#parts;
    const manner = this.#manner;
    switch (manner) {
      case 'refuses':
        return { kind: 'notServed', waitMs: random.between(PATIENCE_MS / 2, PATIENCE_MS), seen: 'ECONNREFUSED' };
      case 'hangs':
        return {
          kind: 'notServed',
          waitMs: random.pick([NO_CONNECTION_MS, NO_ANSWER_MS]),
          seen: 'UND_ERR_HEADERS_TIMEOUT',
        };
      case 'asksLater':
        return { kind: 'notServed', waitMs: 50, seen: '503', retryAfterMs: random.spread(10_000, 900_000) };
      default:
        return manner satisfies never;
    }
  }
}
