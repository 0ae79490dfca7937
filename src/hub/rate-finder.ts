/** Estimates, from what the hub accepts and refuses, how many requests a second it takes. Pure: time is handed in. */
export interface RateFinder {
  /** Requests per second to send at this time; infinite until the hub first throttled. */
  rateAt(nowMs: number): number;
  accepted(nowMs: number): void;
  /** A request sent at `sentAtMs` was refused; nothing is sent before `resumeAtMs`. */
  throttled(sentAtMs: number, nowMs: number, resumeAtMs: number): void;
  /** Nothing was asked of the hub for a while: what it accepted until now tells nothing of its limit. */
  resample(nowMs: number): void;
}

/** What a cut leaves of the estimate. */
const CUT_TO = 0.92;
/** The estimate is reached again after this long, and this much later for every millisecond the hub made us pause. */
const PLATEAU_MS = 4000;
const PLATEAU_PER_PAUSED_MS = 12;
/** First estimates are poor, since they come from a burst: they are tried this much faster, each half as much so. */
const FIRST_HASTE = 16;
/** The sample covers the last one to two of these. */
const SAMPLE_MS = 1000;
/** Fewer accepted requests than this are no sample. */
const MIN_SAMPLE = 5;
const MIN_RATE = 1;

/**
 * When a hub throttles, what it accepted in the last moments is what it allows: there, and not at a guess, the rate is
 * cut to. After a cut the rate follows a cubic, as in TCP CUBIC (RFC 9438): quickly back to just under the estimate,
 * long beside it, then ever faster beyond, for a limit that was lifted or an estimate that was too low. So refusals
 * stay rare, and time is lost neither to halving nor to overshooting.
 */
export function createRateFinder(startMs: number): RateFinder {
  let estimate = Number.POSITIVE_INFINITY;
  let cutAt = Number.NEGATIVE_INFINITY;
  let resumeAt = startMs;
  let plateauMs = PLATEAU_MS;
  let haste = FIRST_HASTE;
  let older = { from: startMs, count: 0 };
  let newer = older;

  const rateAt = (nowMs: number): number => {
    if (estimate === Number.POSITIVE_INFINITY) return estimate;
    const distance = Math.max(0, nowMs - resumeAt) / plateauMs - 1;
    return Math.max(MIN_RATE, estimate * (1 + (1 - CUT_TO) * distance ** 3));
  };
  const resample = (nowMs: number): void => {
    older = { from: nowMs, count: 0 };
    newer = older;
  };
  const sampledRate = (nowMs: number): number => {
    const count = older === newer ? newer.count : older.count + newer.count;
    return count < MIN_SAMPLE ? 0 : (1000 * count) / Math.max(1, nowMs - older.from);
  };

  return {
    rateAt,
    accepted(nowMs) {
      if (nowMs - newer.from >= SAMPLE_MS) {
        older = newer;
        newer = { from: nowMs, count: 0 };
      }
      newer.count += 1;
    },
    throttled(sentAtMs, nowMs, resumeAtMs) {
      // A request sent before the last cut says nothing about the rate since; it may only lengthen the pause.
      if (sentAtMs > cutAt) {
        const rate = rateAt(nowMs);
        // At most halved at once: a hub that saves up no allowance over a pause makes a sample with one far too low.
        const least = rate === Number.POSITIVE_INFINITY ? MIN_RATE : rate / 2;
        estimate = Math.min(rate, Math.max(least, sampledRate(nowMs)));
        plateauMs = (PLATEAU_MS + PLATEAU_PER_PAUSED_MS * (resumeAtMs - nowMs)) / haste;
        haste = Math.max(1, haste / 2);
        cutAt = nowMs;
        resample(nowMs);
      }
      resumeAt = Math.max(resumeAt, resumeAtMs);
    },
    resample,
  };
}
