import { randomUUID } from 'node:crypto';
import { QueueClient } from '@azure/storage-queue';
import { createAzureStepQueue } from '../../src/azure/step-queue.ts';
import { createMemoryQueue } from '../support/memory-queue.ts';
import { openStorageAccount } from '../support/storage-account.ts';
import { stepQueueContract } from './step-queue.ts';

const azurite = openStorageAccount();

stepQueueContract('memory', async () => {
  const queue = createMemoryQueue();
  return { queue, take: async () => queue.take() };
});

stepQueueContract('Azure Queue Storage', async () => {
  const name = `contract-${randomUUID()}`;
  const connection = { kind: 'connectionString', value: azurite.connectionString } as const;
  const client = new QueueClient(azurite.connectionString, name);
  return {
    queue: createAzureStepQueue({ connection, queue: name }),
    take: async () => {
      if (!(await client.exists())) return [];
      const { receivedMessageItems } = await client.receiveMessages({ numberOfMessages: 32, visibilityTimeout: 600 });
      return receivedMessageItems.map((item) => Buffer.from(item.messageText, 'base64').toString('utf8'));
    },
  };
});
