import { expect, it } from 'vitest';
import { type HubSwitches, type NamespaceOptions, startEmulator } from '../../local/hub-lab/index.ts';
import { parseRegistration } from '../../src/core/registration/registration.ts';
import { readPage } from '../../src/hub/page/page.ts';
import { anApple, caller, describe, entry, idsIn, textOf } from './hub-caller.ts';
import { sasHeader } from './sas-header.ts';

const phone = { platform: 'apns', pushChannel: 'aa', tags: ['a'] };
const entryType = { 'content-type': 'application/atom+xml;type=entry;charset=utf-8' };
const jsonType = { 'content-type': 'application/json;charset=utf-8' };

async function open(switches: Partial<HubSwitches>, tier: NonNullable<NamespaceOptions['tier']> = 'Standard') {
  const emulator = await startEmulator({ namespaces: [{ name: 'n', hubs: ['h'], tier }] });
  const hub = emulator.hub('n', 'h');
  hub.switches(switches);
  const namespace = emulator.namespace('n');
  return { hub, namespace, call: caller(namespace), [Symbol.asyncDispose]: () => emulator[Symbol.asyncDispose]() };
}

it('refuses an API version later than the hub, and names the one it takes', async () => {
  await using at = await open({ newestApiVersion: '2017-11' });
  const refused = await at.call('GET', 'h/registrations?api-version=2020-06');
  expect([refused.status, textOf(refused.text, 'Detail')]).toEqual([400, expect.stringContaining(', 2017-11, ')]);
  expect((await at.call('GET', 'h/registrations?api-version=2017-11')).status).toBe(200);
  expect((await at.call('GET', 'h/registrations?api-version=2017-04')).status).toBe(200);
});

it('lists some rows as of a kind no client knows', async () => {
  await using at = await open({ unknownKindShare: 1 });
  await at.call('POST', 'h/registrations', anApple({ tags: 'a' }));
  const feed = (await at.call('GET', 'h/registrations')).text;
  expect(readPage(Buffer.from(feed)).map((xml) => parseRegistration(Buffer.from(xml).toString()))).toMatchObject([
    { platform: 'Unheard', tags: ['a'], handle: 'AA' },
  ]);
});

it('removes the rows of devices that are gone when a send meets them', async () => {
  await using at = await open({ deadHandleShare: 1 });
  await at.call('PUT', 'h/installations/i', phone);
  await at.call('POST', 'h/messages', '{}', {
    'servicebusnotification-format': 'apple',
    'servicebusnotification-tags': 'other',
  });
  expect(idsIn((await at.call('GET', 'h/registrations')).text)).toHaveLength(1);
  await at.call('POST', 'h/messages', '{}', { 'servicebusnotification-format': 'apple' });
  expect(idsIn((await at.call('GET', 'h/registrations')).text)).toEqual([]);
  expect((await at.call('GET', 'h/installations/i')).status).toBe(200);
  expect([...at.hub.inboxCounts()]).toEqual([]);
});

it('can leave the native row of a deleted installation', async () => {
  await using at = await open({ deleteLeavesRow: true });
  await at.call('PUT', 'h/installations/i', { ...phone, templates: { t: { body: '{}' } } });
  await at.call('DELETE', 'h/installations/i');
  expect([...at.hub.registrations()].map(({ isTemplate }) => isTemplate)).toEqual([false]);
  expect((await at.call('GET', 'h/installations/i')).status).toBe(404);
});

it('can answer the quota with an empty 403, or take a write that it drops later', async () => {
  await using at = await open({ quotaAnswer: 'silent' }, 1);
  await at.call('PUT', 'h/installations/i', phone);
  const refused = await at.call('PUT', 'h/installations/j', { ...phone, pushChannel: 'bb' });
  expect([refused.status, refused.text, refused.headers.get('retry-after')]).toEqual([403, '', null]);
  at.hub.switches({ quotaMet: 'applied' });
  expect((await at.call('PUT', 'h/installations/j', { ...phone, pushChannel: 'bb' })).status).toBe(200);
  expect(idsIn((await at.call('GET', 'h/registrations')).text)).toHaveLength(1);
});

