/**
 * Runs `work` over the items, at most `limit` at once. The first failure stops new work, and is thrown when nothing is
 * under way any more.
 */
export function forEachConcurrent<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  return createWorkers(limit).forEach(items, work);
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
  /** Until fewer than `count` items wait for their turn. */
  untilFewerWait(count: number): Promise<void>;
  stop(): void;
  isStopped(): boolean;
}

export function createWorkers(limit: number): Workers {
  const turns = new Set<() => Promise<void>>();
  let working = 0;
  let isStopped = false;
  let room: { readonly count: number; readonly resolve: () => void } | undefined;

  const worker = async (): Promise<void> => {
    working += 1;
    for (const turn of turns) {
      turns.delete(turn);
      if (room !== undefined && turns.size < room.count) room.resolve();
      await turn();
    }
    working -= 1;
  };
  return {
    async forEach<T>(items: readonly T[], work: (item: T) => Promise<void>) {
      const failures: unknown[] = [];
      const ends = items.map((item) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        turns.add(async () => {
          try {
            if (!isStopped) await work(item);
          } catch (error) {
            isStopped = true;
            failures.push(error);
          }
          resolve();
        });
        return promise;
      });
      while (working < limit && turns.size > 0) void worker();
      await Promise.all(ends);
      if (failures.length > 0) throw failures[0];
    },
    untilFewerWait(count) {
      if (turns.size < count) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      room = { count, resolve };
      return promise;
    },
    stop() {
      isStopped = true;
    },
    isStopped: () => isStopped,
  };
}
