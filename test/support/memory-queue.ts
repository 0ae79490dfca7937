import type { StepQueue } from '../../src/core/ports.ts';

export interface MemoryQueue extends StepQueue {
  /** Takes every message that is visible by now, in the order in which they became so. */
  take(): readonly string[];
  /** When the next message becomes visible (epoch ms); `undefined` when there is none. */
  nextAt(): number | undefined;
}

/** A queue in memory. Order and delays are exact; who wants messages twice or late takes and sends them so. */
export function createMemoryQueue(now: () => number = Date.now): MemoryQueue {
  let waiting: { readonly text: string; readonly visibleAt: number }[] = [];
  return {
    send: async (texts, delaySeconds = 0) => {
      const visibleAt = now() + delaySeconds * 1_000;
      waiting = [...waiting, ...texts.map((text) => ({ text, visibleAt }))].sort((a, b) => a.visibleAt - b.visibleAt);
    },
    take: () => {
      const nowMs = now();
      const visible = waiting.filter((message) => message.visibleAt <= nowMs);
      waiting = waiting.filter((message) => message.visibleAt > nowMs);
      return visible.map((message) => message.text);
    },
    nextAt: () => waiting[0]?.visibleAt,
  };
}
