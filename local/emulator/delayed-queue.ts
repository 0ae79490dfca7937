import type { World } from './world.ts';

/**
 * Order among the writes that wait under one key. `kept`: as pushed. `drawn`: each after its own delay, so that a
 * later one may come first. `reversed`: the latest first.
 */
export type WriteOrder = 'kept' | 'drawn' | 'reversed';

interface Waiting {
  readonly dueAt: number;
  readonly run: () => void;
}

/** Runs work after a delay; what waits under different keys does not wait for each other. */
export class DelayedQueue {
  readonly #world: World;
  /** Under each key in the order in which it will run. */
  readonly #waiting = new Map<string, Waiting[]>();
  #length = 0;
  /** Callbacks from before the last flush have nothing left to run. */
  #flushCount = 0;

  constructor(world: World) {
    this.#world = world;
  }

  get length(): number {
    return this.#length;
  }

  isWaiting(key: string): boolean {
    return this.#waiting.has(key);
  }

  /** With no delay, and nothing waiting that has to go first, `run` is called before this returns. */
  push(key: string, delayMs: number, order: WriteOrder, run: () => void): void {
    const queue = this.#waiting.get(key) ?? [];
    if (delayMs <= 0 && (queue.length === 0 || order !== 'kept')) {
      run();
      return;
    }
    const dueAt = this.#world.now() + delayMs;
    const laterAt = order === 'drawn' ? queue.findIndex((each) => each.dueAt > dueAt) : -1;
    queue.splice(order === 'reversed' ? 0 : laterAt === -1 ? queue.length : laterAt, 0, { dueAt, run });
    this.#waiting.set(key, queue);
    this.#length += 1;
    const flushCount = this.#flushCount;
    this.#world.after(delayMs, () => {
      if (flushCount === this.#flushCount) this.#runFirst(key);
    });
  }

  /** Runs all that waits, now. */
  flush(): void {
    this.#flushCount += 1;
    const queues = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#length = 0;
    for (const { run } of queues.flat()) run();
  }

  /** As many callbacks come as writes wait: each runs the one whose turn it is. */
  #runFirst(key: string): void {
    const queue = this.#waiting.get(key) ?? [];
    const first = queue.shift();
    if (queue.length === 0) this.#waiting.delete(key);
    this.#length -= 1;
    first?.run();
  }
}
