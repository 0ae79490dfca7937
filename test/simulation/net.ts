import { AsyncLocalStorage } from 'node:async_hooks';
import type { Step } from '../../src/core/run/step.ts';
import type { Knobs } from './knobs.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/** A process of the app: what it waits for is lost with it. */
export interface Process {
  readonly name: string;
  /** Rises with each death. */
  readonly epoch: number;
  /** It is frozen until then. */
  readonly pausedUntil: number;
  /** By how much its clock is ahead. */
  readonly skewMs: number;
  /** By which its leases name it. */
  readonly holder: string | undefined;
  /** The storage has answered, and said what time it is. */
  noteStorageTime(storageMs: number): void;
  die(): void;
  pause(): void;
}

/** On whose behalf a call is made. */
export interface Caller {
  readonly process: Process;
  /** The process's when it began. */
  readonly epoch: number;
  /** Of a step: the run it belongs to. */
  readonly runId: string | undefined;
  readonly pass: number;
  readonly step?: Step;
  /** The message that step is of. */
  readonly message?: { readonly step: string; readonly isOdd: boolean };
}

const callers = new AsyncLocalStorage<Caller>();

export function runAs<T>(caller: Caller, work: () => T): T {
  return callers.run(caller, work);
}

export function currentCaller(): Caller {
  const caller = callers.getStore();
  if (caller === undefined) throw new Error('A port was called outside any process.');
  return caller;
}

export interface Call<T> {
  readonly label: string;
  readonly isOfHub?: boolean;
  readonly milliseconds: number;
  /** How often it fails. */
  readonly faults: number;
  /** It fails then, whatever becomes of it. */
  readonly deadlineAt?: number;
  /** Before it is sent. */
  readonly waitMs?: number;
  /** No server answers: it fails without effect. */
  readonly isUnanswered?: boolean;
  readonly effect: (caller: Caller) => T;
  readonly fault: () => Error;
}

export interface NetParts {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly knobs: Knobs;
  readonly trace: (line: () => string) => void;
  readonly sometimes: (what: string) => void;
  /** No faults any more. */
  isHealed: () => boolean;
  readonly onCall: (caller: Caller, isOfHub: boolean, milliseconds: number) => void;
  /** A call failed by chance. */
  readonly onFault: (label: string) => void;
  /** The caller of a hub got no answer. */
  readonly onUnanswered: (caller: Caller, label: string, isSent: boolean) => void;
}

/** What lies between the processes and their services: time, and everything that can go wrong on the way. */
export class Net {
  readonly #parts: NetParts;

  constructor(parts: NetParts) {
    this.#parts = parts;
  }

  /** Carries out a call of the current process. Its promise is never settled when the process dies. */
  call<T>(call: Call<T>): Promise<T> {
    const { scheduler, random, knobs, isHealed, sometimes } = this.#parts;
    const caller = currentCaller();
    const fate = this.#drawFate(call);
    const isSlow = random.next() < knobs.slowShare && !isHealed();
    const { deadlineAt = Number.POSITIVE_INFINITY, waitMs = 0 } = call;
    const tripMs = call.milliseconds * (0.5 + random.next()) * (isSlow ? knobs.slowness : 1);
    const milliseconds = Math.ceil(waitMs + tripMs);
    const lateMs = random.next() < knobs.lateAnswers ? random.below(4 * call.milliseconds + 1) : 0;
    this.#parts.onCall(caller, call.isOfHub === true, milliseconds + lateMs);
    // The client sends nothing after the deadline, to which the process was frozen.
    if (deadlineAt <= caller.process.pausedUntil && deadlineAt <= scheduler.now) {
      sometimes('deadlinePassedWhileFrozen');
      return Promise.reject(this.#fault(call));
    }
    return new Promise<T>((resolve, reject) => {
      const end = endOnce(caller.process, scheduler);
      const fail = (error: unknown): void =>
        end(() => {
          if (call.isOfHub === true) this.#parts.onUnanswered(caller, call.label, call.isUnanswered !== true);
          reject(error);
        });
      scheduler.after(milliseconds, () => {
        const applied = this.#carryOut(call, caller, fate);
        if (fate === 'failsBefore' || fate === 'failsAfter') fail(this.#fault(call));
        else if (applied?.kind === 'thrown') fail(applied.error);
        else if (applied === undefined) return;
        else if (lateMs === 0) end(() => resolve(applied.value));
        else scheduler.after(lateMs, () => end(() => resolve(applied.value)));
      });
      if (scheduler.now + milliseconds + lateMs <= deadlineAt) return;
      sometimes('deadlinePassedInACall');
      scheduler.at(deadlineAt, () => fail(call.fault()));
    });
  }

  #carryOut<T>(call: Call<T>, caller: Caller, fate: Fate): Applied<T> | undefined {
    const { process, epoch } = caller;
    // The process may have died while the call was on its way: then it may have been sent.
    const isSent = process.epoch === epoch || this.#parts.random.chance(0.5);
    const isApplied = isSent && fate !== 'deadBefore' && fate !== 'failsBefore';
    const applied = isApplied ? this.#apply(call, caller) : undefined;
    if (process.epoch !== epoch) return applied;
    if (fate === 'deadBefore' || fate === 'deadAfter') {
      this.#parts.trace(() => `DEATH of ${process.name} at ${call.label}`);
      process.die();
    }
    if (fate === 'pauses') process.pause();
    return applied;
  }

  #apply<T>(call: Call<T>, caller: Caller): Applied<T> {
    try {
      const value = call.effect(caller);
      this.#parts.trace(() => `${caller.process.name} ${call.label}${tellValue(value)}`);
      return { kind: 'value', value };
    } catch (error) {
      return { kind: 'thrown', error };
    }
  }

  #fault<T>(call: Call<T>): Error {
    this.#parts.trace(() => `FAULT ${call.label}`);
    if (call.isUnanswered !== true) this.#parts.onFault(call.label);
    return call.fault();
  }

  #drawFate({ faults, isUnanswered = false }: Pick<Call<unknown>, 'faults' | 'isUnanswered'>): Fate {
    const { random, knobs, isHealed } = this.#parts;
    let lot = random.next();
    if (isUnanswered) return 'failsBefore';
    if (isHealed()) return 'fine';
    if (lot < knobs.deaths) return lot < knobs.deaths / 2 ? 'deadBefore' : 'deadAfter';
    lot -= knobs.deaths;
    if (lot < faults) return lot < faults / 2 ? 'failsBefore' : 'failsAfter';
    lot -= faults;
    return lot < knobs.pauses ? 'pauses' : 'fine';
  }
}

type Fate = 'fine' | 'deadBefore' | 'deadAfter' | 'failsBefore' | 'failsAfter' | 'pauses';

type Applied<T> = { readonly kind: 'value'; readonly value: T } | { readonly kind: 'thrown'; readonly error: unknown };

/** Settles a call once, and only while its process lives and is not frozen. */
function endOnce(process: Process, scheduler: Scheduler): (settle: () => void) => void {
  const { epoch } = process;
  let isOver = false;
  const when = (settle: () => void): void => {
    if (process.epoch !== epoch) return;
    if (process.pausedUntil > scheduler.now) scheduler.at(process.pausedUntil, () => when(settle));
    else settle();
  };
  return (settle) => {
    if (isOver) return;
    isOver = true;
    when(settle);
  };
}

function tellValue(value: unknown): string {
  if (typeof value === 'string') return ` -> ${value}`;
  if (typeof value === 'object' && value !== null && 'kind' in value) return ` -> ${String(value.kind)}`;
  return value === undefined ? ' -> none' : '';
}
