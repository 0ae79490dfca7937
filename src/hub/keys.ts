import { DrError } from '../core/errors.ts';
import type { HubConnection } from './connection-string.ts';

/** The keys of one hub, kept in memory only. They do not end by themselves. */
export interface HubKeys {
  /** What to use after the refused one, or at first: what is known, or what is read now. Throws a `DrError`. */
  after(refused: HubConnection | undefined): Promise<HubConnection>;
}

/**
 * `read` gives all keys that are valid now, the one to use first. Calls that want new keys at the same time read them
 * together. While they cannot be read, one that was not refused yet is used: of the two keys of a policy, a rotation
 * often changes only one.
 */
export function createKeys(read: () => Promise<readonly HubConnection[]>, given?: HubConnection): HubKeys {
  let known: readonly HubConnection[] = given === undefined ? [] : [given];
  let current = given;
  let reading: Promise<HubConnection> | undefined;
  const refusedKeys = new Set<string>();
  const findOther = (): HubConnection | undefined => known.find(({ key }) => !refusedKeys.has(key));
  const readNow = async (): Promise<HubConnection> => {
    try {
      known = await read();
      // It may have become valid since.
      const next = findOther() ?? known[0];
      refusedKeys.clear();
      if (next !== undefined) return next;
    } catch (error) {
      const spare = error instanceof DrError && refusedKeys.size > 0 ? findOther() : undefined;
      if (spare === undefined) throw error;
      return spare;
    }
    throw new DrError('HubUnauthorized', 'The access policy of the hub has no key.');
  };
  return {
    async after(refused) {
      if (current !== undefined && current !== refused) return current;
      if (refused !== undefined) refusedKeys.add(refused.key);
      reading ??= readNow().finally(() => {
        reading = undefined;
      });
      current = await reading;
      return current;
    },
  };
}

/** The keys in time, or `undefined`: they are read on for those who ask next. */
export async function inTime(keys: Promise<HubConnection>, limitMs: number): Promise<HubConnection | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), limitMs);
  try {
    return await Promise.race([keys, late]);
  } finally {
    clearTimeout(timer);
  }
}
