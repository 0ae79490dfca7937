import type { QueueName, StepQueue } from '../../src/core/ports.ts';
import { MAX_PEEKED } from '../../src/core/run/lane.ts';

export interface MemoryQueue extends StepQueue {
  /** Takes every visible message, or the first of them, in the order in which they became so; of all queues, or one. */
  take(most?: number, queue?: QueueName): readonly string[];
  /** Puts texts back into the queues they were taken from; the others into the former one. */
  putBack(texts: readonly string[], delaySeconds?: number): Promise<void>;
  /** When the next message becomes visible (epoch ms); `undefined` when there is none. */
  nextAt(): number | undefined;
  /** A queue with the same messages. */
  copy(now: () => number): MemoryQueue;
}

interface Message {
  readonly queue: QueueName;
  readonly text: string;
  readonly visibleAt: number;
}

/** The queues in memory. Order and delays are exact; who wants messages twice or late takes and sends them so. */
export function createMemoryQueue(now: () => number = Date.now): MemoryQueue {
  return openMemoryQueue(now, []);
}

function openMemoryQueue(now: () => number, messages: readonly Message[]): MemoryQueue {
  let waiting = messages;
  const takenFrom = new Map<string, QueueName>();
  const add = async (queueOf: (text: string) => QueueName, texts: readonly string[], delaySeconds = 0) => {
    const visibleAt = now() + delaySeconds * 1_000;
    const added = texts.map((text) => ({ queue: queueOf(text), text, visibleAt }));
    waiting = [...waiting, ...added].sort((a, b) => a.visibleAt - b.visibleAt);
  };
  const visible = () => waiting.filter(({ visibleAt }) => visibleAt <= now());
  return {
    send: (queue, texts, delaySeconds) => add(() => queue, texts, delaySeconds),
    peek: async (lane) =>
      visible()
        .filter(({ queue }) => queue === lane)
        .slice(0, MAX_PEEKED)
        .map(({ text }) => text),
    take: (most, only) => {
      const taken = visible()
        .filter(({ queue }) => only === undefined || queue === only)
        .slice(0, most);
      waiting = waiting.filter((message) => !taken.includes(message));
      for (const { text, queue } of taken) takenFrom.set(text, queue);
      return taken.map(({ text }) => text);
    },
    putBack: (texts, delaySeconds) => add((text) => takenFrom.get(text) ?? 'former', texts, delaySeconds),
    nextAt: () => waiting[0]?.visibleAt,
    copy: (copyNow) => openMemoryQueue(copyNow, waiting),
  };
}
