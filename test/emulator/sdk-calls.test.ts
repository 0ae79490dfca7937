import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  createAppleInstallation,
  createAppleNotification,
  createAppleRegistrationDescription,
  createTemplateNotification,
  type NotificationHubsClient,
} from '@azure/notification-hubs';
import { expect, it } from 'vitest';
import { startEmulator } from '../../local/hub-lab/index.ts';
import { openJobStorage } from '../support/job-storage.ts';
import { all, sdk } from './sdk-client.ts';

const handle = 'AB'.repeat(32);
const apple = createAppleNotification({ body: '{"aps":{"alert":"x"}}' });

it('serves every call of the official SDK', async () => {
  await using emulator = await startEmulator({ namespaces: [{ name: 'n', hubs: ['h'] }] });
  const hub = emulator.hub('n', 'h');
  const storage = await openJobStorage();
  const called = new Set<string>();
  const client = noting(sdk(emulator.namespace('n')), called);

  const registrationId = await client.createRegistrationId();
  const plain = () => createAppleRegistrationDescription({ deviceToken: handle, tags: ['a'] });
  await client.createOrUpdateRegistration({ ...plain(), registrationId });
  expect(await client.updateRegistration({ ...plain(), registrationId, etag: '1' })).toMatchObject({ etag: '2' });
  const created = await client.createRegistration({ ...plain(), tags: ['b'] });
  expect(await client.getRegistration(created.registrationId ?? '')).toMatchObject({ tags: ['b'] });
  expect(await all(client.listRegistrations())).toHaveLength(2);
  expect(await all(client.listRegistrationsByTag('a'))).toHaveLength(1);
  expect(await all(client.listRegistrationsByChannel({ kind: 'apple', deviceToken: handle }))).toHaveLength(2);

  await client.createOrUpdateInstallation(createAppleInstallation({ installationId: 'i', pushChannel: 'cd' }));
  await client.updateInstallation('i', [{ op: 'add', path: '/tags', value: 't' }]);
  expect(await client.getInstallation('i')).toMatchObject({ tags: ['t'] });

  const sent = await client.sendNotification(apple, { tagExpression: 'a' });
  expect(await client.getNotificationOutcomeDetails(sent.notificationId ?? '')).toMatchObject({ state: 'Completed' });
  const tried = await client.sendNotification(apple, { tagExpression: 'a || b || t', enableTestSend: true });
  expect(tried).toMatchObject({ successCount: 3, failureCount: 0, state: 'DetailedStateAvailable' });
  expect(tried.results?.map(({ pnsHandle }) => pnsHandle).sort()).toEqual([handle, handle, 'CD']);
  // The SDK addresses a test broadcast to the tag `undefined`.
  expect(await client.sendBroadcastNotification(apple, { enableTestSend: true })).toMatchObject({ successCount: 0 });
  await client.sendBroadcastNotification(apple);
  hub.clearInboxes();
  await client.sendNotification(apple, { deviceHandle: ['0a', '0b'] });
  expect([...hub.inboxCounts()].map(({ handle: to, kind }) => `${to} ${kind}`)).toEqual(['0A direct', '0B direct']);

  hub.clearInboxes();
  const soon = new Date(Date.now() + 50);
  const cancelled = await client.scheduleNotification(new Date(Date.now() + 3_600_000), apple, { tagExpression: 'a' });
  await client.cancelScheduledNotification(cancelled.notificationId ?? '');
  await expect(client.cancelScheduledNotification(cancelled.notificationId ?? '')).rejects.toMatchObject({
    statusCode: 404,
  });
  await client.scheduleNotification(soon, apple, { tagExpression: 'b' });
  await client.scheduleBroadcastNotification(soon, createTemplateNotification({ body: '{}' }));
  await expect.poll(() => hub.stats().inboxes.deliveries).toBe(1);
  expect(await client.getFeedbackContainerUrl()).toMatch(/^http:\/\/127\.0\.0\.1:/);

  const outputContainerUrl = await storage.output();
  const job = await client.submitNotificationHubJob({ type: 'ExportRegistrations', outputContainerUrl });
  // As recorded: a new job shows neither, but the SAS it was given.
  expect([job.status, job.progress, job.outputContainerUrl]).toEqual([undefined, undefined, outputContainerUrl]);
  await expect.poll(async () => (await client.getNotificationHubJob(job.jobId ?? '')).status).toBe('Completed');
  const { outputProperties } = await client.getNotificationHubJob(job.jobId ?? '');
  const exported = await storage.read(outputProperties?.['OutputFilePath'] ?? '');
  expect(exported.match(/<RegistrationDescription [^>]*i:type="AppleRegistrationDescription"/g)).toHaveLength(3);

  await client.deleteRegistration(registrationId);
  await client.deleteInstallation('i');
  expect(hub.devices()).toBe(1);
  const importFileUrl = await storage.input(exported.replaceAll(/<ExpirationTime>.*?<\/ExpirationTime>/g, ''));
  // The poller is a promise of the job, too: to await it is to wait for the end.
  const ended = await client.beginSubmitNotificationHubJob(
    { type: 'ImportCreateRegistrations', outputContainerUrl, importFileUrl },
    { updateIntervalInMs: 20 },
  );
  expect(ended).toMatchObject({ status: 'Completed', progress: 99.99 });
  expect(await client.listNotificationHubJobs()).toMatchObject([
    { type: 'ImportCreateRegistrations' },
    { jobId: job.jobId },
  ]);
  // Two plain ones; the installation's line is refused.
  expect([...hub.registrations()].map((row) => row.handle)).toEqual([handle, handle, handle]);

  expect([...called].sort()).toEqual(await declaredCalls());
});

/** Notes which calls are made. */
function noting(client: NotificationHubsClient, called: Set<string>): NotificationHubsClient {
  return new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      called.add(String(name));
      return value.bind(target);
    },
  });
}

/** The client's methods, by its type declarations; the functions of the package's other entry are the same calls. */
async function declaredCalls(): Promise<string[]> {
  const entry = new URL('.', import.meta.resolve('@azure/notification-hubs'));
  const read = (name: string) => readFile(fileURLToPath(new URL(name, entry)), 'utf8');
  const methods = [...(await read('notificationHubsClient.d.ts')).matchAll(/^ {4}(\w+)\(.*\): \w/gm)];
  const names = methods.map(([, name = '']) => name).sort();
  const functions = [...(await read('api/index.d.ts')).matchAll(/from "\.\/(\w+)\.js"/g)].map(([, name = '']) => name);
  expect(functions.filter((name) => name !== 'clientContext').sort()).toEqual(names);
  return names;
}
