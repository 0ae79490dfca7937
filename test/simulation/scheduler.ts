import type { Random } from './random.ts';

interface Event {
  readonly at: number;
  /** Decides among events of one instant. */
  readonly turn: number;
  readonly run: () => void;
}

/**
 * Virtual time. One event happens after another; what its promises set off comes to rest before the next one, so that
 * the order of everything follows from the seed.
 */
export class Scheduler {
  #now: number;
  readonly #random: Random;
  readonly #heap: Event[] = [];
  #count = 0;

  constructor(startAt: number, random: Random) {
    this.#now = startAt;
    this.#random = random;
  }

  /** Epoch ms. */
  get now(): number {
    return this.#now;
  }

  /** How many events happened so far. */
  get count(): number {
    return this.#count;
  }

  /** In whole milliseconds, as clocks are. */
  at(at: number, run: () => void): void {
    this.#push({ at: Math.max(Math.ceil(at), this.#now), turn: this.#random.next(), run });
  }

  after(milliseconds: number, run: () => void): void {
    this.at(this.#now + milliseconds, run);
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.after(milliseconds, resolve));
  }

  /** Lets time pass until `isOver`, or until nothing is left to happen. Throws what an event throws. */
  run(isOver: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const step = (): void => {
        try {
          const event = isOver() ? undefined : this.#pop();
          if (event === undefined) resolve();
          else {
            this.#now = event.at;
            this.#count += 1;
            event.run();
            // A tick comes once no microtask is left; it is asked for from within one, or it would come before.
            queueMicrotask(() => process.nextTick(step));
          }
        } catch (error) {
          reject(error);
        }
      };
      process.nextTick(step);
    });
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt];
      if (parent === undefined || !isBefore(event, parent)) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const leftAt = 2 * at + 1;
      const left = heap[leftAt];
      const right = heap[leftAt + 1];
      const isRight = left !== undefined && right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (child === undefined || !isBefore(child, last)) break;
      heap[at] = child;
      at = isRight ? leftAt + 1 : leftAt;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.turn < b.turn);
}
