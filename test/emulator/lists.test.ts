import { createFcmV1RegistrationDescription, type NotificationHubsClient } from '@azure/notification-hubs';
import { expect, it } from 'vitest';
import { compareIds } from '../../local/emulator/row-order.ts';
import type { World } from '../../local/emulator/world.ts';
import { type Emulator, type HubSwitches, startEmulator } from '../../local/hub-lab/index.ts';
import { anApple, type Call, caller, idsIn, listAll } from './hub-caller.ts';
import { all, sdk } from './sdk-client.ts';
import { virtualWorld } from './virtual-world.ts';

it('gives short and empty pages with tokens on the way through everything', async () => {
  for (const listOffsetTokens of [true, false]) {
    const switches = { listOffsetTokens, shortPageShare: 0.5, emptyPageShare: 0.3, tokenOnLastPage: true };
    await using emulator = await start({ ...switches, pageSizeLimit: 10 });
    const hub = emulator.hub('n', 'h');
    hub.seed({ devices: 150, seed: 7 });
    const ids = [...hub.registrations()].map(({ id }) => id).sort();
    const pages = await readPages(caller(emulator.namespace('n')), 'h/registrations');
    expect(pages.flat().sort()).toEqual(ids);
    const inner = pages.slice(0, -1).map(({ length }) => length);
    expect(inner.filter((length) => length === 0).length).toBeGreaterThan(2);
    expect(inner.filter((length) => length > 0 && length < 10).length).toBeGreaterThan(2);
    expect(pages.at(-1)).toEqual([]);
    const listed = await all(sdk(emulator.namespace('n')).listRegistrations());
    expect(listed.map(({ registrationId = '' }) => registrationId).sort()).toEqual(ids);
  }
});

it('gives a token with one row, or with none, and none with the page behind it', async () => {
  await using emulator = await start({ tokenOnLastPage: true });
  const call = caller(emulator.namespace('n'));
  await call('PUT', 'h/registrations/1-2-3', anApple({ tags: 'a' }));
  expect(await readPages(call, 'h/registrations')).toEqual([['1-2-3'], []]);
  expect(await readPages(call, 'h/tags/a/registrations')).toEqual([['1-2-3'], []]);
  expect(await readPages(call, 'h/tags/b/registrations')).toEqual([[], []]);
});

it('gives the same pages for the same chance', async () => {
  const pagesOf = async (seed: number) => {
    await using emulator = await start({ shortPageShare: 0.4, emptyPageShare: 0.4 }, virtualWorld({ seed }));
    emulator.hub('n', 'h').seed({ devices: 700, seed: 7 });
    return await readPages(caller(emulator.namespace('n')), 'h/registrations');
  };
  expect(await pagesOf(1)).toEqual(await pagesOf(1));
  expect(await pagesOf(1)).not.toEqual(await pagesOf(2));
});

it.each([
  ['id', ['1-1-1', '2-2-1', '10-1-1']],
  ['platform', ['2-2-1', '1-1-1', '10-1-1']],
  ['inserted', ['10-1-1', '2-2-1', '1-1-1']],
  ['updated', ['10-1-1', '1-1-1', '2-2-1']],
  ['etag', ['1-1-1', '10-1-1', '2-2-1']],
] as const)(
  'lists in the order %s, also from a token that names the last row, and when switched later',
  async (listOrder, expected) => {
    for (const isLate of [false, true]) {
      await using emulator = await start({ listOffsetTokens: false, ...(isLate ? {} : { listOrder }) });
      const call = caller(emulator.namespace('n'));
      const client = sdk(emulator.namespace('n'));
      await put(client, '10-1-1', 'a');
      await call('PUT', 'h/registrations/2-2-1', anApple({ tags: 'a' }));
      await put(client, '1-1-1', 'a');
      await call('PUT', 'h/registrations/2-2-1', anApple({ tags: 'a' }));
      if (isLate) emulator.hub('n', 'h').switches({ listOrder });
      expect(await listAll(call, 'h/registrations')).toEqual(expected);
      expect(await listAll(call, 'h/registrations?$top=1')).toEqual(expected);
      expect(await listAll(call, 'h/tags/a/registrations?$top=1')).toEqual(expected);
    }
  },
);

it('lists in an order that looks like none, the same each time', async () => {
  await using emulator = await start({ listOrder: 'shuffled' });
  emulator.hub('n', 'h').seed({ devices: 300, seed: 7 });
  const call = caller(emulator.namespace('n'));
  const ids = await listAll(call, 'h/registrations');
  const ascents = ids.filter((id, at) => at > 0 && compareIds(ids[at - 1] ?? '', id) < 0).length;
  expect(ascents / ids.length).toBeGreaterThan(0.4);
  expect(ascents / ids.length).toBeLessThan(0.6);
  expect(await listAll(call, 'h/registrations?$top=17')).toEqual(ids);
});

