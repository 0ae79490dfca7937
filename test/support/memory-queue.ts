import type { StepQueue } from '../../src/core/ports.ts';

export interface MemoryQueue extends StepQueue {
  /** Takes every message that is visible by now, or the first of them, in the order in which they became so. */
  take(most?: number): readonly string[];
  /** When the next message becomes visible (epoch ms); `undefined` when there is none. */
  nextAt(): number | undefined;
  /** A queue with the same messages. */
  copy(now: () => number): MemoryQueue;
}

interface Message {
  readonly text: string;
  readonly visibleAt: number;
}

/** A queue in memory. Order and delays are exact; who wants messages twice or late takes and sends them so. */
export function createMemoryQueue(now: () => number = Date.now): MemoryQueue {
  return openMemoryQueue(now, []);
}

function openMemoryQueue(now: () => number, messages: readonly Message[]): MemoryQueue {
  let waiting = messages;
  return {
    send: async (texts, delaySeconds = 0) => {
      const visibleAt = now() + delaySeconds * 1_000;
      waiting = [...waiting, ...texts.map((text) => ({ text, visibleAt }))].sort((a, b) => a.visibleAt - b.visibleAt);
    },
    take: (most) => {
      const nowMs = now();
      const taken = waiting.filter((message) => message.visibleAt <= nowMs).slice(0, most);
      waiting = waiting.slice(taken.length);
      return taken.map((message) => message.text);
    },
    nextAt: () => waiting[0]?.visibleAt,
    copy: (copyNow) => openMemoryQueue(copyNow, waiting),
  };
}
