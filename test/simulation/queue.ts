import type { QueueName, StepQueue } from '../../src/core/ports.ts';
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
const MAX_PEEKED = 32;

export interface Message {
  readonly queue: QueueName;
  readonly text: string;
  /** No process holds it, and its delay is over. */
  isVisible: boolean;
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

/** The step queues: at least once, late, out of order; where the seed says so, not at all. */
export class Queue {
  readonly #parts: QueueParts;
  /** Takes a message if there is a process with room for it. */
  take: (message: Message) => boolean = () => false;
  readonly #waiting = new Set<Message>();

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  /** Messages that are neither done nor given up. */
  get waitingCount(): number {
    return this.#waiting.size;
  }

  peek(queue: QueueName): readonly string[] {
    const visible = [...this.#waiting].filter((message) => message.isVisible && message.queue === queue);
    return visible.slice(0, MAX_PEEKED).map(({ text }) => text);
  }

  send(queue: QueueName, text: string, delayMs: number): void {
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
      const lateMs = isLate ? random.spread(1000, 400_000) : random.below(POLL_MS);
      const message = { queue, text, isVisible: false, dequeueCount: 0, holder: undefined, isDone: false };
      this.#waiting.add(message);
      this.#show(message, delayMs + lateMs);
    }
  }

  done(message: Message): void {
    this.#waiting.delete(message);
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
      message.isVisible = !this.take(message);
      if (message.isVisible) this.#show(message, POLL_MS + random.below(POLL_MS));
    });
  }
}

/** The `StepQueue` port of any process. */
export function createQueuePort(queue: Queue, net: Net, engine: Engine, knobs: Knobs): StepQueue {
  const fault = (): Error =>
    new engine.DrError('StorageUnavailable', 'The simulated queue does not answer.', { retryable: true });
  const call = <T>(label: string, effect: () => T): Promise<T> =>
    net.call({ label, milliseconds: knobs.storageMs, faults: knobs.storageFaults, effect, fault });
  return {
    send: (name, texts, delaySeconds = 0) =>
      call(`send ${texts.length} of ${texts[0] ?? ''}`, () => {
        for (const text of texts) queue.send(name, text, delaySeconds * 1000);
      }),
    peek: (lane) => call(`peek ${lane}`, () => queue.peek(lane)),
  };
}
