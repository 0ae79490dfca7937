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
  const lists: List[] = [];
  let waiting = 0;
  let working = 0;
  let isStopped = false;
  let room: { readonly count: number; readonly resolve: () => void } | undefined;

  /** The list whose next item's turn it is. */
  const takeTurn = (): List | undefined => {
    const [list] = lists;
    if (list === undefined) return undefined;
    list.begun += 1;
    if (list.begun === list.count) lists.shift();
    waiting -= 1;
    if (room !== undefined && waiting < room.count) {
      room.resolve();
      room = undefined;
    }
    return list;
  };
  const worker = async (): Promise<void> => {
    working += 1;
    for (let list = takeTurn(); list !== undefined; list = takeTurn()) {
      try {
        if (!isStopped) await list.workAtNext();
      } catch (error) {
        isStopped = true;
        list.failures.push(error);
      }
      list.ended += 1;
      if (list.ended === list.count) list.end();
    }
    working -= 1;
  };
  return {
    forEach<T>(items: readonly T[], work: (item: T) => Promise<void>) {
      if (items.length === 0) return Promise.resolve();
      return new Promise<void>((resolve, reject) => {
        const failures: unknown[] = [];
        const rest = items.values();
        lists.push({
          count: items.length,
          begun: 0,
          ended: 0,
          failures,
          workAtNext: () => {
            const { value, done } = rest.next();
            return done ? undefined : work(value);
          },
          end: () => (failures.length > 0 ? reject(failures[0]) : resolve()),
        });
        waiting += items.length;
        while (working < limit && waiting > 0) void worker();
      });
    },
    untilFewerWait(count) {
      if (waiting < count) return Promise.resolve();
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

/** One call of `forEach`: counters instead of a task an item, of which there are thousands. */
interface List {
  readonly count: number;
  begun: number;
  ended: number;
  readonly failures: unknown[];
  readonly workAtNext: () => Promise<void> | undefined;
  readonly end: () => void;
}
