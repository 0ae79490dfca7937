import type { QueueName, StepQueue } from '../../src/core/ports.ts';
import type { Engine } from './engine.ts';
import type { Knobs } from './knobs.ts';
import { type Caller, currentCaller, type Net } from './net.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/** As in host.json. */
const MAX_DEQUEUE_COUNT = 5;
const RETRY_AFTER_MS = 10_000;
/** A message that is taken is hidden for so long; while its host lives, that begins again at each half of it. */
const HIDDEN_MS = 600_000;
const RENEWED_AFTER_MS = 300_000;
const POLL_MS = 500;
const MAX_PEEKED = 32;

export interface Message {
  readonly queue: QueueName;
  readonly text: string;
  readonly runId: string;
  /** The step it is of, however often that was deferred. */
  readonly step: string;
  /**
   * The queue itself made it come twice, or late, or again after its delivery failed, or its sender did not hear that it
   * is there. So is each of a step whose others are odd: it may be there twice until all but one are done.
   */
  isOdd: boolean;
  visibleAt: number;
  readonly sentAt: number;
  /** No process has it. */
  isFree: boolean;
  dequeueCount: number;
  /** Of its last delivery. */
  takenAt: number;
  isDone: boolean;
}

/** One delivery of a message. After the next one its receipt is of no use. */
export interface Delivery {
  readonly message: Message;
  readonly receipt: number;
}

export interface QueueParts {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly knobs: Knobs;
  readonly isHealed: () => boolean;
  readonly trace: (line: () => string) => void;
  readonly sometimes: (what: string) => void;
  /** A process begins to send messages of that run. */
  readonly onSending: (runId: string) => void;
  /** A message was added beside others of the queue. */
  readonly onSent: (message: Message, others: Iterable<Message>, sender: Caller['message']) => void;
  /** A message of that run is lost, or late. */
  readonly onAstray: (runId: string) => void;
  /** It was given up after too many deliveries. */
  readonly onPoisoned?: (message: Message) => void;
}

/** The step queues: at least once, late, out of order; where the seed says so, not at all. */
export class Queue {
  readonly #parts: QueueParts;
  /** Takes a message if there is a process with room for it. */
  take: (delivery: Delivery) => boolean = () => false;
  readonly #waiting = new Set<Message>();

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  /** Messages that are neither done nor given up. */
  get waitingCount(): number {
    return this.#waiting.size;
  }

  sending(text: string): void {
    this.#parts.onSending(stepIn(text).runId);
  }

