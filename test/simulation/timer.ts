import type { Host } from './hosts.ts';
import type { Stage } from './stage.ts';

/** Of the blob lease of 60 seconds by which one host has the timers: what may be left of it when that host dies. */
const LEFT_MS = [30_000, 60_000] as const;

/** The watchdog's timer: one process has it, and another some time after that one died. */
export class Timer {
  readonly #stage: Stage;
  readonly #work: (host: Host) => void;
  #holder: Host | undefined;
  #epoch = 0;
  #isDue = false;
  /** When another process may take it; never while its holder lives. */
  #freeAt = 0;

  constructor(stage: Stage, work: (host: Host) => void) {
    this.#stage = stage;
    this.#work = work;
  }

  /** It is time. */
  tick(): void {
    this.#isDue = true;
    if (this.#isHeld()) this.#fire();
    else this.#take();
  }

  /** A process died, froze, or is back. */
  turned(): void {
    const { scheduler } = this.#stage;
    if (this.#isHeld()) this.#freeAt = Number.POSITIVE_INFINITY;
    else if (this.#freeAt === Number.POSITIVE_INFINITY) {
      const [least, most] = LEFT_MS;
      this.#freeAt = scheduler.now + this.#stage.hostRandom.between(least, most);
      scheduler.at(this.#freeAt, () => this.#take());
    } else this.#take();
  }

  #isHeld(): boolean {
    return this.#holder?.isWell === true && this.#holder.epoch === this.#epoch;
  }

  #take(): void {
    const { scheduler, host } = this.#stage;
    if (scheduler.now < this.#freeAt || host === undefined) return;
    this.#holder = host;
    this.#epoch = host.epoch;
    this.#freeAt = Number.POSITIVE_INFINITY;
    if (this.#isDue) this.#fire();
  }

  #fire(): void {
    this.#isDue = false;
    if (this.#holder !== undefined) this.#work(this.#holder);
  }
}
