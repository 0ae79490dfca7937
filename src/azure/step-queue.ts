import { Buffer } from 'node:buffer';
import { QueueClient } from '@azure/storage-queue';
import { DrError } from '../core/errors.ts';
import type { QueueName, StepQueue } from '../core/ports.ts';
import { MAX_PEEKED } from '../core/run/lane.ts';
import { ifThere } from './answers.ts';
import { type StorageConnection, type StorageLimits, storageLimits } from './connection.ts';
import { openClient } from './credential.ts';
import { statusOf, storageFault } from './fault.ts';
import { within } from './time-limit.ts';
import { tryAgain } from './try-again.ts';

export interface AzureStepQueueOptions {
  readonly connection: StorageConnection;
  /** The name of each queue. */
  readonly queues: Readonly<Record<QueueName, string>>;
  readonly limits?: StorageLimits;
}

/**
 * Storage queues, written the way the Functions host reads them with `messageEncoding: base64` in `host.json`. What
 * passes is tried again, by the SDK or by `tryAgain`. Throws `StorageUnavailable` as `createAzureBlobs` does; some of the
 * messages may then have been sent, and a lost answer may send one twice.
 */
export function createAzureStepQueue({ connection, queues, limits = storageLimits }: AzureStepQueueOptions): StepQueue {
  const open = (name: QueueName) => openClient(QueueClient, connection, 'queue', queues[name], limits);
  const clients: Readonly<Record<QueueName, QueueClient>> = {
    restores: open('restores'),
    backups: open('backups'),
    rest: open('rest'),
    writes: open('writes'),
    former: open('former'),
  };
  const call = async <T>(action: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    try {
      return await within(limits.callTimeoutMs, (signal) => tryAgain(limits, signal, () => work(signal)));
    } catch (error) {
      throw storageFault(error, { service: 'queue', action, target: STEP_QUEUE });
    }
  };
  const sendOne = (queue: QueueClient, text: string, delaySeconds: number): Promise<unknown> =>
    call('send to', (abortSignal) => {
      // Never expires: a step that waited a week for an app that was stopped still has to be done.
      const add = () =>
        queue.sendMessage(text, { visibilityTimeout: delaySeconds, messageTimeToLive: -1, abortSignal });
      return add().catch(async (error: unknown) => {
        if (statusOf(error) !== 404) throw error;
        await queue.createIfNotExists({ abortSignal });
        return add();
      });
    });
  return {
    send: async (name, texts, delaySeconds = 0) => {
      if (!(delaySeconds >= 0 && delaySeconds <= MAX_DELAY_SECONDS)) {
        throw new DrError('Internal', `A message can wait 0 to ${MAX_DELAY_SECONDS} seconds, not ${delaySeconds}.`);
      }
      const waiting = texts.map(toMessage).values();
      const sendRest = async () => {
        for (const message of waiting) await sendOne(clients[name], message, Math.ceil(delaySeconds));
      };
      // One iterator for all: each takes the next message, and the first error stops its taker only.
      const sends = Array.from({ length: Math.min(PARALLEL_SENDS, texts.length) }, sendRest);
      // Waits for all before it throws, so that no send continues behind the caller's back.
      const failed = (await Promise.allSettled(sends)).find((result) => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    },
    peek: (lane) =>
      call('look into', async (abortSignal) => {
        const peek = clients[lane].peekMessages({ numberOfMessages: MAX_PEEKED, abortSignal });
        const { peekedMessageItems = [] } = (await ifThere(peek)) ?? {};
        return peekedMessageItems.map(({ messageText }) => Buffer.from(messageText, 'base64').toString('utf8'));
      }),
  };
}

const STEP_QUEUE = 'the step queue';

/** A fan-out to 1,024 shards should neither go one by one nor open as many sockets. */
const PARALLEL_SENDS = 16;

/** Service limits: learn.microsoft.com, "Put Message". */
const MAX_DELAY_SECONDS = 7 * 24 * 3_600;
const MAX_MESSAGE_BYTES = 64 * 1_024;

function toMessage(text: string): string {
  const message = Buffer.from(text, 'utf8').toString('base64');
  if (message.length <= MAX_MESSAGE_BYTES) return message;
  throw new DrError('Internal', `A message holds ${message.length} of at most ${MAX_MESSAGE_BYTES} bytes in base64.`);
}
