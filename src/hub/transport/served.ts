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

/** A call about one record that the hub may leave without an answer. */
export interface UnderWay {
  readonly sentAt: number;
  /** Ends the wait for its answer. */
  readonly giveUp: () => void;
}

/** One of them is waited for this many times as long, to see whether its answer only comes late. */
const WAITED_FOR_TIMES = 4;
/** As many calls that were sent later have been carried out before one counts as left without an answer. */
const LATER_CALLS = 16;
/** For this long after a call that was carried out, the hub is asked whether it serves. */
const QUIET_MS = 60_000;
/** For so long it is known that a hub which is slow with some calls answers them after all, or does not. */
const KNOWN_MS = 10 * 60_000;

/**
 * Tells a hub that leaves one record without an answer from one that is slow with all of them: it carries out calls that
 * were sent later, or, when no other is under way, one that is made to find that out. Every ten minutes one call is
 * waited for longer: where an answer comes that late, all are waited for.
 */
export class Overdue {
  readonly #patienceMs: number;
  /** In the order in which they were sent. */
  readonly #underWay = new Set<UnderWay>();
  /** When the newest calls that were carried out had been sent. */
  readonly #sentAt: number[] = [];
  #place = 0;
  #waitedFor: UnderWay | undefined;
  #waitedAt = Number.NEGATIVE_INFINITY;
  #lateAt = Number.NEGATIVE_INFINITY;
  #servedAt = Number.NEGATIVE_INFINITY;

  /** So long any call is waited for. */
  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  get isEmpty(): boolean {
    return this.#underWay.size === 0;
  }

  begin(call: UnderWay): void {
    this.#underWay.add(call);
  }

  /** `isServed`: it was carried out. */
  end(call: UnderWay, nowMs: number, isServed: boolean): void {
    this.#underWay.delete(call);
    if (this.#waitedFor === call) {
      this.#waitedFor = undefined;
      this.#waitedAt = nowMs;
    }
    if (!isServed) return;
    this.#servedAt = nowMs;
    if (nowMs - call.sentAt >= this.#patienceMs) this.#lateAt = nowMs;
    this.#sentAt[this.#place] = call.sentAt;
    this.#place = (this.#place + 1) % LATER_CALLS;
  }

  /** Gives up what is overdue; `serves` makes a call, and tells whether the hub has carried that out. */
  async look(nowMs: number, serves: () => Promise<boolean>): Promise<void> {
    if (nowMs - this.#lateAt < KNOWN_MS) return;
    const isOverdue = (call: UnderWay): boolean =>
      this.#underWay.has(call) &&
      nowMs - call.sentAt >= this.#patienceMs * (call === this.#waitedFor ? WAITED_FOR_TIMES : 1);
    const overdue = [...this.#underWay].filter(isOverdue);
    if (this.#waitedFor === undefined && nowMs - this.#waitedAt >= KNOWN_MS) this.#waitedFor = overdue[0];
    const { passed = [], others = [] } = Object.groupBy(overdue.filter(isOverdue), (call) =>
      this.#isPassed(call) ? 'passed' : 'others',
    );
    for (const call of passed) call.giveUp();
    if (others.length === 0 || nowMs - this.#servedAt >= QUIET_MS || !(await serves())) return;
    for (const call of others.filter(isOverdue)) call.giveUp();
  }

  #isPassed({ sentAt }: UnderWay): boolean {
    return this.#sentAt.length === LATER_CALLS && this.#sentAt.every((later) => later > sentAt);
  }
}
