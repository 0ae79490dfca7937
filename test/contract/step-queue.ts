import { describe, expect, test } from 'vitest';
import type { StepQueue } from '../../src/core/ports.ts';

export interface QueueUnderTest {
  readonly queue: StepQueue;
  /** Takes every message that is visible, decoded as the Functions host decodes them. */
  take(): Promise<readonly string[]>;
}

/** What every implementation of `StepQueue` holds to. `open` answers an empty queue, possibly not yet created. */
export function stepQueueContract(title: string, open: () => Promise<QueueUnderTest>): void {
  describe(`${title}: sending`, () => {
    test('a message arrives as it was sent, whatever its text', async () => {
      const { queue, take } = await open();
      const texts = ['{"kind":"scan"}', 'zwölf 😀 <&>"\n\t', ' spaces ', '123'];
      await queue.send(texts);
      expect([...(await take())].sort()).toEqual([...texts].sort());
      expect(await take()).toEqual([]);
    });

    test('every message of a large batch arrives', async () => {
      const { queue, take } = await open();
      const texts = Array.from({ length: 300 }, (_, index) => `step ${index}`);
      await queue.send(texts);
      const taken: string[] = [];
      for (let more = await take(); more.length > 0; more = await take()) taken.push(...more);
      expect(new Set(taken)).toEqual(new Set(texts));
      expect(taken).toHaveLength(300);
    });

    test('no message is no fault', async () => {
      const { queue, take } = await open();
      await queue.send([]);
      expect(await take()).toEqual([]);
    });

    test('a delayed message is not seen before its time, and then it is', async () => {
      const { queue, take } = await open();
      const sentAt = Date.now();
      await queue.send(['later'], 1.5);
      await queue.send(['now']);
      expect(await take()).toEqual(['now']);
      await expect.poll(take, { timeout: 10_000, interval: 100 }).toEqual(['later']);
      expect(Date.now() - sentAt).toBeGreaterThanOrEqual(1_500);
    });
  });
}
