import { DrError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';

/** What one attempt came to: an answer, or that it may be tried again. */
export type Attempt<T> =
  | { readonly kind: 'done'; readonly value: T }
  | {
      readonly kind: 'again';
      /** A status or error code, for the message when time runs out; never a text from outside. */
      readonly seen?: string;
      /** How long to wait, if known: what the hub asked for, 0 when the limiter does the waiting, infinite to stop. */
      readonly waitMs?: number | undefined;
      /** It was not sent, or the hub refused it. */
      readonly hasNoEffect?: true;
    };

export interface RetryOptions {
  /** Whose call it is, for the message. */
  readonly where: string;
  readonly deadlineAt: number;
  readonly clock: Clock;
  /** 0 to 1. */
  readonly random: () => number;
}

const FIRST_BACK_OFF_MS = 200;
const MAX_BACK_OFF_MS = 15_000;

/**
 * Continues from the result of the `first` attempt until there is an answer: after the time the hub named, else after a
 * capped exponential back-off with full jitter. Throws `HubUnavailable` (retryable) rather than wait past the deadline;
 * an attempt under way is not cut off.
 */
export async function retry<T>(
  first: Attempt<T>,
  attempt: () => Promise<Attempt<T>>,
  options: RetryOptions,
): Promise<T> {
  const { where, deadlineAt, clock, random } = options;
  let seen = 'no answer';
  let hasNoEffect = true;
  let outcome = first;
  for (let tries = 0; ; tries++) {
    if (outcome.kind === 'done') return outcome.value;
    seen = outcome.seen ?? seen;
    hasNoEffect &&= outcome.hasNoEffect === true;
    const waitMs = outcome.waitMs ?? random() * Math.min(MAX_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** tries);
    if (clock.now() + waitMs >= deadlineAt) {
      const message = `The ${where} did not serve the call in time; last seen: ${seen}.`;
      throw new DrError('HubUnavailable', message, { retryable: true, hasNoEffect, target: where });
    }
    if (waitMs > 0) await clock.sleep(waitMs);
    outcome = await attempt();
  }
}
