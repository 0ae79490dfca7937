import { AsyncLocalStorage } from 'node:async_hooks';
import type { Knobs } from './knobs.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/** A process of the app: what it waits for is lost with it. */
export interface Process {
  readonly name: string;
  /** Rises with each death. */
  readonly epoch: number;
  /** It stands still until then. */
  readonly pausedUntil: number;
  die(): void;
  pause(): void;
}

/** On whose behalf a call is made. */
export interface Caller {
  readonly process: Process;
  /** Of a step: the run it belongs to. */
  readonly runId: string | undefined;
  readonly pass: number;
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
  readonly milliseconds: number;
  /** How often it fails. */
  readonly faults: number;
  /** It fails then, whatever becomes of it. */
  readonly deadlineAt?: number;
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
}

/** What lies between the processes and their services: time, and everything that can go wrong on the way. */
export class Net {
  readonly #parts: NetParts;

  constructor(parts: NetParts) {
    this.#parts = parts;
  }

  /** Carries out a call of the current process. Its promise is never settled when the process dies. */
  call<T>(call: Call<T>): Promise<T> {
    const { scheduler, random, knobs } = this.#parts;
    const caller = currentCaller();
    const { process } = caller;
    const { epoch } = process;
    const fate = this.#drawFate(call.faults);
    const isSlow = random.next() < knobs.slowShare && !this.#parts.isHealed();
    const milliseconds = Math.ceil(call.milliseconds * (0.5 + random.next()) * (isSlow ? knobs.slowness : 1));
    const lateMs = random.next() < knobs.lateAnswers ? random.below(4 * call.milliseconds + 1) : 0;
    return new Promise<T>((resolve, reject) => {
      const settle = (work: () => void, at = scheduler.now): void => {
        if (process.epoch !== epoch) return;
        if (process.pausedUntil > at) scheduler.at(process.pausedUntil, () => settle(work));
        else work();
      };
      let isOver = false;
      const end = (work: () => void): void => {
        if (isOver) return;
        isOver = true;
        settle(work);
      };
      const fail = (error: unknown): void => end(() => reject(error));
      const arrive = (): void => {
        if (fate.kind === 'deadBefore') return this.#kill(process, epoch, call.label);
        if (fate.kind === 'failsBefore') return fail(this.#fault(call));
        // The process died while the call was on its way: it may have been sent.
        if (process.epoch !== epoch && random.chance(0.5)) return;
        const value = this.#apply(call, caller);
        if (fate.kind === 'deadAfter') return this.#kill(process, epoch, call.label);
        if (fate.kind === 'failsAfter') return fail(this.#fault(call));
        if (fate.kind === 'pauses' && process.epoch === epoch) process.pause();
        if (value.kind === 'thrown') return fail(value.error);
        if (lateMs === 0) end(() => resolve(value.value));
        else scheduler.after(lateMs, () => end(() => resolve(value.value)));
      };
      scheduler.after(milliseconds, arrive);
      const { deadlineAt } = call;
      if (deadlineAt !== undefined && scheduler.now + milliseconds + lateMs > deadlineAt) {
        this.#parts.sometimes('deadlinePassedInACall');
        scheduler.at(deadlineAt, () => fail(call.fault()));
      }
    });
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
    return call.fault();
  }

  #kill(process: Process, epoch: number, label: string): void {
    if (process.epoch !== epoch) return;
    this.#parts.trace(() => `DEATH of ${process.name} at ${label}`);
    process.die();
  }

  #drawFate(faults: number): { kind: 'fine' | 'deadBefore' | 'deadAfter' | 'failsBefore' | 'failsAfter' | 'pauses' } {
    const { random, knobs, isHealed } = this.#parts;
    let lot = random.next();
    if (isHealed()) return { kind: 'fine' };
    if (lot < knobs.deaths) return { kind: lot < knobs.deaths / 2 ? 'deadBefore' : 'deadAfter' };
    lot -= knobs.deaths;
    if (lot < faults) return { kind: lot < faults / 2 ? 'failsBefore' : 'failsAfter' };
    lot -= faults;
    return { kind: lot < knobs.pauses ? 'pauses' : 'fine' };
  }
}

type Applied<T> = { readonly kind: 'value'; readonly value: T } | { readonly kind: 'thrown'; readonly error: unknown };

function tellValue(value: unknown): string {
  if (typeof value === 'string') return ` -> ${value}`;
  if (typeof value === 'object' && value !== null && 'kind' in value) return ` -> ${String(value.kind)}`;
  return value === undefined ? ' -> none' : '';
}
