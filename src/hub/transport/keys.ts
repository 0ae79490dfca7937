import { DrError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';
import type { HubConnection } from '../access/connection-string.ts';
import type { Attempt } from './retry.ts';

/** The keys of one hub, kept in memory only. They do not end by themselves. */
export interface HubKeys {
  /**
   * What to use in place of those the hub refused since then (`performance.now()`); `undefined` when there is no other.
   * Throws a `DrError` when they cannot be read.
   */
  besides(refused: readonly HubConnection[], since: number): Promise<HubConnection | undefined>;
}

/**
 * `read` gives all keys that are valid now, the one to use first. Calls that want new keys at the same time read them
 * together. While they cannot be read, one that was not refused is used: of the two keys of a policy, a rotation often
 * changes only one.
 */
export function createKeys(read: () => Promise<readonly HubConnection[]>, given?: HubConnection): HubKeys {
  let known: readonly HubConnection[] = given === undefined ? [] : [given];
  let current = given;
  let reading: Promise<void> | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  const readNow = async (): Promise<void> => {
    const beganAt = performance.now();
    try {
      known = await read();
      readAt = beganAt;
    } finally {
      reading = undefined;
    }
  };
  return {
    async besides(refused, since) {
      const isOther = ({ key }: HubConnection): boolean => refused.every((one) => one.key !== key);
      if (current !== undefined && isOther(current)) return current;
      try {
        // A reading that others began before the refusal may not know the newest.
        for (let tries = 0; readAt < since && tries < 2 && !(tries > 0 && known.some(isOther)); tries += 1) {
          reading ??= readNow();
          await reading;
        }
      } catch (error) {
        if (!(error instanceof DrError) || !known.some(isOther)) throw error;
      }
      const next = known.find(isOther);
      current = next ?? current;
      return next;
    },
  };
}

/** Asks for a key once. At `endAt` it is given up, where there is one; it is read on for those who ask next. */
export async function askForKey(
  ask: () => Promise<HubConnection | undefined>,
  clock: Clock,
  endAt: number | undefined,
): Promise<Attempt<HubConnection | undefined>> {
  const sentAt = clock.now();
  const again = (seen: string) => ({ kind: 'again', seen, sentAt, hasNoEffect: true }) as const;
  try {
    const value = await (endAt === undefined ? ask() : inTime(ask(), Math.max(1, endAt - sentAt)));
    return value === 'late' ? again('no key in time') : { kind: 'done', value };
  } catch (error) {
    if (!(error instanceof DrError && error.retryable)) throw error;
    return again(error.seen ?? error.code);
  }
}

async function inTime<T>(work: Promise<T>, limitMs: number): Promise<T | 'late'> {
  const { promise: late, resolve } = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => resolve('late'), limitMs);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