it('passes over rows, and repeats others, while rows are updated in a list ordered by that', async () => {
  await using emulator = await start({ listOrder: 'updated', pageSizeLimit: 10 });
  const client = sdk(emulator.namespace('n'));
  const ids = Array.from({ length: 50 }, (_, at) => `${at + 1}-1-1`);
  for (const id of ids) await put(client, id, 'before');
  const seen: string[] = [];
  for await (const page of client.listRegistrations().byPage()) {
    seen.push(...page.map(({ registrationId = '' }) => registrationId));
    if (seen.length <= 20) for (const id of seen.slice(-5)) await put(client, id, 'after');
  }
  expect(ids.filter((id) => !seen.includes(id)).length).toBe(10);
  expect(seen.filter((id, at) => seen.indexOf(id) !== at).length).toBe(10);
});

it('repeats rows while others are inserted before them and the token is an offset', async () => {
  await using emulator = await start({ listOrder: 'id', pageSizeLimit: 10 });
  const client = sdk(emulator.namespace('n'));
  for (let n = 100; n < 130; n += 1) await put(client, `${n}-1-1`, 'a');
  let next = 1;
  const seen = await listAll(caller(emulator.namespace('n')), 'h/registrations', async () => {
    if (next <= 2) await put(client, `${next}-1-1`, 'new');
    next += 1;
  });
  expect(seen.length - new Set(seen).size).toBe(2);
});

it('shows one id with two handles in one listing for a while after its handle changed', async () => {
  const world = virtualWorld();
  await using emulator = await start({ oldRowListedMs: 5000 }, world);
  const client = sdk(emulator.namespace('n'));
  for (const handle of ['old', 'new']) await put(client, '1-1-1', 'a', handle);
  const handles = async () =>
    (await all(client.listRegistrations({ top: 1 }))).map((row) =>
      row.kind === 'FcmV1' ? [row.registrationId, row.fcmV1RegistrationId, row.etag] : [],
    );
  const expected = [
    ['1-1-1', 'old', '1'],
    ['1-1-1', 'new', '2'],
  ];
  expect(await handles()).toEqual(expected);
  expect(await all(client.listRegistrationsByTag('a'))).toHaveLength(2);
  expect(await client.getRegistration('1-1-1')).toMatchObject({ fcmV1RegistrationId: 'new' });
  const byChannel = { kind: 'fcmv1', fcmV1RegistrationId: 'old' } as const;
  expect(await all(client.listRegistrationsByChannel(byChannel))).toEqual([]);
  world.advance(5000);
  expect(await handles()).toEqual(expected.slice(1));
});

it('shows what is written by handle at once, and by tag only after the lag', async () => {
  const world = virtualWorld();
  await using emulator = await start({ registrationReadLagMs: 5000 }, world);
  const client = sdk(emulator.namespace('n'));
  await put(client, '1-1-1', 'a', 'x');
  const counts = async () => [
    (await all(client.listRegistrationsByChannel({ kind: 'fcmv1', fcmV1RegistrationId: 'x' }))).length,
    (await all(client.listRegistrationsByTag('a'))).length,
  ];
  expect(await counts()).toEqual([1, 0]);
  world.advance(5000);
  await put(client, '1-1-1', 'b', 'y');
  expect(await counts()).toEqual([0, 1]);
  world.advance(5000);
  expect(await counts()).toEqual([0, 0]);
});

function put(client: NotificationHubsClient, registrationId: string, tag: string, handle = registrationId) {
  const description = createFcmV1RegistrationDescription({ fcmV1RegistrationId: handle, tags: [tag] });
  return client.createOrUpdateRegistration({ ...description, registrationId });
}

async function readPages(call: Call, path: string): Promise<string[][]> {
  const pages: string[][] = [];
  for (let token: string | null = ''; token !== null; ) {
    const page = await call('GET', token === '' ? path : `${path}?continuationtoken=${token}`);
    pages.push(idsIn(page.text));
    token = page.headers.get('x-ms-continuationtoken');
  }
  return pages;
}

function start(switches: Partial<HubSwitches>, world?: World): Promise<Emulator> {
  return startEmulator({
    ...(world === undefined ? {} : { world }),
    namespaces: [{ name: 'n', hubs: [{ name: 'h', switches }] }],
  });
}
