import { setTimeout as sleep } from 'node:timers/promises';
import type { DequeuedMessageItem, QueueClient } from '@azure/storage-queue';
import { RestError } from '@azure/storage-queue';
import type { FunctionDefinition } from './function-definition.ts';
import type { QueueOptions } from './host-json.ts';
import type { InvocationInput, Invoker } from './invocation.ts';
import type { HostLog } from './log.ts';
import { isNotFound } from './queue-output.ts';
import { openPeek } from './queue-peek.ts';

export interface Listener {
  /** Takes nothing new from now on; resolves when the loop has ended. Running invocations continue. */
  stop(): Promise<void>;
}

export interface QueueListenerOptions {
  readonly definition: FunctionDefinition;
  readonly queue: QueueClient;
  readonly poisonQueue: QueueClient;
  readonly invoker: Invoker;
  readonly options: QueueOptions;
  /** How long a message is hidden from other hosts before it must be renewed; renewed at half of it. */
  readonly leaseSeconds: number;
  readonly log: HostLog;
  /** Ends the renewal of what still runs when the host gives up waiting. */
  readonly abandoned: AbortSignal;
}

const minPollingIntervalMs = 100;

/** Polls as the real host does: again at once after a find, else backing off up to `maxPollingInterval`. */
export function listenToQueue(options: QueueListenerOptions): Listener {
  const stopping = new AbortController();
  const loop = poll(options, stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await loop;
    },
  };
}

/** The trigger data of a message text, for a message off the queue or one given by hand. */
export function queueInput(text: string, reason: string, message?: DequeuedMessageItem): InvocationInput {
  const dequeueCount = message?.dequeueCount ?? 1;
  const now = new Date();
  return {
    data: { string: text },
    reason,
    dequeueCount,
    triggerMetadata: {
      QueueTrigger: { string: text },
      Id: { string: message?.messageId ?? crypto.randomUUID() },
      DequeueCount: { int: dequeueCount },
      PopReceipt: { string: message?.popReceipt ?? '' },
      InsertionTime: { json: JSON.stringify(message?.insertedOn ?? now) },
      ExpirationTime: { json: JSON.stringify(message?.expiresOn ?? now) },
      NextVisibleTime: { json: JSON.stringify(message?.nextVisibleOn ?? now) },
    },
  };
}

async function poll(listener: QueueListenerOptions, stopping: AbortSignal): Promise<void> {
  const { batchSize, newBatchThreshold, maxPollingIntervalMs } = listener.options;
  const running = new Set<Promise<void>>();
  const isEmpty = openPeek(listener.queue);
  let waitMs = minPollingIntervalMs;
  while (!stopping.aborted) {
    const messages = (await isEmpty()) ? [] : await receive(listener, batchSize);
    if (stopping.aborted) {
      await Promise.all(messages.map((message) => giveBack(listener, message)));
      return;
    }
    for (const message of messages) {
      const work = handle(listener, message).catch((error) => {
        listener.log.host('error', `Queue '${listener.queue.name}', message ${message.messageId}: ${error}`);
      });
      running.add(work);
      void work.finally(() => running.delete(work));
    }
    if (messages.length === 0) {
      await sleep(waitMs, undefined, { signal: stopping }).catch(() => {});
      waitMs = Math.min(waitMs * 2, maxPollingIntervalMs);
      continue;
    }
    waitMs = minPollingIntervalMs;
    while (running.size > newBatchThreshold && !stopping.aborted) await Promise.race(running);
  }
}

async function receive(listener: QueueListenerOptions, count: number): Promise<readonly DequeuedMessageItem[]> {
  const { queue, leaseSeconds, log } = listener;
  try {
    const answer = await queue.receiveMessages({ numberOfMessages: count, visibilityTimeout: leaseSeconds });
    return answer.receivedMessageItems;
  } catch (error) {
    // A missing queue is an idle one: the first writer creates it.
    if (!isNotFound(error)) log.host('warning', `Queue '${queue.name}' cannot be polled, will try again: ${error}`);
    return [];
  }
}

