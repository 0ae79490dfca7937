/** Finds, from what the hub accepts and refuses, how many requests a second it takes. Pure: time is handed in. */
export interface RateFinder {
  /** Requests per second to send now. */
  rate(): number;
  /** A call waited this long because of the rate. Only a rate that is used is raised. */
  waited(milliseconds: number): void;
  /** A request sent at that time was accepted. */
  accepted(sentAtMs: number): void;
  /** A request sent at `sentAtMs` was refused; nothing is sent for `pauseMs` from now. */
  throttled(sentAtMs: number, nowMs: number, pauseMs: number): void;
  /** Nothing was asked of the hub for a while: what it accepted until now tells nothing of its limit. */
  idle(nowMs: number): void;
}

const START_RATE = 400;
const MIN_RATE = 1;
const MAX_RATE = 50_000;
/** As long as nothing tells where the limit is, the rate doubles in this time. */
const DOUBLING_MS = 125;
/** A rate is held for this many times the pause that a try at a higher one costs: 2.5 % of the time. */
const HOLD_PAUSES = 40;
const MAX_HOLD_MS = 300_000;
/** Until the rate is known it is held for this part of that, and raised so much faster. */
const SEARCH_HOLD = 1 / 16;
const SEARCH_HASTE = 3;
/** What is sent of the limit as estimated. */
const MARGIN = 0.98;
/** The first refusal comes late: the rate has grown on while the hub's reserve was used up. */
const START_CUT = 0.8;
/** What the first, second … refusal in a row leaves of the rate, when nothing better is known. */
const CUTS = [0.95, 0.9, 0.8];
const DEEPEST_CUT = 0.7;
/** Of the requests under way at a refusal, this number and this share refused, too, mean a rate far too high. */
const CROWD = { least: 3, share: 0.4, shareAtStart: 0.6 };
/** A higher rate is to blame for a refusal only if the one before was good for this many requests. */
const MIN_PROOF = 200;
/** Refusals this many requests apart, four in a row although each slowed us down, may have nothing to do with the rate. */
const SPORADIC = { inARow: 4, least: 15, most: 400 };
/** This many refusals show whether more is got through when they slow nothing down. */
const TRIAL = 8;

/** Where the rate doubles (`start`, `trial`), and where it is held and then raised. */
type Mode = 'start' | 'search' | 'settled' | 'trial';

/** What happened from one pause to the next refusal. */
interface Stretch {
  readonly accepted: number;
  readonly seconds: number;
}

/**
 * The rate doubles until the hub refuses. What then is right follows from how the refusals come:
 *
 * - A rate that was held for long and then raised is refused: the limit lies between. Held again, near what was accepted.
 * - Refused again although slower: a hub that saves up allowance up to a limit accepts, until its reserve is used up,
 *   reserve + limit × time. Two such stretches tell the limit; until there are two, the rate goes down in steps.
 * - Most of what is under way is refused: the accepted share tells how far the rate is above the limit.
 * - Refusals keep coming however slow we are: then they are not about the rate. It is tried whether more gets through,
 *   pauses included, when they only make us pause; if so the rate goes up again. If not, it falls further.
 *
 * So an estimate goes down only towards what was accepted, and a sporadic refusal costs its pause and little else.
 */
export function createRateFinder(startMs: number): RateFinder {
  return new AdaptiveRate(startMs);
}

class AdaptiveRate implements RateFinder {
  #mode: Mode = 'start';
  /** The rate before it is raised, how long it is held before that, and how long it was made use of. */
  #base = START_RATE;
  #holdMs = 0;
  #waitedMs = 0;
  readonly #recent = new RecentRate();
  #resumedAt: number;
  #acceptedCount = 0;
  #refusedAt = Number.NEGATIVE_INFINITY;
  /** What became of the requests under way at the last refusal. */
  #crowd = { rate: 0, accepted: 0, refused: 0, isTelling: true, shareWanted: 1 };
  /** The last stretch in which the hub's reserve was used up. */
  #drained: Stretch | undefined;
  /** Refusals in a row that slowed us down: how many, from which rate, and what got through since the first of them. */
  #series = newSeries();
  /** What the series came to that led to the trial. */
  #slowed = { rate: 0, throughput: 0 };

