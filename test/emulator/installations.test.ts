import { expect, it, vi } from 'vitest';
import { type Emulator, type HubSwitches, startEmulator } from '../../local/hub-lab/index.ts';
import { caller } from './hub-caller.ts';

const simple = { platform: 'apns', pushChannel: 'aa', tags: ['one'] };

it('shows an installation as one native registration and one for each template, with the tags the service adds', async () => {
  await using emulator = await start();
  const call = caller(emulator.namespace('n'));
  await call('PUT', 'h/installations/i%2F1', {
    ...simple,
    userID: 'u',
    pushVariables: { v: '1' },
    templates: { 'Template Name': { body: '{}', expiry: '$(e)', headers: { 'apns-priority': '5' }, tags: ['own'] } },
  });
  const rows = [...emulator.hub('n', 'h').registrations()].sort((a, b) => Number(a.isTemplate) - Number(b.isTemplate));
  expect(rows.map(({ tags }) => tags)).toEqual([
    ['$InstallationId:{i/1}', '$UserId:{u}', 'one'],
    ['$InstallationId:{i/1}', '$UserId:{u}', 'one', 'own', 'Template Name'],
  ]);
  expect(
    rows.every(({ xml }) => xml.includes('<PushVariables>{"v":"1"}</PushVariables><DeviceToken>AA</DeviceToken>')),
  ).toBe(true);
  expect(rows[1]?.xml).toContain(
    '<Expiry>$(e)</Expiry><TemplateName>Template Name</TemplateName><ApnsHeaders><ApnsHeader><Header>apns-priority</Header><Value>5</Value></ApnsHeader></ApnsHeaders>',
  );
  const read = await call('GET', 'h/installations/i%2F1');
  expect(JSON.parse(read.text).templates['Template Name'].tags).toEqual(['own', 'Template Name']);
});

it.each([
  [
    { platform: 'browser', pushChannel: { endpoint: 'e', p256dh: 'p', auth: 'a' } },
    '<Endpoint>e</Endpoint><P256DH>p</P256DH><Auth>a</Auth>',
  ],
  [
    { platform: 'browser', pushChannel: '{"endpoint":"e","p256dh":"p","auth":"a"}' },
    '<Endpoint>e</Endpoint><P256DH>p</P256DH><Auth>a</Auth>',
  ],
  [
    { platform: 'baidu', pushChannel: 'user-channel-1' },
    '<BaiduUserId>user</BaiduUserId><BaiduChannelId>channel-1</BaiduChannelId>',
  ],
  [{ platform: 'FCMV1', pushChannel: 'f' }, '<FcmV1RegistrationId>f</FcmV1RegistrationId>'],
  [{ platform: 'wns', pushChannel: 'w' }, '<ChannelUri>w</ChannelUri>'],
])('reads the channel of %j', async (installation, xml) => {
  await using emulator = await start();
  await caller(emulator.namespace('n'))('PUT', 'h/installations/i', installation);
  expect([...emulator.hub('n', 'h').registrations()].map((row) => row.xml.includes(xml))).toEqual([true]);
});

it.each([true, false])(
  'shows a channel without a path with a slash when it is kept as a URI: %s',
  async (uriChannels) => {
    await using emulator = await start({ uriChannels });
    const call = caller(emulator.namespace('n'));
    await call('PUT', 'h/installations/i', { platform: 'wns', pushChannel: 'https://wns.example?token=a%2fb' });
    const shown = `https://wns.example${uriChannels ? '/' : ''}?token=a%2fb`;
    expect([...emulator.hub('n', 'h').registrations()].map(({ handle }) => handle)).toEqual([shown]);
    expect(JSON.parse((await call('GET', 'h/installations/i')).text).pushChannel).toBe(shown);
  },
);

