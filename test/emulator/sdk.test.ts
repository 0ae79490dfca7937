import {
  createAppleNotification,
  createAppleRegistrationDescription,
  createAppleTemplateRegistrationDescription,
  createBaiduRegistrationDescription,
  createBrowserInstallation,
  createBrowserRegistrationDescription,
  createFcmV1Installation,
  createFcmV1RegistrationDescription,
  createFcmV1TemplateRegistrationDescription,
  createTemplateNotification,
  createWindowsRegistrationDescription,
  createXiaomiRegistrationDescription,
  type RegistrationDescription,
} from '@azure/notification-hubs';
import { expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../../local/hub-lab/index.ts';
import { all, sdk } from './sdk-client.ts';

const handle = 'ab'.repeat(32);

it('creates, reads, updates, lists and deletes registrations through the official SDK', async () => {
  await using emulator = await start();
  const client = sdk(emulator.namespace('n'));
  const created = await client.createRegistration(
    createAppleRegistrationDescription({ deviceToken: handle, tags: ['b', 'a'], pushVariables: { v: '1' } }),
  );
  expect(created).toMatchObject({ kind: 'Apple', deviceToken: handle.toUpperCase(), tags: ['a', 'b'], etag: '1' });
  const id = created.registrationId ?? '';
  const updated = await client.updateRegistration({ ...created, tags: ['c'] });
  expect(updated).toMatchObject({ registrationId: id, etag: '2', tags: ['c'] });
  await expect(client.updateRegistration({ ...created, registrationId: id, etag: '1' })).rejects.toMatchObject({
    statusCode: 412,
  });
  expect(await client.getRegistration(id)).toMatchObject({ registrationId: id, etag: '2' });
  await client.deleteRegistration(id);
  await expect(client.getRegistration(id)).rejects.toMatchObject({ statusCode: 404 });
});

it('keeps every platform that the SDK can write, and finds it by its handle', async () => {
  await using emulator = await start();
  const client = sdk(emulator.namespace('n'));
  const endpoint = 'https://push.example/?a=1&b=%2f';
  const written: RegistrationDescription[] = [
    createAppleTemplateRegistrationDescription({
      deviceToken: handle,
      bodyTemplate: '{"aps":"$(m)"}',
      templateName: 'two words',
      apnsHeaders: { 'apns-priority': '5' },
    }),
    createFcmV1RegistrationDescription({ fcmV1RegistrationId: 'f:1', tags: ['x'] }),
    createFcmV1TemplateRegistrationDescription({
      fcmV1RegistrationId: 'f:2',
      bodyTemplate: 'a ]]> b',
      templateName: 't',
    }),
    createWindowsRegistrationDescription({ channelUri: 'https://wns.example/?token=a%2fb' }),
    createBrowserRegistrationDescription({ endpoint, p256dh: 'p', auth: 'a' }),
    createBaiduRegistrationDescription({ baiduUserId: 'user', baiduChannelId: 'channel' }),
    createXiaomiRegistrationDescription({ xiaomiRegistrationId: 'x+/=' }),
  ];
  for (const one of written) {
    const id = await client.createRegistrationId();
    const { etag, ...created } = await client.createOrUpdateRegistration({ ...one, registrationId: id });
    expect([etag, created.registrationId]).toEqual(['1', id]);
  }
  const found = await all(client.listRegistrations());
  expect(found.map(({ kind }) => kind)).toEqual(
    ['AppleTemplate', 'Baidu', 'Browser', 'FcmV1', 'FcmV1Template', 'Windows', 'Xiaomi'].sort((a, b) =>
      a.replace('Template', '').localeCompare(b.replace('Template', '')),
    ),
  );
  const queries = [
    { kind: 'apple', deviceToken: handle },
    { kind: 'fcmv1', fcmV1RegistrationId: 'f:1' },
    { kind: 'windows', channelUri: 'https://wns.example/?token=a%2fb' },
    { kind: 'browser', endpoint, p256dh: 'p', auth: 'a' },
    { kind: 'baidu', baiduUserId: 'user', baiduChannelId: 'channel' },
  ] as const;
  for (const query of queries) expect(await all(client.listRegistrationsByChannel(query)), query.kind).toHaveLength(1);
});

it('pages through the SDK, by tag too', async () => {
  await using emulator = await start();
  const client = sdk(emulator.namespace('n'));
  for (let n = 0; n < 5; n += 1) {
    await client.createRegistration(
      createFcmV1RegistrationDescription({ fcmV1RegistrationId: `f${n}`, tags: [n < 3 ? 'few' : 'other'] }),
    );
  }
  expect(await all(client.listRegistrations({ top: 2 }))).toHaveLength(5);
  expect(await all(client.listRegistrationsByTag('FEW', { top: 2 }))).toHaveLength(3);
});

it('writes installations and sends to them through the SDK', async () => {
  await using emulator = await start();
  const client = sdk(emulator.namespace('n'));
  await client.createOrUpdateInstallation(
    createFcmV1Installation({
      installationId: 'i1',
      pushChannel: 'f1',
      tags: ['news'],
      userId: 'u1',
      templates: { greet: { body: '{}', headers: {}, tags: ['hello'] } },
    }),
  );
  await client.createOrUpdateInstallation(
    createBrowserInstallation({ installationId: 'i2', pushChannel: { endpoint: 'https://e', p256dh: 'p', auth: 'a' } }),
  );
  await client.updateInstallation('i1', [{ op: 'add', path: '/tags', value: 'more' }]);
  expect(await client.getInstallation('i1')).toMatchObject({ platform: 'fcmv1', tags: ['more', 'news'], userId: 'u1' });
  expect(await all(client.listRegistrationsByTag('$InstallationId:{i1}'))).toHaveLength(2);

  const tagExpression = '$UserId:{u1} && !absent';
  const body = '{}';
  const sent = await client.sendNotification(createTemplateNotification({ body }), { tagExpression });
  expect(emulator.hub('n', 'h').inbox('f1')).toMatchObject({
    total: 1,
    lines: [{ kind: 'template', templateName: 'greet' }],
  });
  const details = await client.getNotificationOutcomeDetails(sent.notificationId ?? '');
  expect(details).toMatchObject({ state: 'Completed', fcmV1OutcomeCounts: [{ state: 'Success', count: 1 }] });
  await client.sendNotification(createAppleNotification({ body }), { deviceHandle: handle });
  expect(emulator.hub('n', 'h').inbox(handle.toUpperCase()).total).toBe(1);

  await client.deleteInstallation('i1');
  await expect(client.getInstallation('i1')).rejects.toMatchObject({ statusCode: 404 });
  expect(await all(client.listRegistrations())).toHaveLength(1);
});

function start(): Promise<Emulator> {
  return startEmulator({ namespaces: [{ name: 'n', hubs: ['h'] }] });
}
