import { type EndedStretch, limitOf, Stretch } from './stretch.ts';

const START_RATE = 400;
const MIN_RATE = 1;
const MAX_RATE = 50_000;
/** While nothing shows where the limit is, the rate doubles in this time. */
const DOUBLING_MS = 125;
/** A rate is held for this many times the pause that a try at a higher one costs: for 2.5 % of the time once settled. */
const HOLD_PAUSES = { search: 2.5, settled: 40 } as const;
/** Once settled, also for this many requests: at a low rate, the one that a try costs is one of few. */
const HOLD_REQUESTS = 120;
/** What is sent of the limit as estimated. */
const MARGIN = 0.98;
/** What is kept of a rate that doubled: the first refusal comes late, when the hub's reserve is used up. */
const OVERSHOOT_CUT = 0.8;
/** What a refusal leaves of the rate when nothing better is known. */
const CUT = 0.9;
/** Refusals in a row, each this many requests after the last, may not be about the rate: as many as `trial` cut nothing. */
const SPORADIC = { inARow: 4, least: 15, most: 400, trial: 8 } as const;
/** Of the requests under way at a refusal, this many and this share refused, too, mean a rate far too high. */
const CROWD = { least: 3, share: 0.5 } as const;
/**
 * Finds, from what the hub accepts and refuses, how many requests a second it takes. Time is handed in. The rate
 * doubles until the hub refuses. What then is right follows from how the refusals come:
 * - A rate was held and then raised: the limit lies between.
 * - Refused again although slower: two stretches give the limit. Until there are two, the rate goes down in steps.
 * - Half of what is under way is refused: the rate is halved.
 * - Refused however slow we are: this is not about the rate, which doubles again for a while.
 */
export class RateFinder {
  /** How many refusals the doubling still lasts; at 0 the rate is held and then raised. */
  #doublings = 1;
  #mode: keyof typeof HOLD_PAUSES = 'search';
  /** The rate before it is raised, how long it is held before that, and how long it was made use of. */
  #base = START_RATE;
  #holdMs = 0;
  #waitedMs = 0;
  #stretch: Stretch;
  #refusedAt = Number.NEGATIVE_INFINITY;
  #refusalsInARow = 0;
  /** What became of the requests under way at the last refusal. */
  #crowd = { rate: 0, accepted: 0, refused: 0, isTelling: true };
  /** The last stretch in which the hub's reserve was used up. */
  #drained: EndedStretch | undefined;

  constructor(startMs: number) {
    this.#stretch = new Stretch(startMs);
  }

  /** Requests per second to send now. */
  rate(): number {
    if (this.#doublings > 0) return Math.min(MAX_RATE, this.#base * 2 ** (this.#waitedMs / DOUBLING_MS));
    // Slowly at first, for a close look at the limit; then ever faster, for one that was raised.
    const seconds = Math.max(0, this.#waitedMs - this.#holdMs) / 1000;
    return Math.min(MAX_RATE, this.#base * Math.exp(0.04 * seconds + 0.02 * seconds ** 2));
  }

  /** Calls waited this long because of the rate. Only a rate that is made use of is raised. */
  waited(milliseconds: number): void {
    this.#waitedMs += milliseconds;
  }

  accepted(sentAtMs: number): void {
    if (sentAtMs <= this.#refusedAt) this.#crowd.accepted += 1;
    else this.#stretch.accepted(sentAtMs);
  }

  /** A request sent at `sentAtMs` was refused; nothing is sent for `pauseMs` from now. */
  throttled(sentAtMs: number, nowMs: number, pauseMs: number): void {
    if (sentAtMs <= this.#refusedAt) {
      this.#crowdThrottled(pauseMs);
      return;
    }
    const isHeld = this.#doublings === 0;
    const isRaised = isHeld && this.#waitedMs >= this.#holdMs;
    const rate = Math.min(this.rate(), this.#stretch.rate(sentAtMs));
    const stretch = this.#stretch.until(sentAtMs);
    this.#crowd = { rate, accepted: 0, refused: 1, isTelling: !isRaised };
    const isSporadic = stretch.accepted >= SPORADIC.least && stretch.accepted <= SPORADIC.most;
    this.#refusalsInARow = isRaised || !isHeld || !isSporadic ? 0 : this.#refusalsInARow + 1;
    if (isRaised) this.#hold('settled', Math.max(this.#base, MARGIN * rate), pauseMs);
    else if (isHeld) this.#slowDown(rate, stretch, pauseMs);
    else if (this.#doublings > 1) this.#double(rate, this.#doublings - 1);
    // A client that had little to send until now has shown nothing of the limit, however little was accepted.
    else this.#hold('search', OVERSHOOT_CUT * this.rate(), pauseMs);
    this.#refusedAt = nowMs;
    // Raised from below the limit, the hub saved up meanwhile: such a stretch tells nothing of its reserve.
    this.#restart(nowMs + pauseMs, isRaised ? undefined : stretch);
  }

  /** Nothing was asked of the hub for a while: what it accepted until now tells nothing of its limit. */
  idle(nowMs: number): void {
    this.#restart(nowMs, undefined);
  }

  #restart(nowMs: number, drained: EndedStretch | undefined): void {
    this.#drained = drained;
    this.#stretch = new Stretch(nowMs);
  }

  #hold(mode: keyof typeof HOLD_PAUSES, rate: number, pauseMs: number): void {
    this.#mode = mode;
    this.#holdMs = Math.max(HOLD_PAUSES[mode] * pauseMs, mode === 'settled' ? (HOLD_REQUESTS * 1000) / rate : 0);
    this.#double(rate, 0);
  }

  #double(rate: number, refusals: number): void {
    this.#doublings = refusals;
    this.#base = Math.max(MIN_RATE, rate);
    this.#waitedMs = 0;
  }

  #slowDown(rate: number, stretch: EndedStretch, pauseMs: number): void {
    const limit = limitOf(this.#drained, stretch);
    if (this.#refusalsInARow >= SPORADIC.inARow) this.#double(2 * rate, SPORADIC.trial);
    else if (limit >= rate) this.#hold(this.#mode, CUT * rate, pauseMs);
    else this.#hold(limit < rate / 2 ? 'search' : 'settled', Math.max(rate / 2, MARGIN * limit), pauseMs);
  }

  #crowdThrottled(pauseMs: number): void {
    const { rate, accepted, isTelling } = this.#crowd;
    this.#crowd.refused += 1;
    const { refused } = this.#crowd;
    if (!isTelling || refused < CROWD.least || refused < CROWD.share * (refused + accepted)) return;
    this.#hold('search', rate / 2, pauseMs);
    this.#refusalsInARow = 0;
  }
}