  constructor(startMs: number) {
    this.#resumedAt = startMs;
  }

  rate(): number {
    if (this.#isDoubling()) return Math.min(MAX_RATE, this.#base * 2 ** (this.#waitedMs / DOUBLING_MS));
    // Slowly at first, for a close look at the limit; then ever faster, for one that was raised.
    const seconds = Math.max(0, this.#waitedMs - this.#holdMs) / 1000;
    const haste = this.#mode === 'search' ? SEARCH_HASTE : 1;
    return Math.min(MAX_RATE, this.#base * Math.exp(haste * (0.02 * seconds + 0.01 * seconds ** 2)));
  }

  waited(milliseconds: number): void {
    this.#waitedMs += milliseconds;
  }

  accepted(sentAtMs: number): void {
    if (sentAtMs <= this.#refusedAt) {
      this.#crowd.accepted += 1;
      return;
    }
    this.#acceptedCount += 1;
    this.#recent.add(sentAtMs);
  }

  throttled(sentAtMs: number, nowMs: number, pauseMs: number): void {
    if (sentAtMs <= this.#refusedAt) {
      this.#crowdRefused(pauseMs);
      return;
    }
    const rate = Math.min(this.rate(), this.#recent.rate(sentAtMs));
    const stretch = { accepted: this.#acceptedCount, seconds: (sentAtMs - this.#resumedAt) / 1000 };
    const isRaised = !this.#isDoubling() && this.#waitedMs >= this.#holdMs && stretch.accepted >= MIN_PROOF;
    const shareWanted = this.#mode === 'start' ? CROWD.shareAtStart : CROWD.share;
    this.#crowd = { rate, accepted: 0, refused: 1, isTelling: !isRaised, shareWanted };
    // A client that had little to send until now has revealed nothing of the limit, however little was accepted.
    if (this.#mode === 'start') this.#search(START_CUT * this.rate(), pauseMs);
    else if (this.#mode === 'trial') this.#triedOn(rate, stretch, pauseMs);
    else if (isRaised) this.#found(rate, pauseMs);
    else this.#refusedAgain(rate, stretch, pauseMs);
    // Raised from below the limit, the hub saved up meanwhile: such a stretch tells nothing of its reserve.
    this.#refusedAt = nowMs;
    this.#restart(nowMs + pauseMs, isRaised ? undefined : stretch);
  }

  idle(nowMs: number): void {
    this.#restart(nowMs, undefined);
  }

  #restart(nowMs: number, drained: Stretch | undefined): void {
    this.#drained = drained;
    this.#resumedAt = nowMs;
    this.#acceptedCount = 0;
    this.#recent.clear();
  }

  #isDoubling(): boolean {
    return this.#mode === 'start' || this.#mode === 'trial';
  }

  #search(rate: number, pauseMs: number): void {
    this.#hold('search', rate, SEARCH_HOLD * HOLD_PAUSES * pauseMs);
  }

  #settle(rate: number, pauseMs: number): void {
    this.#hold('settled', rate, HOLD_PAUSES * pauseMs);
  }

  #hold(mode: Mode, rate: number, holdMs: number): void {
    this.#mode = mode;
    this.#base = Math.max(MIN_RATE, rate);
    this.#holdMs = Math.min(MAX_HOLD_MS, holdMs);
    this.#waitedMs = 0;
  }

  /** One more of those that were under way at a refusal is refused. */
  #crowdRefused(pauseMs: number): void {
    const crowd = this.#crowd;
    crowd.refused += 1;
    const share = crowd.refused / (crowd.refused + crowd.accepted);
    if (!crowd.isTelling || crowd.refused < CROWD.least || share < crowd.shareWanted) return;
    const rate = crowd.rate * Math.max(0.5, 1 - share);
    if (this.#mode !== 'trial' && rate >= this.#base) return;
    this.#search(rate, pauseMs);
    this.#series = newSeries();
  }

  /** The rate held before was good, the raised one was not. */
  #found(rate: number, pauseMs: number): void {
    this.#series = newSeries();
    const held = this.#base;
    // Where less was sent than allowed, for want of calls or of CPU, a burst was refused: back to what was good.
    if (rate <= held) this.#settle(held, pauseMs);
    else if (this.#mode === 'search') this.#settle(Math.max(held, MARGIN * rate), pauseMs);
    else if (rate > 1.3 * held) this.#search(START_CUT * rate, pauseMs);
    // A third of the way: what was held is known to be good, what was reached is not.
    else this.#settle(held * (rate / held) ** (1 / 3), pauseMs);
  }

  #refusedAgain(rate: number, stretch: Stretch, pauseMs: number): void {
    const series = this.#series.count === 0 ? newSeries(rate) : this.#series;
    this.#series = series;
    series.count += 1;
    if (series.count > 1) addStretch(series, stretch, pauseMs);
    const each = series.accepted / series.count;
    const limit = limitOf(this.#drained, stretch);
    const cut = (CUTS[series.count - 1] ?? DEEPEST_CUT) * rate;
    if (series.count >= SPORADIC.inARow && each >= SPORADIC.least && each <= SPORADIC.most) {
      this.#slowed = { rate, throughput: series.accepted / series.seconds };
      this.#hold('trial', series.rateBefore, 0);
      this.#series = newSeries();
    } else if (limit !== undefined && limit < rate) {
      if (limit > rate / 2) this.#settle(MARGIN * limit, pauseMs);
      else this.#search(rate / 2, pauseMs);
    } else if (this.#mode === 'settled' && series.count <= 2) this.#settle(cut, pauseMs);
    else this.#search(cut, pauseMs);
  }

  #triedOn(rate: number, stretch: Stretch, pauseMs: number): void {
    const series = this.#series;
    series.count += 1;
    addStretch(series, stretch, pauseMs);
    if (series.count < TRIAL) {
      this.#hold('trial', rate, 0);
      return;
    }
    const hasHelped = series.accepted / series.seconds >= this.#slowed.throughput;
    this.#search(hasHelped ? rate : START_CUT * this.#slowed.rate, pauseMs);
    this.#series = newSeries();
  }
}

/** What a hub takes in a second that accepted a reserve, the same in both stretches, and so much a second beside. */
function limitOf(one: Stretch | undefined, other: Stretch): number | undefined {
  if (one === undefined) return undefined;
  const seconds = other.seconds - one.seconds;
  // Of stretches about as long as each other the difference is chance.
  if (Math.abs(seconds) <= 0.25 * Math.max(one.seconds, other.seconds)) return undefined;
  const limit = (other.accepted - one.accepted) / seconds;
  return limit > 0 ? limit : undefined;
}

function newSeries(rateBefore = 0) {
  return { count: 0, rateBefore, accepted: 0, seconds: 0 };
}

/** Pauses count: what got through is what matters. */
function addStretch(series: ReturnType<typeof newSeries>, stretch: Stretch, pauseMs: number): void {
  series.accepted += stretch.accepted;
  series.seconds += stretch.seconds + pauseMs / 1000;
}

const SAMPLE_MS = 1000;
const MIN_SAMPLE = 5;

/** How many requests a second were accepted in the last one to two seconds, by when they were sent. */
class RecentRate {
  #older: { from: number; count: number } | undefined;
  #newer: { from: number; count: number } | undefined;

  add(sentAtMs: number): void {
    if (this.#newer === undefined || sentAtMs - this.#newer.from >= SAMPLE_MS) {
      this.#older = this.#newer;
      this.#newer = { from: sentAtMs, count: 0 };
    }
    this.#newer.count += 1;
  }

  /** Infinite when too few were accepted to tell. */
  rate(nowMs: number): number {
    const first = this.#older ?? this.#newer;
    const count = (this.#older?.count ?? 0) + (this.#newer?.count ?? 0);
    if (first === undefined || count < MIN_SAMPLE) return Number.POSITIVE_INFINITY;
    return (1000 * count) / Math.max(1, nowMs - first.from);
  }

  clear(): void {
    this.#older = undefined;
    this.#newer = undefined;
  }
}
