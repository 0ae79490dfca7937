import { DefaultAzureCredential } from '@azure/identity';
import { type QueueClient, QueueServiceClient, RestError } from '@azure/storage-queue';
import { DrError } from '../core/errors.ts';
import type { StepQueue } from '../core/ports.ts';
import type { StorageConnection } from '../core/storage-connection.ts';

/** As for blobs, the SDK's retries are the only ones. A message sent twice is a step that runs twice: harmless. */
const pipeline = {
  retryOptions: { maxTries: 4, tryTimeoutInMs: 30_000, retryDelayInMs: 300, maxRetryDelayInMs: 10_000 },
};
const SENDS_AT_ONCE = 16;
/** Messages never expire: a run waits for its steps however long the app was stopped. */
const NEVER_EXPIRES = -1;

/** The step queue on Azure Queue Storage; texts travel base64-encoded, as `host.json` says. */
export function createAzureStepQueue(connection: StorageConnection, queue: string): StepQueue {
  const client = serviceClient(connection).getQueueClient(queue);
  return {
    async send(texts, delaySeconds = 0) {
      for (let from = 0; from < texts.length; from += SENDS_AT_ONCE) {
        await Promise.all(texts.slice(from, from + SENDS_AT_ONCE).map((text) => sendOne(client, text, delaySeconds)));
      }
    },
  };
}

function serviceClient(connection: StorageConnection): QueueServiceClient {
  if (connection.kind === 'connectionString') {
    return QueueServiceClient.fromConnectionString(connection.value, pipeline);
  }
  const { clientId } = connection;
  const credential = new DefaultAzureCredential(clientId === undefined ? {} : { managedIdentityClientId: clientId });
  return new QueueServiceClient(connection.queueServiceUri, credential, pipeline);
}

async function sendOne(client: QueueClient, text: string, delaySeconds: number): Promise<void> {
  const message = Buffer.from(text).toString('base64');
  const options = { visibilityTimeout: Math.ceil(delaySeconds), messageTimeToLive: NEVER_EXPIRES };
  try {
    await client.sendMessage(message, options).catch(async (error: unknown) => {
      if (!(error instanceof RestError && error.code === 'QueueNotFound')) throw error;
      await client.createIfNotExists();
      await client.sendMessage(message, options);
    });
  } catch (error) {
    const seen = error instanceof RestError ? (error.code ?? `status ${error.statusCode}`) : 'connection failed';
    const isRefused = error instanceof RestError && (error.statusCode === 401 || error.statusCode === 403);
    throw new DrError(
      'StorageUnavailable',
      `Could not send to queue '${client.name}' (${seen}). ` +
        'Give the app the role Storage Queue Data Contributor, or a valid key, if this goes on.',
      { retryable: !isRefused, target: client.name },
    );
  }
}
