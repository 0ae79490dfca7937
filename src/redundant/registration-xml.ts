import { NotificationHubsClient, type RegistrationDescription } from '@azure/notification-hubs';
import { RedundantHubError } from './error.ts';

const NOWHERE = 'Endpoint=sb://nowhere.invalid/;SharedAccessKeyName=none;SharedAccessKey=none';

/** Thrown in place of an answer, so that the SDK goes no further. */
class Taken extends Error {}

/** The description as the SDK would send it: it does not offer its form otherwise. Nothing is sent. */
export async function toXml(registration: RegistrationDescription): Promise<string> {
  let body = '';
  const client = new NotificationHubsClient(NOWHERE, 'none', {
    httpClient: {
      sendRequest: async (request) => {
        body = String(request.body);
        throw new Taken();
      },
    },
    retryOptions: { maxRetries: 0 },
  });
  // It takes the id out of what it is given.
  await client.createOrUpdateRegistration({ ...registration, registrationId: 'none' }).catch((error: unknown) => {
    if (!(error instanceof Taken)) throw error;
  });
  const description = /<content\b[^>]*>([\s\S]*)<\/content>/.exec(body)?.[1];
  if (description !== undefined) return description.trim();
  throw new RedundantHubError('BadRequest', 'The registration could not be written as XML: check its kind and fields.');
}
