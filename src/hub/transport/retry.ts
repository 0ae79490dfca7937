import { DrError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';

/** What one attempt came to: an answer, or that it may be tried again. */
export type Attempt<T> =
  | { readonly kind: 'done'; readonly value: T }
  | {
      readonly kind: 'again';
      /** A status or error code, for the message when time runs out; never a text from outside. */
      readonly seen?: string;
      /** How long to wait, if known: what the hub asked for, 0 when the limiter does the waiting, infinite to stop. */
      readonly waitMs?: number | undefined;
      /** The hub is there, and only throttles. */
      readonly isThrottled?: true;
      /** When it was sent (epoch ms). */
      readonly sentAt?: number;
      /** After which time the hub wants to be asked again, where that is not waited for here. */
      readonly retryAfterMs?: number | undefined;
      /** It was not sent, or the hub refused it. */
      readonly hasNoEffect?: true;
      /** Of the answer, where there was one. */
      readonly status?: number;
      /** What the hub said of it. */
      readonly words?: string | undefined;
      /** It was not waited for any longer, since the hub had carried out others that were sent later. */
      readonly isGivenUp?: boolean;
    };
type Failure = Extract<Attempt<unknown>, { kind: 'again' }>;

export interface RetryOptions {
  /** Whose call it is, for the message. */
  readonly where: string;
  readonly deadlineAt: number;
  readonly clock: Clock;
  /** 0 to 1. */
  readonly random: () => number;
  /** The error to end with, where it is the call's own fault that it fails; asked after each attempt that was sent. */
  readonly ownFault?: ((failure: SentFailure) => Promise<DrError | undefined>) | undefined;
  /** Called before an attempt after one that may have an effect. */
  readonly onRepeated?: (() => void) | undefined;
}

/** Of a call that was sent. */
export interface SentFailure extends Pick<Failure, 'seen' | 'status' | 'words' | 'waitMs' | 'isGivenUp'> {
  readonly seen: string;
  /** No attempt so far had one. */
  readonly hasNoEffect: boolean;
  /** There would be no other. */
  readonly isLast: boolean;
}

/** What was `seen` where no attempt was sent, or none was answered. */
export const NO_ANSWER = 'no answer';

const FIRST_BACK_OFF_MS = 200;
const MAX_BACK_OFF_MS = 2000;
/** An outage is waited out here this long. For a longer one the caller gives its place to others, and comes again. */
const OUTAGE_PATIENCE_MS = 8000;

/**
 * Continues from the result of the `first` attempt until there is an answer: after the time the hub named, else after a
 * capped exponential back-off with full jitter. Throws `HubUnavailable` (retryable) rather than wait past the deadline,
 * or for long in an outage; an attempt under way is not cut off.
 */
export async function retry<T>(
  first: Attempt<T>,
  attempt: () => Promise<Attempt<T>>,
  options: RetryOptions,
): Promise<T> {
  const { where, deadlineAt, clock, random, ownFault, onRepeated } = options;
  let seen = NO_ANSWER;
  let hasNoEffect = true;
  let outcome = first;
  let outage: Outage | undefined;
  for (;;) {
    if (outcome.kind === 'done') return outcome.value;
    seen = outcome.seen ?? seen;
    hasNoEffect &&= outcome.hasNoEffect === true;
    outage = outcome.isThrottled ? undefined : nextOutage(outage, outcome.sentAt ?? clock.now());
    const waitMs = outcome.waitMs ?? random() * backOffMs(outage?.tries ?? 0);
    const endAt = Math.min(deadlineAt, (outage?.since ?? deadlineAt) + OUTAGE_PATIENCE_MS);
    const isLast = clock.now() + waitMs >= endAt;
    if (outcome.sentAt !== undefined) {
      const own = await ownFault?.({ ...outcome, seen, hasNoEffect, isLast });
      if (own !== undefined) throw own;
    }
    if (isLast) {
      const message = `The ${where} did not serve the call in time; last seen: ${seen}.`;
      const retryAfterMs =
        outcome.retryAfterMs ?? (outcome.waitMs === Number.POSITIVE_INFINITY ? undefined : outcome.waitMs);
      throw new DrError('HubUnavailable', message, { retryable: true, hasNoEffect, target: where, seen, retryAfterMs });
    }
    if (waitMs > 0) await clock.sleep(waitMs);
    if (outcome.hasNoEffect !== true) onRepeated?.();
    outcome = await attempt();
  }
}

interface Outage {
  /** When the first attempt of it was sent. */
  readonly since: number;
  readonly tries: number;
}

function nextOutage(before: Outage | undefined, sentAt: number): Outage {
  return before === undefined ? { since: sentAt, tries: 0 } : { since: before.since, tries: before.tries + 1 };
}

function backOffMs(tries: number): number {
  return Math.min(MAX_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** tries);
}
