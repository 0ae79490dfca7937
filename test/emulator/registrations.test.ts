import { expect, it } from 'vitest';
import { type Emulator, type HubSwitches, startEmulator } from '../../local/hub-lab/index.ts';
import { anApple, caller, describe as description, entry, idsIn, listAll, textOf } from './hub-caller.ts';

it('makes another registration for every POST, and one for any number of PUTs', async () => {
  await using emulator = await start();
  const call = caller(emulator.namespace('n'));
  for (let n = 0; n < 3; n += 1) await call('POST', 'h/registrations', anApple());
  for (let n = 0; n < 3; n += 1) await call('PUT', 'h/registrations/1-2-3', anApple());
  expect(await listAll(call, 'h/registrations')).toHaveLength(4);
  const read = await call('GET', 'h/registrations/1-2-3');
  expect([read.headers.get('etag'), textOf(read.text, 'ETag')]).toEqual(['W/"3"', '3']);
  expect(emulator.hub('n', 'h').devices()).toBe(1);
});

it('writes with If-Match only what is there and still the same', async () => {
  await using emulator = await start();
  const call = caller(emulator.namespace('n'));
  const put = async (match: string) =>
    (await call('PUT', 'h/registrations/1-2-3', anApple(), { 'if-match': match })).status;
  expect(await put('*')).toBe(404);
  await call('PUT', 'h/registrations/1-2-3', anApple());
  expect([await put('"1"'), await put('"1"'), await put('W/"2"'), await put('*')]).toEqual([200, 412, 200, 200]);
  const remove = async (match: string) =>
    (await call('DELETE', 'h/registrations/1-2-3', undefined, { 'if-match': match })).status;
  expect([await remove('"1"'), await remove('"4"'), await remove('*')]).toEqual([412, 200, 404]);
});

it('refuses ids it did not give out when switched so', async () => {
  await using emulator = await start({ acceptForeignIds: false });
  const call = caller(emulator.namespace('n'));
  const minted = await call('POST', 'h/registrationIDs');
  const location = minted.headers.get('location') ?? '';
  const id = new URL(location).pathname.split('/')[3];
  expect([minted.status, location.startsWith('https://')]).toEqual([201, true]);
  expect((await call('PUT', 'h/registrations/123-234-1', anApple())).status).toBe(410);
  expect((await call('PUT', `h/registrations/${id}`, anApple())).status).toBe(200);
  expect((await call('PUT', `h/registrations/${id}`, anApple())).status).toBe(200);
});

it.each([
  ['h/Registrations/?API-VERSION=2015-01&$TOP=1', 1],
  ['H/registrations', 2],
  ['h/tags/A%C3%A9/registrations/', 2],
  ['h/registrations?$filter=ChannelUri%20eq%20%27AA%27', 1],
  ['h/registrations?%24filter=DeviceToken+eq+%27aa%27', 1],
  ['h/registrations?$filter=GcmRegistrationId+eq+%27AA%27', 0],
])('finds registrations whatever the spelling: %s', async (path, count) => {
  await using emulator = await start();
  const call = caller(emulator.namespace('n'));
  for (const token of ['aa', 'bb']) await call('POST', 'h/registrations', anApple({ token, tags: 'aé' }));
  expect(idsIn((await call('GET', path)).text)).toHaveLength(count);
});

it.each([
  'line one\nline two\r\n\ttabbed ',
  ']]>',
  'a[b[0]]>c & <d> ]]]]>',
  '<![CDATA[x]]>',
  'Grüße 你好 👋',
  '$(message) &amp; "quoted"',
])('gives a template body back as it came: %j', async (body) => {
  await using emulator = await start();
  const call = caller(emulator.namespace('n'));
  const installation = { platform: 'fcmv1', pushChannel: 'f', templates: { t: { body } } };
  await call('PUT', 'h/installations/i', installation);
  const listed = (await call('GET', 'h/registrations')).text;
  const xml =
    /<FcmV1TemplateRegistrationDescription.*?<\/FcmV1TemplateRegistrationDescription>/s.exec(listed)?.[0] ?? '';
  // Once more through a write: what the list shows is what a restore would send.
  await call('PUT', 'h/registrations/1-2-3', entry(xml.replace(/<Tags>[^<]*<\/Tags>/, '')));
  await call('DELETE', 'h/installations/i');
  expect(bodyOf((await call('GET', 'h/registrations/1-2-3')).text)).toBe(body);
});

it('takes the base form with a type, out of order, with reserved elements, and answers in the order of the contract', async () => {
  await using emulator = await start();
  const call = caller(emulator.namespace('n'));
  const xml = `<RegistrationDescription i:type="BaiduTemplateRegistrationDescription" xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><RegistrationId>9-9-9</RegistrationId><ExpirationTime>2001-01-01T00:00:00Z</ExpirationTime><TemplateName i:nil="true"/><BodyTemplate>b</BodyTemplate><BaiduChannelId>c</BaiduChannelId><BaiduUserId>u</BaiduUserId><Tags> b , A ,a,</Tags></RegistrationDescription>`;
  const { text } = await call('PUT', 'h/registrations/1-2-3', xml);
  expect(text).toContain(
    '<ETag>1</ETag><ExpirationTime>9999-12-31T23:59:59.999</ExpirationTime><RegistrationId>1-2-3</RegistrationId><Tags>A,b</Tags><BaiduUserId>u</BaiduUserId><BaiduChannelId>c</BaiduChannelId><BodyTemplate><![CDATA[b]]></BodyTemplate><TemplateName i:nil="true"/></BaiduTemplateRegistrationDescription>',
  );
  emulator.hub('n', 'h').switches({ outOfOrderElements: 'ignore' });
  const { status } = await call('PUT', 'h/registrations/1-2-4', xml);
  expect(status, 'the handle came too late to be seen').toBe(400);
});

it('keeps an unknown element when switched so, and lists it', async () => {
  await using emulator = await start({ unknownElements: 'keep' });
  const call = caller(emulator.namespace('n'));
  const content = '<DeviceToken>AA</DeviceToken><Future kind="a&amp;b"><Inner>x &lt; y</Inner></Future>';
  await call('POST', 'h/registrations', entry(description('AppleRegistrationDescription', content)));
  expect((await call('GET', 'h/registrations')).text).toContain(content);
});

it('answers in the form of 2024 when switched so', async () => {
  await using emulator = await start({ generation: 2024 });
  const call = caller(emulator.namespace('n'));
  const written = await call('PUT', 'h/registrations/1-2-3?api-version=2020-06', anApple());
  expect([written.headers.get('etag'), written.headers.get('content-location')]).toEqual([null, null]);
  expect(written.text).toMatch(/^<entry p1:etag="W\/&quot;1&quot;"/);
  expect(textOf(written.text, 'ExpirationTime')).toBe('9999-12-31T23:59:59.9999999');
  const listed = await call('GET', 'h/registrations?api-version=2020-06');
  expect(listed.headers.get('content-type')).toBe('application/xml');
  expect(listed.text).toContain('/h/resources/1-2-3?api-version=2020-06" /><content');
});

function bodyOf(xml: string): string {
  const raw = /<BodyTemplate>(.*)<\/BodyTemplate>/s.exec(xml)?.[1] ?? '';
  // Sections and references stand side by side; outside sections only carriage returns occur.
  return raw.replace(/<!\[CDATA\[(.*?)\]\]>/gs, '$1').replaceAll('&#xD;', '\r');
}

function start(switches: Partial<HubSwitches> = {}): Promise<Emulator> {
  return startEmulator({ namespaces: [{ name: 'n', hubs: [{ name: 'h', switches }] }] });
}
