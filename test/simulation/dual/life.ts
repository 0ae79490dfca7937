import type { Log, World } from '../../../src/core/ports.ts';
import { Died, tellError } from '../hosts.ts';
import { type Process, runAs } from '../net.ts';
import { aheadOf, createProcessWorld } from '../process-world.ts';
import type { Random } from '../random.ts';
import type { Scheduler } from '../scheduler.ts';

export interface LifeParts<Inside> {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly trace: (line: () => string) => void;
  readonly sometimes: (what: string) => void;
  readonly onBug: (what: string) => void;
  /** What it is made of each time it starts. */
  readonly start: (world: World, log: Log) => Inside;
  /** It died; or it is frozen until then. */
  readonly onStop?: (until?: number) => void;
}

/** A process that dies and comes back empty, or freezes for minutes: of a backend, or of the app. */
export class Life<Inside> implements Process {
  readonly name: string;
  readonly skewMs: number;
  readonly holder = undefined;
  readonly #parts: LifeParts<Inside>;
  readonly #asked = new Set<(error: Error) => void>();
  epoch = 0;
  pausedUntil = 0;
  #isAlive = true;
  #isGone = false;
  #aheadMs = 0;
  #inside: Inside;

  constructor(name: string, skewMs: number, parts: LifeParts<Inside>) {
    this.name = name;
    this.skewMs = skewMs;
    this.#parts = parts;
    this.#inside = this.#start();
  }

  get isWell(): boolean {
    return this.#isAlive && this.pausedUntil <= this.#parts.scheduler.now;
  }

  noteStorageTime(storageMs: number): void {
    this.#aheadMs = aheadOf(storageMs, this.#parts.scheduler.now + this.skewMs);
  }

  /** For ever. */
  leave(): void {
    this.#isGone = true;
    this.die();
  }

  die(): void {
    const { scheduler, random, sometimes, trace, onStop } = this.#parts;
    if (!this.#isAlive) return;
    sometimes('processDied');
    trace(() => `DIES ${this.name}`);
    this.epoch += 1;
    this.#isAlive = false;
    onStop?.();
    for (const reject of this.#asked) reject(new Died());
    this.#asked.clear();
    scheduler.after(random.spread(500, 90_000), () => {
      if (this.#isGone) return;
      this.#isAlive = true;
      this.pausedUntil = 0;
      this.#aheadMs = 0;
      this.#inside = this.#start();
    });
  }

  pause(): void {
    const { scheduler, random, sometimes, trace, onStop } = this.#parts;
    sometimes('processPaused');
    this.pausedUntil = Math.max(this.pausedUntil, scheduler.now + random.spread(500, 300_000));
    trace(() => `FREEZES ${this.name}`);
    onStop?.(this.pausedUntil);
  }

  /** A call from outside, as part of a deed where it has a name. Rejects with `Died` when the process dies first. */
  ask<T>(deed: string | undefined, work: (inside: Inside) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#asked.add(reject);
      const done = (settle: () => void): void => {
        if (this.#asked.delete(reject)) settle();
      };
      runAs({ process: this, epoch: this.epoch, runId: deed, pass: 0 }, () => work(this.#inside)).then(
        (value) => done(() => resolve(value)),
        (error: unknown) => done(() => reject(error)),
      );
    });
  }

  /** As `ask`, of what the app does by itself: what it may throw is nothing. */
  async attempt(work: (inside: Inside) => Promise<void>, isExpected: (error: unknown) => boolean): Promise<void> {
    try {
      await this.ask(undefined, work);
    } catch (error) {
      if (!(error instanceof Died) && !isExpected(error)) this.#parts.onBug(tellError(error));
    }
  }

  #start(): Inside {
    const { scheduler, random, trace, sometimes, start } = this.#parts;
    const line =
      (level: string): Log['info'] =>
      (message, fields) => {
        sometimes(`app: ${message}`);
        trace(() => `${this.name} ${level}: ${message} ${JSON.stringify(fields ?? {})}`);
      };
    const log = { info: line('log'), warn: line('warn'), error: line('error') };
    const world = createProcessWorld(this, { scheduler, random, aheadMs: () => this.#aheadMs });
    return runAs({ process: this, epoch: this.epoch, runId: undefined, pass: 0 }, () => start(world, log));
  }
}
