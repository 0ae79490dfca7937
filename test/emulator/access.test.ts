import { expect, it } from 'vitest';
import {
  type EmulatedNamespace,
  type Emulator,
  type NamespaceOptions,
  startEmulator,
} from '../../local/hub-lab/index.ts';
import { anApple, caller, textOf } from './hub-caller.ts';
import { sasHeader } from './sas-header.ts';

const listen = 'h/DefaultListenSharedAccessSignature';

it.each([
  ['POST', 'h/registrations', 200],
  ['PUT', 'h/installations/i', 200],
  ['GET', 'h/registrations?$filter=ChannelUri+eq+%27x%27', 200],
  ['GET', 'h/registrations', 403],
  ['GET', 'h/tags/a/registrations', 403],
  ['POST', 'h/messages', 403],
])('lets a Listen key do what its right allows: %s %s is %i', async (method, path, status) => {
  await using emulator = await start();
  const body = path.includes('installations') ? { platform: 'apns', pushChannel: 'a' } : anApple();
  const answer = await caller(emulator.namespace('n'), listen)(method, path, method === 'GET' ? undefined : body);
  expect(answer.status).toBe(status);
  if (status === 403) expect([answer.text, answer.headers.get('retry-after')]).toEqual(['', null]);
});

it.each([
  ['GET', 'h/registrations', 'Manage claim is required'],
  ['POST', 'h/messages', ''],
])('can answer a missing right as 401: %s %s', async (method, path, text) => {
  await using emulator = await start();
  emulator.hub('n', 'h').switches({ missingRightStatus: 401 });
  const answer = await caller(emulator.namespace('n'), listen)(method, path);
  expect([answer.status, answer.text === '', answer.text.includes(text)]).toEqual([401, text === '', true]);
});

it('lets the full rule of a hub do everything there, and nothing in another hub', async () => {
  await using emulator = await start();
  const call = caller(emulator.namespace('n'), 'h/DefaultFullSharedAccessSignature');
  expect((await call('GET', 'h/registrations')).status).toBe(200);
  expect((await call('GET', 'h2/registrations')).status).toBe(401);
});

it.each([
  ['no token', () => undefined, /^MissingToken/],
  [
    'an expired one',
    (n: EmulatedNamespace) => sasHeader(n.connectionString(), { expiresInSeconds: -5 }),
    /^ExpiredToken/,
  ],
  [
    'one for another hub',
    (n: EmulatedNamespace) => sasHeader(n.connectionString(), { resource: `${n.url}/h2` }),
    /^InvalidAudience/,
  ],
  [
    'one for a hub whose name is longer',
    (n: EmulatedNamespace) =>
      sasHeader(n.connectionString(), { resource: `${n.url}/` }).replace(/sr=[^&]*/, (sr) => `${sr}x`),
    /^InvalidSignature/,
  ],
  [
    'a foreign key',
    (n: EmulatedNamespace) => sasHeader(n.connectionString().replace(/Key=.*$/, 'Key=abc')),
    /^InvalidSignature|^MalformedToken/,
  ],
  ['rubbish', () => 'Bearer abc', /^MalformedToken/],
])('answers 401 to %s', async (_, header, detail) => {
  await using emulator = await start();
  const namespace = emulator.namespace('n');
  const authorization = header(namespace);
  const answer = await fetch(
    `${namespace.url}/h/registrations`,
    authorization === undefined ? {} : { headers: { authorization } },
  );
  expect([answer.status, answer.headers.get('content-type')]).toEqual([401, 'application/xml; charset=utf-8']);
  expect(textOf(await answer.text(), 'Detail')).toMatch(detail);
});

it.each(['/h/', '/H/registrations/', '/h/registrations?$top=1', '/'])('takes a token signed for %s', async (path) => {
  await using emulator = await start();
  const namespace = emulator.namespace('n');
  const { url } = namespace;
  const authorization = sasHeader(namespace.connectionString(), {
    resource: `sb://${url.slice('http://'.length)}${path}`,
  });
  const answer = await fetch(`${url}/h/registrations?$top=1`, { headers: { authorization } });
  expect(answer.status).toBe(200);
});

it('refuses old keys after a rotation and takes the new ones', async () => {
  await using emulator = await start();
  const namespace = emulator.namespace('n');
  const old = caller(namespace);
  namespace.rotateKeys();
  expect((await old('GET', 'h/registrations')).status).toBe(401);
  expect((await caller(namespace)('GET', 'h/registrations')).status).toBe(200);
});

it('answers 404 for data of a hub that is not there, and an empty feed for the hub itself', async () => {
  await using emulator = await start();
  const call = caller(emulator.namespace('n'));
  const data = await call('GET', 'none/registrations');
  expect([data.status, textOf(data.text, 'Detail')]).toEqual([404, expect.stringMatching(/^No service is hosted/)]);
  const hub = await call('GET', 'none');
  expect([hub.status, hub.text.includes('Publicly Listed Services')]).toEqual([200, true]);
});

it('takes no new device above the quota, without Retry-After, but changes the ones it has', async () => {
  await using emulator = await start({ tier: 2 });
  const call = caller(emulator.namespace('n'));
  const put = (hub: string, id: string, token: string) =>
    call('PUT', `${hub}/registrations/1-1-${id}`, anApple({ token }));
  await put('h', '1', 'a');
  await put('h2', '2', 'b');
  const refused = await put('h', '3', 'c');
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([403, null]);
  expect(textOf(refused.text, 'Code')).toBe('403');
  expect((await call('PUT', 'h/installations/i', { platform: 'apns', pushChannel: 'd' })).status).toBe(403);
  expect((await put('h', '4', 'A')).status).toBe(200);
  emulator.hub('n', 'h').switches({ enforceDeviceQuota: false });
  expect((await put('h', '3', 'c')).status).toBe(200);
});

function start(options: Partial<NamespaceOptions> = {}): Promise<Emulator> {
  return startEmulator({ namespaces: [{ name: 'n', hubs: ['h', 'h2'], ...options }] });
}
