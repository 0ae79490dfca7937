import { describe, expect, test } from 'vitest';
import type { QueueName, StepQueue } from '../../src/core/ports.ts';

export interface QueueUnderTest {
  readonly queue: StepQueue;
  /** Takes every message of the queue that is visible, decoded as the Functions host decodes them. */
  take(queue: QueueName): Promise<readonly string[]>;
}

/** What every implementation of `StepQueue` holds to. `open` answers empty queues, possibly not yet created. */
export function stepQueueContract(title: string, open: () => Promise<QueueUnderTest>): void {
  describe(`${title}: sending`, () => {
    test('a message arrives as it was sent, whatever its text', async () => {
      const { queue, take } = await open();
      const texts = ['{"kind":"scan"}', 'zwölf 😀 <&>"\n\t', ' spaces ', '123'];
      await queue.send('restores', texts);
      expect([...(await take('restores'))].sort()).toEqual([...texts].sort());
      expect(await take('restores')).toEqual([]);
    });

    test('every message of a large batch arrives', async () => {
      const { queue, take } = await open();
      const texts = Array.from({ length: 300 }, (_, index) => `step ${index}`);
      await queue.send('restores', texts);
      const taken: string[] = [];
      for (let more = await take('restores'); more.length > 0; more = await take('restores')) taken.push(...more);
      expect(new Set(taken)).toEqual(new Set(texts));
      expect(taken).toHaveLength(300);
    });

    test('no message is no fault', async () => {
      const { queue, take } = await open();
      await queue.send('restores', []);
      expect(await take('restores')).toEqual([]);
    });

    test('a delayed message is not seen before its time, and then it is', async () => {
      const { queue, take } = await open();
      const sentAt = Date.now();
      await queue.send('restores', ['later'], 1.5);
      await queue.send('restores', ['now']);
      expect(await take('restores')).toEqual(['now']);
      await expect.poll(() => take('restores'), { timeout: 10_000, interval: 100 }).toEqual(['later']);
      expect(Date.now() - sentAt).toBeGreaterThanOrEqual(1_500);
    });

    test('a message is in its own queue only', async () => {
      const { queue, take } = await open();
      const names = ['restores', 'backups', 'rest', 'writes', 'former'] as const;
      for (const name of names) await queue.send(name, [`for ${name}`]);
      for (const name of names) expect(await take(name)).toEqual([`for ${name}`]);
    });
  });

  describe(`${title}: peeking`, () => {
    test('tells what is visible in a lane and takes nothing', async () => {
      const { queue, take } = await open();
      await queue.send('backups', ['{"n":1}', 'zwölf 😀']);
      await queue.send('backups', ['later'], 600);
      await queue.send('rest', ['elsewhere']);
      for (const _ of ['once', 'again']) {
        expect([...(await queue.peek('backups'))].sort()).toEqual(['zwölf 😀', '{"n":1}']);
      }
      expect(await take('backups')).toHaveLength(2);
      expect(await queue.peek('backups')).toEqual([]);
    });

    test('of a queue that does not exist yet tells nothing', async () => {
      const { queue } = await open();
      expect(await queue.peek('restores')).toEqual([]);
    });

    test('tells 32 messages at most', async () => {
      const { queue } = await open();
      await queue.send(
        'restores',
        Array.from({ length: 40 }, (_, index) => `step ${index}`),
      );
      expect(await queue.peek('restores')).toHaveLength(32);
    });
  });
}
