import type { App } from '../../src/app/app.ts';
import type { Log } from '../../src/core/ports.ts';
import type { Engine } from './engine.ts';
import type { Knobs } from './knobs.ts';
import { type Process, runAs } from './net.ts';
import { aheadOf, createProcessWorld } from './process-world.ts';
import type { Delivery, Queue } from './queue.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/** The platform ends a process so long after it has called its hook. */
const STOPPED_AFTER_MS = 5000;

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
  /** A process dies, or freezes, with steps of these runs in hand. */
  readonly onStop: (runIds: readonly string[]) => void;
  /** What the app must never throw. */
  readonly onBug: (what: string) => void;
  /** It died, froze, or is back. */
  readonly onTurn: () => void;
}

/** One process of the Functions host. It dies, comes back empty, or freezes for minutes. */
export class Host implements Process {
  readonly name: string;
  readonly #parts: HostParts;
  readonly skewMs: number;
  readonly #taken = new Set<Delivery>();
  readonly #asked = new Set<(error: Error) => void>();
  epoch = 0;
  isAlive = true;
  pausedUntil = 0;
  /** When it took the first step of a run, in this life. */
  readonly #workedSince = new Map<string, number>();
  #isGone = false;
  #isStopping = false;
  /** How far the storage's clock is ahead, as its answers tell. */
  #aheadMs = 0;
  #app: App;

  constructor(name: string, skewMs: number, parts: HostParts) {
    this.name = name;
    this.skewMs = skewMs;
    this.#parts = parts;
    this.#app = this.#start();
  }

  get isWell(): boolean {
    return this.isAlive && this.pausedUntil <= this.#parts.scheduler.now;
  }

  get holder(): string | undefined {
    return this.#app.memory.processId;
  }

  noteStorageTime(storageMs: number): void {
    this.#aheadMs = aheadOf(storageMs, this.#parts.scheduler.now + this.skewMs);
  }

  /** Since before that time. */
  hasWatched(runId: string, since: number): boolean {
    return this.#app.memory.watched.has(runId) && (this.#workedSince.get(runId) ?? Number.POSITIVE_INFINITY) < since;
  }

  /** For ever. */
  leave(): void {
    this.#isGone = true;
    if (this.isAlive) this.die();
  }

  die(): void {
    const { scheduler, random, sometimes, queue, onStop, onTurn } = this.#parts;
    sometimes('hostDied');
    onStop(this.#runsInHand());
    this.epoch += 1;
    this.isAlive = false;
    this.#isStopping = false;
    for (const delivery of this.#taken) queue.abandoned(delivery);
    this.#taken.clear();
    this.#workedSince.clear();
    onTurn();
    for (const reject of this.#asked) reject(new Died());
    this.#asked.clear();
    scheduler.after(random.spread(1000, 90_000), () => this.#restart());
  }

  #restart(): void {
    if (this.#isGone) return;
    this.isAlive = true;
    this.pausedUntil = 0;
    this.#aheadMs = 0;
    this.#app = this.#start();
    this.#parts.onTurn();
    this.ask((app, engine) => engine.watchActiveRuns(app)).catch((error: unknown) => {
      if (error instanceof Died || error instanceof this.#parts.engine.DrError) return;
      this.#parts.onBug(`watchActiveRuns threw ${tellError(error)}`);
    });
  }

  /** By its hook it gives its steps back. */
  stop(): void {
    if (!this.isWell || this.#isStopping) return;
    const { scheduler, sometimes, trace, engine, onBug } = this.#parts;
    sometimes('hostStopped');
    trace(() => `STOP of ${this.name}`);
    this.#isStopping = true;
    const { epoch } = this;
    const end = (): void => {
      if (this.epoch === epoch) this.die();
    };
    scheduler.after(STOPPED_AFTER_MS, end);
    this.ask((app) => engine.stopSteps(app)).then(end, (error: unknown) => {
      if (error instanceof Died || error instanceof engine.DrError) return;
      onBug(`stopSteps threw ${tellError(error)}`);
    });
  }

  pause(): void {
    const { scheduler, random, sometimes, queue, onStop, onTurn } = this.#parts;
    onStop(this.#runsInHand());
    const milliseconds = random.spread(5000, 900_000);
    sometimes(milliseconds > 300_000 ? 'hostPausedLong' : 'hostPaused');
    // One that is frozen already stays so: what waits for its end is woken then.
    this.pausedUntil = Math.max(this.pausedUntil, scheduler.now + milliseconds);
    // A frozen process renews no lease: others take up what it holds, and it resumes beside them.
    for (const delivery of this.#taken) queue.abandoned(delivery, this.pausedUntil);
    onTurn();
    scheduler.at(this.pausedUntil, onTurn);
  }

  #runsInHand(): string[] {
    return [...this.#taken].map(({ message }) => message.runId);
  }

  /** Each queue has slots of its own. */
  hasRoom({ message }: Delivery): boolean {
    const taken = [...this.#taken].filter((one) => one.message.queue === message.queue);
    return this.isWell && !this.#isStopping && taken.length < this.#parts.knobs.messagesPerHost;
  }

  take(delivery: Delivery): void {
    const { engine, queue, onBug, scheduler } = this.#parts;
    const { message } = delivery;
    this.#taken.add(delivery);
    const step = engine.parseStep(JSON.parse(message.text));
    if (!this.#workedSince.has(step.runId)) this.#workedSince.set(step.runId, scheduler.now);
    const { epoch } = this;
    const app = this.#app;
    const end = (work: () => void): void => {
      if (this.epoch !== epoch) return;
      this.#taken.delete(delivery);
      work();
    };
    const { runId, pass } = step;
    runAs({ process: this, epoch, runId, pass, step, message }, () => engine.runStep(app, step)).then(
      () => end(() => queue.done(delivery)),
      (error: unknown) => {
        if (!(error instanceof engine.DrError)) onBug(`runStep threw ${tellError(error)}`);
        end(() => queue.failed(delivery));
      },
    );
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
    const { scheduler, random } = this.#parts;
    const world = createProcessWorld(this, { scheduler, random, aheadMs: () => this.#aheadMs });
    return { ...shared(), world, memory: engine.createMemory(), log, backgroundLog: log };
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