  peek(queue: QueueName): readonly string[] {
    const { now } = this.#parts.scheduler;
    const isVisible = (message: Message): boolean =>
      message.isFree && message.visibleAt <= now && message.queue === queue;
    return [...this.#waiting]
      .filter(isVisible)
      .slice(0, MAX_PEEKED)
      .map(({ text }) => text);
  }

  /** Those that are there now. */
  send(queue: QueueName, text: string, delayMs: number, sender: Caller['message']): Message[] {
    const { random, knobs, isHealed, sometimes } = this.#parts;
    const isFaulty = !isHealed();
    if (isFaulty && random.chance(knobs.lostMessages)) {
      sometimes('messageLost');
      this.#parts.onAstray(stepIn(text).runId);
      this.#parts.trace(() => `LOST ${text}`);
      return [];
    }
    const copies = isFaulty && random.chance(knobs.doubledMessages) ? 2 : 1;
    if (copies === 2) sometimes('messageDoubled');
    return Array.from({ length: copies }, () => this.#add(queue, text, delayMs, copies === 2, sender));
  }

  #add(queue: QueueName, text: string, delayMs: number, isDoubled: boolean, sender: Caller['message']): Message {
    const { random, knobs, isHealed, sometimes, scheduler } = this.#parts;
    const isLate = !isHealed() && random.chance(knobs.lateMessages);
    const { runId, step } = stepIn(text);
    if (isLate) {
      sometimes('messageLate');
      this.#parts.onAstray(runId);
    }
    const lateMs = isLate ? random.spread(1000, 400_000) : 0;
    const message: Message = {
      queue,
      text,
      runId,
      step,
      isOdd: isDoubled || isLate,
      visibleAt: scheduler.now + delayMs + lateMs,
      sentAt: scheduler.now,
      isFree: true,
      dequeueCount: 0,
      takenAt: 0,
      isDone: false,
    };
    this.#parts.onSent(message, this.#waiting, sender);
    this.#waiting.add(message);
    this.#offer(message, message.visibleAt + random.below(POLL_MS));
    return message;
  }

  done(delivery: Delivery): void {
    if (isCurrent(delivery)) this.#remove(delivery.message);
  }

  failed(delivery: Delivery): void {
    const { message } = delivery;
    if (!isCurrent(delivery)) return;
    if (message.dequeueCount >= MAX_DEQUEUE_COUNT) this.#poison(message);
    else {
      // Hidden, it is neither in hand nor queued, and its step may be enqueued again.
      message.isOdd = true;
      this.#showAgain(message, this.#parts.scheduler.now + RETRY_AFTER_MS);
    }
  }

  /** Its holder died, or is frozen until then: it shows again, unless the holder has ended by then. */
  abandoned(delivery: Delivery, until = Number.POSITIVE_INFINITY): void {
    const { scheduler, sometimes } = this.#parts;
    const { message } = delivery;
    if (!isCurrent(delivery)) return;
    const heldMs = scheduler.now - message.takenAt;
    const showsAt = scheduler.now + HIDDEN_MS - (heldMs % RENEWED_AFTER_MS);
    if (showsAt >= until) return;
    sometimes('messageAbandoned');
    message.isOdd = true;
    this.#showAgain(message, showsAt);
  }

  #showAgain(message: Message, at: number): void {
    const { dequeueCount } = message;
    this.#parts.scheduler.at(at, () => {
      if (message.isDone || message.dequeueCount !== dequeueCount) return;
      message.isFree = true;
      message.visibleAt = at;
      this.#offer(message, at);
    });
  }

  /** To all processes, until one takes it. */
  #offer(message: Message, at: number): void {
    const { scheduler, random } = this.#parts;
    scheduler.at(at, () => {
      if (message.isDone || !message.isFree) return;
      if (message.dequeueCount >= MAX_DEQUEUE_COUNT) this.#poison(message);
      else if (this.take({ message, receipt: message.dequeueCount + 1 })) {
        message.isFree = false;
        message.takenAt = scheduler.now;
        message.dequeueCount += 1;
      } else this.#offer(message, scheduler.now + POLL_MS + random.below(POLL_MS));
    });
  }

  #poison(message: Message): void {
    this.#parts.sometimes('messagePoisoned');
    this.#parts.onPoisoned?.(message);
    this.#remove(message);
  }

  #remove(message: Message): void {
    this.#waiting.delete(message);
    message.isDone = true;
  }
}

/** The step as text, whatever the order of its fields. */
function stepIn(text: string): Pick<Message, 'runId' | 'step'> {
  const { attempt: _, ...step } = JSON.parse(text);
  return { runId: step.runId, step: JSON.stringify(Object.entries(step).sort()) };
}

function isCurrent({ message, receipt }: Delivery): boolean {
  return !message.isDone && message.dequeueCount === receipt;
}

/** The `StepQueue` port of any process. */
export function createQueuePort(queue: Queue, net: Net, engine: Pick<Engine, 'DrError'>, knobs: Knobs): StepQueue {
  const call = <T>(label: string, effect: () => T, onFault: () => void = () => {}): Promise<T> => {
    const fault = (): Error => {
      onFault();
      return new engine.DrError('StorageUnavailable', 'The simulated queue does not answer.', { retryable: true });
    };
    return net.call({ label, milliseconds: knobs.storageMs, faults: knobs.storageFaults, effect, fault });
  };
  return {
    send(name, texts, delaySeconds = 0) {
      const sent: Message[] = [];
      const { message } = currentCaller();
      for (const text of texts) queue.sending(text);
      const send = (): void => {
        for (const text of texts) sent.push(...queue.send(name, text, delaySeconds * 1000, message));
      };
      const doubt = (): void => {
        for (const message of sent) message.isOdd = true;
      };
      return call(`send ${texts.length} of ${texts[0] ?? ''}`, send, doubt);
    },
    peek: (lane) => call(`peek ${lane}`, () => queue.peek(lane)),
  };
}