async function handle(listener: QueueListenerOptions, message: DequeuedMessageItem): Promise<void> {
  const { definition, invoker, options, queue } = listener;
  const text = options.messageEncoding === 'base64' ? decodeBase64(message.messageText) : message.messageText;
  // Over the count already: the last run ended without its host being able to say how (it was killed).
  if (text === undefined || message.dequeueCount > options.maxDequeueCount) {
    return poison(listener, message, message.popReceipt);
  }
  const renewal = keepHidden(listener, message);
  const result = await invoker.invoke(
    definition,
    queueInput(text, `New queue message detected on '${queue.name}'.`, message),
  );
  const popReceipt = await renewal.stop();
  if (result.kind === 'failed') return release(listener, message, popReceipt);
  await settle(listener, message, () => queue.deleteMessage(message.messageId, popReceipt));
}

/** A message that came after the stop is for another host, at once. */
async function giveBack(listener: QueueListenerOptions, message: DequeuedMessageItem): Promise<void> {
  const { messageId, popReceipt } = message;
  await settle(listener, message, () => listener.queue.updateMessage(messageId, popReceipt, undefined, 0));
}

/** A failed message comes back after the visibility timeout, or goes to the poison queue when that was its last try. */
async function release(
  listener: QueueListenerOptions,
  message: DequeuedMessageItem,
  popReceipt: string,
): Promise<void> {
  const { options, queue } = listener;
  if (message.dequeueCount >= options.maxDequeueCount) return poison(listener, message, popReceipt);
  const seconds = Math.round(options.failedVisibilityMs / 1000);
  await settle(listener, message, () => queue.updateMessage(message.messageId, popReceipt, undefined, seconds));
}

async function poison(listener: QueueListenerOptions, message: DequeuedMessageItem, popReceipt: string): Promise<void> {
  const { poisonQueue, log, queue } = listener;
  await poisonQueue.createIfNotExists();
  await poisonQueue.sendMessage(message.messageText);
  log.host(
    'warning',
    `Message ${message.messageId} of queue '${queue.name}' has failed ${message.dequeueCount} times or cannot be ` +
      `decoded: moved to '${poisonQueue.name}'.`,
  );
  await settle(listener, message, () => queue.deleteMessage(message.messageId, popReceipt));
}

/** Another host may hold the message by now; then that one decides about it. */
async function settle(
  listener: QueueListenerOptions,
  message: DequeuedMessageItem,
  call: () => Promise<unknown>,
): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!isLost(error)) throw error;
    listener.log.host('warning', `Message ${message.messageId} of queue '${listener.queue.name}' is no longer ours.`);
  }
}

function keepHidden(
  { queue, leaseSeconds, log, abandoned }: QueueListenerOptions,
  message: DequeuedMessageItem,
): { stop(): Promise<string> } {
  const ended = new AbortController();
  const signal = AbortSignal.any([ended.signal, abandoned]);
  let popReceipt = message.popReceipt;
  const renewing = (async () => {
    while (true) {
      await sleep((leaseSeconds * 1000) / 2, undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted) return;
      try {
        const answer = await queue.updateMessage(message.messageId, popReceipt, undefined, leaseSeconds);
        popReceipt = answer.popReceipt ?? popReceipt;
      } catch (error) {
        log.host('warning', `Message ${message.messageId} of queue '${queue.name}' could not be renewed: ${error}`);
        if (isLost(error)) return;
      }
    }
  })();
  return {
    async stop() {
      ended.abort();
      await renewing;
      return popReceipt;
    },
  };
}

function isLost(error: unknown): boolean {
  return isNotFound(error) || (error instanceof RestError && error.code === 'PopReceiptMismatch');
}

function decodeBase64(text: string): string | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text.trim() ? bytes.toString() : undefined;
}
