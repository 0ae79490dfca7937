import type { Operation } from './answer.ts';

/** What a call is about: one registration or installation, the hub having to do with it only as the place. */
const OF_RECORD: ReadonlySet<Operation> = new Set([
  'putRegistration',
  'updateRegistration',
  'findRegistration',
  'findByTag',
  'deleteRegistration',
  'putInstallation',
  'deleteInstallation',
]);

export function isOfRecord(operation: Operation): boolean {
  return OF_RECORD.has(operation);
}

/** For so long it counts that the hub has carried out a call. */
const LATE_MS = 10 * 60_000;
/** The newest calls about records that are looked at, one bit each. */
const NEWEST = 0xfffff;

/** Which calls a hub has carried out of late: that shows whether trouble is one record's or the hub's. */
export class Served {
  #count = 0;
  #conflicts = 0;
  readonly #lastAt = new Map<Operation, number>();

  /** Calls that were carried out so far. */
  count(): number {
    return this.#count;
  }

  note(operation: Operation, nowMs: number): void {
    this.#count += 1;
    this.#lastAt.set(operation, nowMs);
  }

  /** Whether it has carried out such a call not long ago. */
  isServed(operation: Operation, nowMs: number): boolean {
    return nowMs - (this.#lastAt.get(operation) ?? Number.NEGATIVE_INFINITY) < LATE_MS;
  }

  /** Of the first attempt of a call about a record: whether it was answered 409. */
  noteConflict(isConflict: boolean): void {
    this.#conflicts = ((this.#conflicts << 1) | (isConflict ? 1 : 0)) & NEWEST;
  }

  /** Older versions of the API throttle with 409: then one call seldom gets it alone. */
  isThrottling(): boolean {
    return (this.#conflicts & (this.#conflicts - 1)) !== 0;
  }
}
