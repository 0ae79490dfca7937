/**
 * Runs `work` over the items, at most `limit` at once. The first failure stops new work, and is thrown when nothing is
 * under way any more.
 */
export function forEachConcurrent<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  return createWorkers(() => limit).forEach(items, work);
}

/** The same, with what came of each item, in the order of the items. */
export async function mapConcurrent<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  await forEachConcurrent([...items.entries()], limit, async ([index, item]) => {
    results[index] = await work(item);
  });
  return results;
}

/** Works on several lists, in the order they are given, at most this many items at once over all lists. */
export interface Workers {
  /** As `forEachConcurrent`, but the first failure stops new work on all lists. */
  forEach<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void>;
  /** Until fewer than `count` items wait for their turn, or none does. */
  untilFewerWait(count: number): Promise<void>;
  stop(): void;
  isStopped(): boolean;
}

/** `limit` is asked again after each item: it may rise. */
export function createWorkers(limit: () => number): Workers {
  /** Of each list that has items left: works at its next one. It does not reject. */
  const lists: (() => Promise<void>)[] = [];
  let waiting = 0;
  let working = 0;
  let isStopped = false;
  let room: { readonly count: number; readonly resolve: () => void } | undefined;

  const worker = async (): Promise<void> => {
    working += 1;
    while (waiting > 0) {
      waiting -= 1;
      if (room !== undefined && waiting < room.count) room.resolve();
      await lists[0]?.();
      fill();
    }
    working -= 1;
  };
  const fill = (): void => {
    while (working < limit() && waiting > 0) void worker();
  };
  return {
    forEach<T>(items: readonly T[], work: (item: T) => Promise<void>) {
      if (items.length === 0) return Promise.resolve();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const failures: unknown[] = [];
      const rest = items.values();
      // Counted, because a promise for each of thousands of items would cost more than the rest of this.
      let [begun, ended] = [0, 0];
      lists.push(async () => {
        begun += 1;
        if (begun === items.length) lists.shift();
        const { value, done } = rest.next();
        try {
          if (!isStopped && !done) await work(value);
        } catch (error) {
          isStopped = true;
          failures.push(error);
        }
        ended += 1;
        if (ended < items.length) return;
        if (failures.length > 0) reject(failures[0]);
        else resolve();
      });
      waiting += items.length;
      fill();
      return promise;
    },
    untilFewerWait(count) {
      if (waiting < Math.max(1, count)) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      room = { count: Math.max(1, count), resolve };
      return promise;
    },
    stop() {
      isStopped = true;
    },
    isStopped: () => isStopped,
  };
}
