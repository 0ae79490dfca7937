import { type Installation, NotificationHubsClient, type RegistrationDescription } from '@azure/notification-hubs';
import { BlobServiceClient } from '@azure/storage-blob';
import { z } from 'zod';
import type { Deed, Job } from './job.ts';
import { forEachAtOnce, readWrites } from './read-writes.ts';

/** What a user writes from the vendor's samples: list into an array, make it JSON, upload it. */
export async function backUpWithSdk(job: Job): Promise<() => Promise<Deed>> {
  const client = clientOf(job, 'primary');
  const container = BlobServiceClient.fromConnectionString(job.storage).getContainerClient('peer');
  await container.createIfNotExists();
  return async () => {
    const registrations: RegistrationDescription[] = [];
    for await (const registration of client.listRegistrations()) registrations.push(registration);
    const text = JSON.stringify(registrations);
    const storedBytes = Buffer.byteLength(text);
    await container.getBlockBlobClient('backup.json').upload(text, storedBytes);
    return { count: registrations.length, storedBytes };
  };
}

/**
 * Its counterpart: one awaited call a record, or `concurrency` of them at once. Gets the records as the SDK's own
 * objects in memory, so that only the calls are measured.
 */
export async function restoreWithSdk(job: Job, concurrency: number): Promise<() => Promise<Deed>> {
  const client = clientOf(job, 'secondary');
  const records = await readRecords(job, RECORDS);
  return async () => {
    const { maxSeconds } = job;
    const count = await forEachAtOnce(records, { concurrency, maxSeconds }, async (record) => {
      if ('installationId' in record) await client.createOrUpdateInstallation(record);
      else await client.createRegistration(record);
    });
    return { count };
  };
}

/** More than are written in the time a restore by SDK is given. */
const RECORDS = 50_000;

function clientOf({ connectionString }: Job, hub: 'primary' | 'secondary'): NotificationHubsClient {
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

/** The first records, in the app's own order: installations as the app sends them, registrations as the SDK lists them. */
async function readRecords(job: Job, most: number): Promise<(Installation | RegistrationDescription)[]> {
  const listed = clientOf(job, 'primary').listRegistrations();
  const byId = new Map<string, RegistrationDescription>();
  const records: (Installation | RegistrationDescription)[] = [];
  for await (const write of readWrites(job.writesFile)) {
    if (records.length === most) break;
    records.push(write.kind === 'installation' ? toInstallation(write.body) : await findRegistration(write.id));
  }
  return records;

  async function findRegistration(id: string): Promise<RegistrationDescription> {
    while (!byId.has(id)) {
      const next = await listed.next();
      if (next.done === true) throw new Error(`The hub does not list ${id}.`);
      if (next.value.registrationId !== undefined) byId.set(next.value.registrationId, next.value);
    }
    // An id of another hub's is refused by the SDK: the user has to take it out.
    const { registrationId: _id, etag: _etag, expirationTime: _expiry, ...rest } = byId.get(id) ?? fail(id);
    byId.delete(id);
    return rest;
  }
}

function fail(id: string): never {
  throw new Error(`The hub does not list ${id}.`);
}

const installationSchema = z.custom<Installation>(
  (value) => z.object({ installationId: z.string(), platform: z.string() }).safeParse(value).success,
);

function toInstallation(json: string): Installation {
  return installationSchema.parse(JSON.parse(json));
}
