import type { Clock } from '../../core/ports.ts';
import type { Operation } from './answer.ts';

/** That the hub serves a call which is made to find that out is known for so long. */
const SERVES_MS = 1000;
const LOOK_MS = 2000;

/** Calls that are made only to see whether the hub serves: who asks soon after the newest one shares it. */
export class Shared<T> {
  readonly #clock: Clock;
  readonly #newest = new Map<Operation, { readonly at: number; readonly came: Promise<T> }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * What the newest such call came to, or a new one. That has a time of its own where the call in doubt has used up its:
   * one call more does no harm.
   */
  ask(operation: Operation, deadlineAt: number, begin: (until: number) => Promise<T>): Promise<T> {
    const now = this.#clock.now();
    const newest = this.#newest.get(operation);
    if (newest !== undefined && now - newest.at < SERVES_MS) return newest.came;
    const came = begin(Math.max(deadlineAt, now + LOOK_MS));
    this.#newest.set(operation, { at: now, came });
    return came;
  }
}
