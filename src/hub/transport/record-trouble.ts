import { RecordFault } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';
import type { HubRequest } from './request.ts';
import type { SentFailure } from './retry.ts';
import { Overdue, Served, type UnderWay } from './served.ts';

/** So often the hub fails at a record while it serves others before others get its place. */
const OWN_FAILURES = 3;
const OVERDUE_AFTER_MS = 5000;
/** In that time, how often calls are looked at that the hub has not answered yet. */
const LOOKS = 5;

export interface RecordTroubleOptions {
  readonly clock: Clock;
  /** What messages call the hub. */
  readonly where: string;
  /** How long a call that gives its place to others is waited for while the hub carries out later ones. */
  readonly overdueAfterMs?: number;
}

/** Tells a hub that fails at one record from one that fails: that it serves others shows it. */
export class RecordTrouble {
  readonly served = new Served();
  readonly #options: RecordTroubleOptions;
  /** Calls that give their place to others. */
  readonly #overdue: Overdue;
  readonly #lookEveryMs: number;
  #looking: ReturnType<typeof setInterval> | undefined;

  constructor(options: RecordTroubleOptions) {
    const { overdueAfterMs = OVERDUE_AFTER_MS } = options;
    this.#options = options;
    this.#overdue = new Overdue(overdueAfterMs);
    this.#lookEveryMs = overdueAfterMs / LOOKS;
  }

  /**
   * For the failed attempts of one call: counts how often the hub has failed at this record, and served others between
   * two of them. When no other is under way, `serves` asks it for something else.
   */
  openOwnFault({ operation, givesWay, isPage }: HubRequest, serves: () => Promise<boolean>) {
    const { clock, where } = this.#options;
    let servedBefore = this.served.count();
    let failures = 0;
    let own = 0;
    return async (failure: SentFailure): Promise<RecordFault | undefined> => {
      const { status, words, seen, hasNoEffect, isLast, waitMs, isGivenUp = false } = failure;
      // A hub that says when to come again speaks of itself.
      if (isPage && waitMs !== undefined) return undefined;
      failures += 1;
      const isQuiet = !isGivenUp && this.served.count() === servedBefore;
      if (isQuiet && failures < OWN_FAILURES && !isLast) return undefined;
      if (isQuiet && !(await serves())) return undefined;
      servedBefore = this.served.count();
      own += 1;
      const isEnough =
        isLast || isGivenUp || (givesWay === true && own >= OWN_FAILURES) || (isPage && failures >= OWN_FAILURES);
      if (!isEnough) return undefined;
      const what = isPage ? 'these rows of its listing' : 'this record';
      const message = `The ${where} serves others, but not ${what}; last seen: ${seen}.`;
      const isSure = this.served.isServed(operation, clock.now());
      return new RecordFault('HubUnavailable', message, {
        ...{ retryable: true, hasNoEffect, target: where, seen, status, words, isSure, isSilent: isGivenUp },
      });
    };
  }

  /** Begins to watch a call that gives its place to others. */
  watch(call: UnderWay, serves: () => Promise<boolean>): void {
    this.#overdue.begin(call);
    if (this.#looking !== undefined) return;
    const look = (): void => {
      if (this.#overdue.isEmpty) this.close();
      else void this.#overdue.look(this.#options.clock.now(), serves);
    };
    this.#looking = setInterval(look, this.#lookEveryMs).unref();
  }

  /** `isServed`: the hub has carried it out. */
  end(call: UnderWay, isServed: boolean): void {
    this.#overdue.end(call, this.#options.clock.now(), isServed);
  }

  close(): void {
    clearInterval(this.#looking);
    this.#looking = undefined;
  }
}
