import type { App } from '../../src/app/app.ts';
import type { Log, World } from '../../src/core/ports.ts';
import type { Engine } from './engine.ts';
import type { Knobs } from './knobs.ts';
import { type Process, runAs } from './net.ts';
import type { Message, Queue } from './queue.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/** The process died before it answered. */
export class Died extends Error {}

export interface HostParts {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly knobs: Knobs;
  readonly engine: Engine;
  readonly queue: Queue;
  readonly trace: (line: () => string) => void;
  readonly sometimes: (what: string) => void;
  /** What all processes share; roles as the settings are at the moment. */
  readonly shared: () => Omit<App, 'world' | 'memory' | 'log' | 'backgroundLog'>;
  /** A process dies, or freezes. */
  readonly onStop: () => void;
  /** What the app must never throw. */
  readonly onBug: (what: string) => void;
}

/** One process of the Functions host. It dies, comes back empty, or freezes for minutes. */
export class Host implements Process {
  readonly name: string;
  readonly #parts: HostParts;
  readonly #taken = new Set<Message>();
  readonly #asked = new Set<(error: Error) => void>();
  epoch = 0;
  isAlive = true;
  pausedUntil = 0;
  #app: App;

  constructor(name: string, parts: HostParts) {
    this.name = name;
    this.#parts = parts;
    this.#app = this.#start();
  }

  get isWell(): boolean {
    return this.isAlive && this.pausedUntil <= this.#parts.scheduler.now;
  }

  die(): void {
    const { scheduler, random, sometimes, queue, onStop } = this.#parts;
    sometimes('hostDied');
    onStop();
    this.epoch += 1;
    this.isAlive = false;
    for (const message of this.#taken) queue.abandoned(message);
    this.#taken.clear();
    for (const reject of this.#asked) reject(new Died());
    this.#asked.clear();
    scheduler.after(random.spread(1000, 90_000), () => this.#restart());
  }

  #restart(): void {
    this.isAlive = true;
    this.pausedUntil = 0;
    this.#app = this.#start();
  }

  pause(): void {
    const { scheduler, random, sometimes, queue, onStop } = this.#parts;
    onStop();
    const milliseconds = random.spread(5000, 900_000);
    sometimes(milliseconds > 300_000 ? 'hostPausedLong' : 'hostPaused');
    this.pausedUntil = scheduler.now + milliseconds;
    // A frozen process renews no lease: others take up what it holds, and it resumes beside them.
    for (const message of this.#taken) if (random.chance(0.5)) queue.abandoned(message);
  }

  /** Takes a message if there is room. */
  take(message: Message): boolean {
    const { engine, queue, knobs, onBug } = this.#parts;
    if (!this.isWell || this.#taken.size >= knobs.messagesPerHost) return false;
    this.#taken.add(message);
    const step = engine.parseStep(JSON.parse(message.text));
    const { epoch } = this;
    const app = this.#app;
    const end = (work: () => void): void => {
      if (this.epoch !== epoch) return;
      this.#taken.delete(message);
      work();
    };
    runAs({ process: this, epoch, runId: step.runId, pass: step.pass }, () => engine.runStep(app, step)).then(
      () => end(() => queue.done(message)),
      (error: unknown) => {
        if (!(error instanceof engine.DrError)) onBug(`runStep threw ${tellError(error)}`);
        end(() => queue.failed(message));
      },
    );
    return true;
  }

  /** A call from outside, or a timer's. Rejects with `Died` when the process dies first. */
  ask<T>(work: (app: App, engine: Engine) => Promise<T>): Promise<T> {
    const { engine } = this.#parts;
    return new Promise<T>((resolve, reject) => {
      this.#asked.add(reject);
      const done = (settle: () => void): void => {
        this.#asked.delete(reject);
        settle();
      };
      runAs({ process: this, epoch: this.epoch, runId: undefined, pass: 0 }, () => work(this.#app, engine)).then(
        (value) => done(() => resolve(value)),
        (error: unknown) => done(() => reject(error)),
      );
    });
  }

  #start(): App {
    const { engine, shared } = this.#parts;
    const log = this.#log();
    return { ...shared(), world: this.#world(), memory: engine.createMemory(), log, backgroundLog: log };
  }

  #world(): World {
    const { scheduler, random } = this.#parts;
    const { epoch } = this;
    const wake = (resolve: () => void): void => {
      if (this.epoch !== epoch) return;
      if (this.pausedUntil > scheduler.now) scheduler.at(this.pausedUntil, () => wake(resolve));
      else resolve();
    };
    const repeat: World['repeat'] = (everyMs, work) => {
      let isStopped = false;
      const next = (): void => scheduler.after(everyMs, () => wake(act));
      const act = (): void => {
        if (!isStopped) runAs({ process: this, epoch, runId: undefined, pass: 0 }, work).then(next);
      };
      next();
      return () => {
        isStopped = true;
      };
    };
    return {
      repeat,
      now: () => scheduler.now,
      storageNow: () => scheduler.now,
      sleep: (milliseconds) => new Promise((resolve) => scheduler.after(milliseconds, () => wake(resolve))),
      nextTurn: () => Promise.resolve(),
      newSuffix: () => random.below(0x1000000).toString(16).padStart(6, '0'),
      // As they are: compressed bytes differ from one version of zlib to the next, and cost most of the time.
      gzip: (bytes) => Promise.resolve(bytes),
      gunzip: (bytes) => Promise.resolve(bytes),
    };
  }

  #log(): Log {
    const { trace, sometimes } = this.#parts;
    const line =
      (level: string): Log['info'] =>
      (message, fields) => {
        sometimes(`app: ${message}`);
        trace(() => `${this.name} ${level}: ${message} ${JSON.stringify(fields ?? {})}`);
      };
    return { info: line('log'), warn: line('warn'), error: line('error') };
  }
}

export function tellError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.name}: ${error.message} ${error.stack?.split('\n')[1]?.trim() ?? ''}`;
}
