import { NotificationHubsClient } from '@azure/notification-hubs';
import type { EmulatedNamespace } from '../../local/hub-lab/index.ts';

/** The official client, allowed to speak plain HTTP. */
export function sdk(namespace: EmulatedNamespace): NotificationHubsClient {
  return new NotificationHubsClient(namespace.connectionString(), 'h', {
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
