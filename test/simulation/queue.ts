import type { StepQueue } from '../../src/core/ports.ts';
import type { Engine } from './engine.ts';
import type { Knobs } from './knobs.ts';
import type { Net } from './net.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/** As in host.json. */
const MAX_DEQUEUE_COUNT = 5;
const RETRY_AFTER_MS = 10_000;
/** A message whose holder died shows again some time within its lease. */
const LEASE_MS = 600_000;
const POLL_MS = 500;

export interface Message {
  readonly text: string;
  dequeueCount: number;
  /** Of the last process that took it. */
  holder: object | undefined;
  isDone: boolean;
}

export interface QueueParts {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly knobs: Knobs;
  readonly isHealed: () => boolean;
  readonly trace: (line: () => string) => void;
  readonly sometimes: (what: string) => void;
}

/** The one step queue: at least once, late, out of order; where the seed says so, not at all. */
export class Queue {
  readonly #parts: QueueParts;
  /** Takes a message if there is a process with room for it. */
  take: (message: Message) => boolean = () => false;
  #waiting = 0;

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  /** Messages that are neither done nor given up. */
  get waitingCount(): number {
    return this.#waiting;
  }

  send(text: string, delayMs: number): void {
    const { random, knobs, isHealed, sometimes } = this.#parts;
    const isFaulty = !isHealed();
    if (isFaulty && random.chance(knobs.lostMessages)) {
      sometimes('messageLost');
      this.#parts.trace(() => `LOST ${text}`);
      return;
    }
    const copies = isFaulty && random.chance(knobs.doubledMessages) ? 2 : 1;
    if (copies === 2) sometimes('messageDoubled');
    for (let copy = 0; copy < copies; copy += 1) {
      const isLate = isFaulty && random.chance(knobs.lateMessages);
      if (isLate) sometimes('messageLate');
      this.#waiting += 1;
      const lateMs = isLate ? random.spread(1000, 400_000) : random.below(POLL_MS);
      this.#show({ text, dequeueCount: 0, holder: undefined, isDone: false }, delayMs + lateMs);
    }
  }

  done(message: Message): void {
    if (!message.isDone) this.#waiting -= 1;
    message.isDone = true;
  }

  failed(message: Message): void {
    if (message.isDone) return;
    message.dequeueCount += 1;
    if (message.dequeueCount >= MAX_DEQUEUE_COUNT) {
      this.#parts.sometimes('messagePoisoned');
      this.done(message);
    } else this.#show(message, RETRY_AFTER_MS);
  }

  /** Its holder died, or is frozen for longer than its lease. */
  abandoned(message: Message): void {
    if (message.isDone) return;
    this.#parts.sometimes('messageAbandoned');
    this.#show(message, this.#parts.random.spread(1000, LEASE_MS));
  }

  #show(message: Message, delayMs: number): void {
    const { scheduler, random } = this.#parts;
    scheduler.after(delayMs, () => {
      if (message.isDone) return;
      if (!this.take(message)) this.#show(message, POLL_MS + random.below(POLL_MS));
    });
  }
}

/** The `StepQueue` port of any process. */
export function createQueuePort(queue: Queue, net: Net, engine: Engine, knobs: Knobs): StepQueue {
  const fault = (): Error =>
    new engine.DrError('StorageUnavailable', 'The simulated queue does not answer.', { retryable: true });
  return {
    send: (texts, delaySeconds = 0) =>
      net.call({
        label: `send ${texts.length} of ${texts[0] ?? ''}`,
        milliseconds: knobs.storageMs,
        faults: knobs.storageFaults,
        effect: () => {
          for (const text of texts) queue.send(text, delaySeconds * 1000);
        },
        fault,
      }),
  };
}
