import { randomUUID } from 'node:crypto';
import { QueueClient } from '@azure/storage-queue';
import { createAzureStepQueue } from '../../src/azure/step-queue.ts';
import { createMemoryQueue } from '../support/memory-queue.ts';
import { openStorageAccount } from '../support/storage-account.ts';
import { stepQueueContract } from './step-queue.ts';

const azurite = openStorageAccount();

stepQueueContract('memory', async () => {
  const queue = createMemoryQueue();
  return { queue, take: async (name) => queue.take(undefined, name) };
});

stepQueueContract('Azure Queue Storage', async () => {
  const prefix = `contract-${randomUUID().slice(0, 8)}`;
  const queues = {
    restores: `${prefix}-restores`,
    backups: `${prefix}-backups`,
    rest: `${prefix}-rest`,
    writes: `${prefix}-writes`,
    former: prefix,
  };
  const connection = { kind: 'connectionString', value: azurite.connectionString } as const;
  return {
    queue: createAzureStepQueue({ connection, queues }),
    take: async (name) => {
      const client = new QueueClient(azurite.connectionString, queues[name]);
      if (!(await client.exists())) return [];
      const { receivedMessageItems } = await client.receiveMessages({ numberOfMessages: 32, visibilityTimeout: 600 });
      return receivedMessageItems.map((item) => Buffer.from(item.messageText, 'base64').toString('utf8'));
    },
  };
});