it('shows a secondary tile as template rows with its own channel and name', async () => {
  await using emulator = await start();
  const tile = { pushChannel: 'tile', tags: ['t'], templates: { a: { body: '<x/>' } } };
  await caller(emulator.namespace('n'))('PUT', 'h/installations/i', {
    platform: 'wns',
    pushChannel: 'w',
    secondaryTiles: { left: tile },
  });
  const rows = [...emulator.hub('n', 'h').registrations()];
  expect(rows.find(({ handle }) => handle === 'tile')).toMatchObject({
    isTemplate: true,
    tags: ['$InstallationId:{i}', 'a', 't'],
  });
  expect(rows.find(({ handle }) => handle === 'tile')?.xml).toContain('<SecondaryTileName>left</SecondaryTileName>');
});

it('applies writes later and in order, and answers 200 at once', async () => {
  await using emulator = await start({ installationDelayMs: 40 });
  const hub = emulator.hub('n', 'h');
  const call = caller(emulator.namespace('n'));
  for (const tag of ['a', 'b', 'c']) {
    expect((await call('PUT', 'h/installations/i', { ...simple, tags: [tag] })).status).toBe(200);
  }
  hub.switches({ installationDelayMs: 0 });
  expect((await call('PATCH', 'h/installations/i', [{ op: 'add', path: '/tags', value: 'd' }])).status).toBe(200);
  await vi.waitFor(() => expect(hub.stats().pendingInstallationWrites).toBe(0), { timeout: 5000 });
  expect(JSON.parse((await call('GET', 'h/installations/i')).text).tags).toEqual(['c', 'd']);
});

it('does not show a waiting write until it is settled', async () => {
  await using emulator = await start({ installationDelayMs: 60_000 });
  const hub = emulator.hub('n', 'h');
  const call = caller(emulator.namespace('n'));
  await call('PUT', 'h/installations/i', simple);
  expect([(await call('GET', 'h/installations/i')).status, hub.stats().registrations]).toEqual([404, 0]);
  await hub.settle();
  expect([(await call('GET', 'h/installations/i')).status, hub.stats().registrations]).toEqual([200, 1]);
});

it('keeps ids over changes, counts the ETag up, and leaves an equal row alone', async () => {
  await using emulator = await start();
  const hub = emulator.hub('n', 'h');
  const call = caller(emulator.namespace('n'));
  const state = () => [...hub.registrations()].map(({ id, etag }) => ({ id, etag }));
  await call('PUT', 'h/installations/i', simple);
  const [first] = state();
  await call('PUT', 'h/installations/i', simple);
  expect(state()).toEqual([first]);
  await call('PUT', 'h/installations/i', { ...simple, tags: ['two'] });
  expect(state()).toEqual([{ id: first?.id, etag: 2 }]);
  await call('PUT', 'h/installations/i', { ...simple, templates: { t: { body: 'b' } } });
  expect(state()).toHaveLength(2);
  await call('PUT', 'h/installations/i', simple);
  expect(state()).toHaveLength(1);
});

it('brings registrations back with an equal PUT, unless the trap is set: then only a changed one works', async () => {
  for (const noOpPutTrap of [false, true]) {
    await using emulator = await start({ noOpPutTrap });
    const hub = emulator.hub('n', 'h');
    const call = caller(emulator.namespace('n'));
    const rowCount = async (installation: object): Promise<number> => {
      expect((await call('PUT', 'h/installations/i', installation)).status).toBe(200);
      return hub.stats().registrations;
    };
    await rowCount(simple);
    for (const { id } of [...hub.registrations()])
      await call('DELETE', `h/registrations/${id}`, undefined, { 'if-match': '*' });
    expect(await rowCount(simple)).toBe(noOpPutTrap ? 0 : 1);
    expect(await rowCount({ ...simple, tags: ['changed'] })).toBe(1);
    expect(await rowCount(simple)).toBe(1);
    await call('DELETE', 'h/installations/i');
    expect(await rowCount(simple)).toBe(noOpPutTrap ? 0 : 1);
    expect(await rowCount({ ...simple, tags: ['changed'] })).toBe(1);
  }
});