it('refuses tags of more than 8,000 bytes together', async () => {
  await using at = await open({});
  const tags = Array.from({ length: 80 }, (_, index) => `${index}`.padStart(100, 'x'));
  const refused = await at.call('POST', 'h/registrations', anApple({ tags: tags.join(',') }));
  expect([refused.status, textOf(refused.text, 'Detail')]).toEqual([400, expect.stringContaining('8000 bytes')]);
  expect((await at.call('PUT', 'h/installations/i', { ...phone, tags })).status).toBe(400);
  expect((await at.call('PUT', 'h/installations/i', { ...phone, tags: tags.slice(1) })).status).toBe(200);
});

it.each([
  ['as it is to be', anApple(), entryType, 200],
  ['another content type', anApple(), { 'content-type': 'application/xml' }, 400],
  ['no namespace', anApple().replace(/ xmlns="http:\/\/schemas[^"]*"/, ''), entryType, 400],
  [
    'an expiry',
    entry(
      describe(
        'AppleRegistrationDescription',
        '<ExpirationTime>2030-01-01T00:00:00Z</ExpirationTime><DeviceToken>aa</DeviceToken>',
      ),
    ),
    entryType,
    400,
  ],
])('is strict about the body of a registration where it is to be: %s', async (_, body, headers, status) => {
  await using at = await open({ strictBodies: true });
  expect((await at.call('PUT', 'h/registrations/1-1-1', body, headers)).status).toBe(status);
  at.hub.switches({ strictBodies: false });
  expect((await at.call('PUT', 'h/registrations/1-1-1', body, headers)).status).toBe(200);
});

it('is strict about the type of an installation, too', async () => {
  await using at = await open({ strictBodies: true });
  expect((await at.call('PUT', 'h/installations/i', phone, { 'content-type': 'text/plain' })).status).toBe(400);
  expect((await at.call('PUT', 'h/installations/i', phone, jsonType)).status).toBe(200);
});

it('compares the resource of a token without ports, as the .NET client signs none', async () => {
  await using at = await open({});
  const { url } = at.namespace;
  const authorization = sasHeader(at.namespace.connectionString(), { resource: 'http://127.0.0.1/h/registrations' });
  expect((await fetch(`${url}/h/registrations`, { headers: { authorization } })).status).toBe(200);
  expect((await fetch(`${url}/h/tags/a/registrations`, { headers: { authorization } })).status).toBe(401);
});

it('keeps the zone of an expiry in the answer to a write, and has none for never', async () => {
  await using at = await open({ timeToLiveMs: 60_000 });
  const write = async () => textOf((await at.call('POST', 'h/registrations', anApple())).text, 'ExpirationTime');
  expect(await write()).toMatch(/Z$/);
  at.hub.switches({ timeToLiveMs: 0 });
  expect(await write()).toBe('9999-12-31T23:59:59.999');
});

it('takes a patch of an installation with a blank in the name of a template', async () => {
  await using at = await open({});
  await at.call('PUT', 'h/installations/i', { ...phone, templates: { 'Template Name': { body: '{}' } } });
  await at.call('PATCH', 'h/installations/i', [{ op: 'add', path: '/tags', value: 'b' }]);
  expect(JSON.parse((await at.call('GET', 'h/installations/i')).text)).toMatchObject({
    tags: ['a', 'b'],
    templates: { 'Template Name': { body: '{}', tags: ['Template Name'] } },
  });
});

it('gives the outcomes of a send in the order in which the .NET client reads them', async () => {
  await using at = await open({});
  const channels = { fcmv1: 'f', adm: 'd', wns: 'https://w/', mpns: 'https://m/', apns: 'aa' };
  for (const [platform, pushChannel] of Object.entries(channels)) {
    await at.call('PUT', `h/installations/${platform}`, { platform, pushChannel, templates: { t: { body: '{}' } } });
  }
  const sent = await at.call('POST', 'h/messages', '{}', { 'servicebusnotification-format': 'template' });
  const path = new URL(sent.headers.get('location') ?? '').pathname.slice(1);
  const found = (await at.call('GET', path)).text.match(/<(\w+OutcomeCounts)>/g);
  expect(found).toEqual(['Apns', 'Mpns', 'Wns', 'Adm', 'FcmV1'].map((name) => `<${name}OutcomeCounts>`));
});
