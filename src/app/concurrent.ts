/** Runs `work` over the items, at most `limit` at once. The first failure stops new work and is thrown at the end. */
export async function forEachConcurrent<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  let hasFailed = false;
  const worker = async (): Promise<void> => {
    while (next < items.length && !hasFailed) {
      const item = items[next];
      next += 1;
      if (item === undefined) continue;
      try {
        await work(item);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  const settled = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, worker));
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** Works on several lists, in the order they are given, at most so many items at once whichever list they are of. */
export interface Workers {
  /** As `forEachConcurrent`, but the first failure stops new work on all lists. */
  forEach<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void>;
  /** Until fewer than `count` items wait for their turn. */
  untilFewerWait(count: number): Promise<void>;
  stop(): void;
  isStopped(): boolean;
}

export function createWorkers(limit: number): Workers {
  const waiting: (() => Promise<void>)[] = [];
  let working = 0;
  let isStopped = false;
  let room: { readonly count: number; readonly resolve: () => void } | undefined;

  const worker = async (): Promise<void> => {
    working += 1;
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
      if (room !== undefined && waiting.length < room.count) {
        room.resolve();
        room = undefined;
      }
      await task();
    }
    working -= 1;
  };
  return {
    forEach(items, work) {
      return new Promise((resolve, reject) => {
        let openCount = items.length;
        const failures: unknown[] = [];
        if (openCount === 0) resolve();
        for (const item of items) {
          waiting.push(async () => {
            try {
              if (!isStopped) await work(item);
            } catch (error) {
              isStopped = true;
              failures.push(error);
            }
            openCount -= 1;
            if (openCount > 0) return;
            if (failures.length > 0) reject(failures[0]);
            else resolve();
          });
        }
        while (working < limit && waiting.length > 0) void worker();
      });
    },
    untilFewerWait(count) {
      if (waiting.length < count) return Promise.resolve();
      return new Promise((resolve) => {
        room = { count, resolve };
      });
    },
    stop() {
      isStopped = true;
    },
    isStopped: () => isStopped,
  };
}