it.each([
  ['add a tag as plain text', [{ op: 'add', path: '/tags', value: 'x' }], { tags: ['one', 'x'] }],
  [
    'remove a tag by name',
    [
      { op: 'add', path: '/tags', value: 'x' },
      { op: 'remove', path: '/tags/ONE' },
    ],
    { tags: ['x'] },
  ],
  ['replace all tags', [{ op: 'replace', path: '/tags', value: ['y'] }], { tags: ['y'] }],
  ['replace the channel', [{ op: 'replace', path: '/pushChannel', value: 'bb' }], { pushChannel: 'bb' }],
  [
    'set a template from JSON text',
    [{ op: 'replace', path: '/templates/t', value: '{"body":"{\\"a\\":1}"}' }],
    { templates: { t: { body: '{"a":1}', tags: ['t'] } } },
  ],
  [
    'change a body that looks like JSON',
    [
      { op: 'add', path: '/templates/t', value: { body: 'a' } },
      { op: 'replace', path: '/templates/t/body', value: '{"b":2}' },
    ],
    { templates: { t: { body: '{"b":2}', tags: ['t'] } } },
  ],
  ['set the user', [{ op: 'add', path: '/userId', value: 'u' }], { userId: 'u' }],
  [
    'set the expiry back to never by any patch',
    [{ op: 'add', path: '/userId', value: 'u' }],
    { expirationTime: '9999-12-31T23:59:59.9999999Z' },
  ],
])('patches: %s', async (_, operations, expected) => {
  await using emulator = await start();
  const call = caller(emulator.namespace('n'));
  await call('PUT', 'h/installations/i', { ...simple, expirationTime: '2040-01-01T00:00:00Z' });
  expect((await call('PATCH', 'h/installations/i', operations)).status).toBe(200);
  expect(JSON.parse((await call('GET', 'h/installations/i')).text)).toEqual(expect.objectContaining(expected));
});

it('drops a patch whose outcome is invalid without telling the client', async () => {
  await using emulator = await start();
  const hub = emulator.hub('n', 'h');
  const call = caller(emulator.namespace('n'));
  await call('PUT', 'h/installations/i', simple);
  expect((await call('PATCH', 'h/installations/i', [{ op: 'replace', path: '/tags', value: 'a,b' }])).status).toBe(200);
  expect([
    hub.stats().droppedInstallationWrites,
    JSON.parse((await call('GET', 'h/installations/i')).text).tags,
  ]).toEqual([1, ['one']]);
  expect((await call('PATCH', 'h/installations/absent', [{ op: 'remove', path: '/tags' }])).status).toBe(404);
  expect((await call('PATCH', 'h/installations/i', { not: 'a patch' })).status).toBe(400);
  expect((await call('DELETE', 'h/installations/absent')).status).toBe(204);
});

it('carries the expiry to the rows, delivers nothing to them once it has passed, and purges them on demand', async () => {
  await using emulator = await start();
  const hub = emulator.hub('n', 'h');
  const call = caller(emulator.namespace('n'));
  await call('PUT', 'h/installations/old', { ...simple, expirationTime: '2020-01-01T00:00:00Z' });
  await call('PUT', 'h/installations/new', {
    ...simple,
    pushChannel: 'bb',
    expirationTime: '2090-01-01T00:00:00.1234567Z',
  });
  expect((await call('GET', 'h/registrations')).text).toContain('<ExpirationTime>2090-01-01T00:00:00.1234567Z<');
  expect((await hub.broadcast()).deliveries).toBe(1);
  expect([hub.purgeExpired(), hub.stats().registrations, hub.stats().installations]).toEqual([1, 1, 1]);
});

function start(switches: Partial<HubSwitches> = {}): Promise<Emulator> {
  return startEmulator({ namespaces: [{ name: 'n', hubs: [{ name: 'h', switches }] }] });
}
