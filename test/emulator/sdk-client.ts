import { NotificationHubsClient } from '@azure/notification-hubs';
import type { EmulatedNamespace } from '../../local/hub-lab/index.ts';

/** The official client of the hub `h`. */
export function sdk(namespace: EmulatedNamespace): NotificationHubsClient {
  return plainClient(namespace.connectionString(), 'h');
}

/** The official client, allowed to speak plain HTTP. */
export function plainClient(connectionString: string, hub: string): NotificationHubsClient {
  return new NotificationHubsClient(connectionString, hub, {
    additionalPolicies: [
      {
        position: 'perCall',
        policy: {
          name: 'plainHttp',
          sendRequest: (request, next) => {
            request.allowInsecureConnection = true;
            return next(request);
          },
        },
      },
    ],
  });
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
