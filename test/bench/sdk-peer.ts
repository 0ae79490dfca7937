import { type Installation, NotificationHubsClient, type RegistrationDescription } from '@azure/notification-hubs';
import { BlobServiceClient } from '@azure/storage-blob';
import { z } from 'zod';
import { forEachAtOnce } from './bare-loops.ts';
import { firstWrites, type Job, type Outcome } from './workload.ts';

/** What a user writes from the vendor's samples: list into an array, make it JSON, upload it. */
export async function backUpWithSdk({ connectionString, storage }: Job): Promise<() => Promise<Outcome>> {
  const client = sdkClient(connectionString, 'primary');
  const container = BlobServiceClient.fromConnectionString(storage).getContainerClient('peer');
  await container.createIfNotExists();
  return async () => {
    const registrations = await listAll(client);
    const text = JSON.stringify(registrations);
    const storedBytes = Buffer.byteLength(text);
    await container.getBlockBlobClient('backup.json').upload(text, storedBytes);
    return { count: registrations.length, storedBytes };
  };
}

/** More than are written in the time a restore by SDK is given. */
const MOST_RECORDS = 50_000;

/**
 * Its counterpart: one awaited call per record, or `concurrency` of them at once. The records are the SDK's own objects
 * in memory, so that only the calls are measured.
 */
export async function restoreWithSdk(job: Job, concurrency: number): Promise<() => Promise<Outcome>> {
  const client = sdkClient(job.connectionString, 'secondary');
  const records = await readRecords(job);
  return async () => ({
    count: await forEachAtOnce(records, { concurrency, maxSeconds: job.maxSeconds }, (record) =>
      'installationId' in record ? client.createOrUpdateInstallation(record) : client.createRegistration(record),
    ),
  });
}

export async function listAll(client: NotificationHubsClient, most = Infinity): Promise<RegistrationDescription[]> {
  const found: RegistrationDescription[] = [];
  for await (const registration of client.listRegistrations()) {
    if (found.push(registration) === most) break;
  }
  return found;
}

/** The SDK over plain HTTP, which it refuses unless a policy allows it. */
export function sdkClient(connectionString: string, hub: string): NotificationHubsClient {
  const plainHttp: Policy = {
    name: 'plainHttp',
    sendRequest: (request, next) => next(Object.assign(request, { allowInsecureConnection: true })),
  };
  return new NotificationHubsClient(connectionString, hub, {
    additionalPolicies: [{ position: 'perCall', policy: plainHttp }],
  });
}

type ClientOptions = NonNullable<ConstructorParameters<typeof NotificationHubsClient>[2]>;
type Policy = NonNullable<ClientOptions['additionalPolicies']>[number]['policy'];

const installationSchema = z.custom<Installation>(
  (value) => z.object({ installationId: z.string(), platform: z.string() }).safeParse(value).success,
);

/** The first records, in the app's own order: installations as the app sends them, registrations as the SDK lists them. */
async function readRecords(job: Job): Promise<(Installation | RegistrationDescription)[]> {
  const listed = await listAll(sdkClient(job.connectionString, 'primary'), 2 * MOST_RECORDS);
  const byId = new Map(listed.map((registration) => [registration.registrationId, registration]));
  return [...firstWrites(job.devices, MOST_RECORDS)].flatMap(({ kind, id, body }) => {
    if (kind === 'installation') return installationSchema.parse(JSON.parse(body));
    const found = byId.get(id);
    if (found === undefined) return [];
    // The SDK refuses the id of another hub: the user has to take it out.
    const { registrationId: _id, etag: _etag, expirationTime: _expiry, ...rest } = found;
    return rest;
  });
}
