/** The rate made use of is that of the last accepted requests, at least and at most this many. */
const SAMPLE = { least: 5, most: 1000 } as const;

/** What the hub accepts from the end of a pause to the next refusal. */
export class Stretch {
  readonly #startMs: number;
  #acceptedCount = 0;
  readonly #lastSentAt: number[] = [];

  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  accepted(sentAtMs: number): void {
    this.#acceptedCount += 1;
    if (this.#lastSentAt.push(sentAtMs) > SAMPLE.most) this.#lastSentAt.shift();
  }

  /** How many requests a second were accepted of late; infinite when too few to say. */
  rate(nowMs: number): number {
    const count = this.#lastSentAt.length;
    const spanMs = nowMs - (this.#lastSentAt[0] ?? nowMs);
    return count < SAMPLE.least ? Number.POSITIVE_INFINITY : (1000 * count) / Math.max(1, spanMs);
  }

  until(refusedMs: number): EndedStretch {
    return { accepted: this.#acceptedCount, seconds: (refusedMs - this.#startMs) / 1000 };
  }
}

export interface EndedStretch {
  readonly accepted: number;
  readonly seconds: number;
}

/**
 * A hub that saves up allowance accepts its reserve + limit × time until it refuses: of two stretches with the same
 * reserve the difference gives the limit. Infinite when it gives none.
 */
export function limitOf(one: EndedStretch | undefined, other: EndedStretch): number {
  const limit = one === undefined ? 0 : (other.accepted - one.accepted) / (other.seconds - one.seconds);
  return limit > 0 ? limit : Number.POSITIVE_INFINITY;
}
