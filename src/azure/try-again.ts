import { setTimeout as wait } from 'node:timers/promises';
import type { StorageLimits } from './connection.ts';
import { retryAfterOf, statusOf } from './fault.ts';

/** A gateway, or the service under load. The SDK tries again after 500 and 503, and what breaks off, and after no other. */
const passing: ReadonlySet<number | undefined> = new Set([408, 429, 502, 504]);

/**
 * Does the work again after what passes and the SDK gives up at once, as often and as late as the SDK does by `limits`,
 * or as late as the answer asks. Throws the last error, at once when the answer asks for more than a call has.
 */
export async function tryAgain<T>(
  { retry, callTimeoutMs }: StorageLimits,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      const usualMs = Math.min((2 ** (tries - 1) - 1) * retry.retryDelayInMs, retry.maxRetryDelayInMs);
      const delayMs = Math.max(retryAfterOf(error) ?? 0, usualMs);
      const isLast = tries >= retry.maxTries || delayMs > callTimeoutMs || signal.aborted;
      if (isLast || !passing.has(statusOf(error))) throw error;
      await wait(delayMs, undefined, { signal });
    }
  }
}
