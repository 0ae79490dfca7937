import { expect, test } from 'vitest';
import { type App, createMemory } from '../../src/app/app.ts';
import { hashOf, storeIntent } from '../../src/app/dual/intents.ts';
import { repairFolder } from '../../src/app/dual/lane.ts';
import { repairIntent } from '../../src/app/dual/repair.ts';
import { erase } from '../../src/app/erasure/erase.ts';
import { documents } from '../../src/app/stored/documents.ts';
import { pairBlobs } from '../../src/app/stored/pair-blobs.ts';
import type { Device, DeviceState } from '../../src/core/dual/intent.ts';
import { INTENTS_FOLDER, intentName, otherIdsName } from '../../src/core/paths.ts';
import { descriptionForWrite } from '../../src/core/registration/registration.ts';
import type { Erasure } from '../../src/core/request/erasure.ts';
import { backfill } from '../../src/redundant/backfill.ts';
import { backUp } from '../support/drive.ts';
import { createEngine, type Engine, one, three } from '../support/engine.ts';
import { createMemoryHub } from '../support/memory-hub.ts';
import { anAppleRow, anInstallation, tokenOf } from '../support/rows.ts';

const phone: Device = { kind: 'installation', id: 'adas-phone' };
const tablet: Device = { kind: 'registration', id: '7-7-7' };
const adas = ['vip:ada', '$UserId:{Ada}'];
const wanted = (userId: string, tags: readonly string[] = []): DeviceState => ({
  kind: 'put',
  body: JSON.stringify({ platform: 'apns', pushChannel: tokenOf(userId), userId, tags }),
});
const adasTablet: DeviceState = {
  kind: 'put',
  body: descriptionForWrite(anAppleRow({ id: '7-7-7', tags: adas, token: tokenOf('tablet') })),
};
const byUser: Erasure = { kind: 'userId', value: 'ada' };

const intend = (app: App, device: Device, state: DeviceState) => storeIntent(app, { device, state }, undefined);
const intents = async ({ blobs }: App) => (await blobs.list(INTENTS_FOLDER)).map(({ name }) => name);
const isAdas = (xml: string): boolean => /vip:ada|\{ada/i.test(xml);

/** What a hub holds of Ada once all that is stored has been carried out. */
async function adasRowsAfterRepair({ app, advance, secondary, primary }: Engine) {
  advance(120_000);
  for (const folder of '0123456789abcdef') await repairFolder(app, { formatVersion: 1, kind: 'dualWrites', folder });
  return [primary, secondary].map(({ rows }) => [...rows.values()].filter(isAdas).length);
}

test.each<[Erasure, Device, DeviceState]>([
  [byUser, phone, wanted('Ada')],
  [{ kind: 'installationId', value: 'ADAS-phone' }, phone, wanted('Ada')],
  [{ kind: 'tag', value: 'VIP:ada' }, phone, wanted('Ada', ['vip:ada'])],
  [{ kind: 'handle', value: tokenOf('Ada').toLowerCase() }, phone, wanted('Ada')],
  [byUser, tablet, adasTablet],
  [{ kind: 'handle', value: tokenOf('tablet') }, tablet, adasTablet],
  [{ kind: 'registrationId', value: '7-7-7' }, tablet, adasTablet],
])('an erasure by %o drops what waits to be written of %o', async (erasure, device, state) => {
  const engine = createEngine();
  await intend(engine.app, device, state);
  const bobs: Device = { kind: 'installation', id: 'bobs-phone' };
  await intend(engine.app, bobs, wanted('Bob'));
  engine.advance(120_000);
  expect((await erase(engine.app, erasure)).intended).toEqual({ dropped: 1, unread: 0, landingUntil: null });
  expect(await intents(engine.app)).toEqual([intentName(hashOf(bobs))]);
  expect(await adasRowsAfterRepair(engine)).toEqual([0, 0]);
  expect(engine.secondary.writes).toEqual(['installation bobs-phone']);
});

test('what is intended for another stays, and what was intended before for the erased does not hold again', async () => {
  const engine = createEngine();
  await intend(engine.app, phone, wanted('Ada'));
  await intend(engine.app, phone, wanted('Bob'));
  engine.advance(120_000);
  expect((await erase(engine.app, byUser)).intended.dropped).toBe(0);
  for (const hub of [engine.primary, engine.secondary]) {
    hub.intercept = (_, __, json) =>
      json.includes('Bob') ? { kind: 'rejected', status: 400, reason: 'Rejected' } : undefined;
  }
  await adasRowsAfterRepair(engine);
  expect(await adasRowsAfterRepair(engine)).toEqual([0, 0]);
});

test('a patch is dropped where the device that lives is the erased, and a deletion is carried out', async () => {
  const engine = createEngine();
  for (const [id, xml] of anInstallation('adas-phone', { tags: adas })) engine.primary.rows.set(id, xml);
  for (const [id, xml] of anInstallation('adas-old-phone', { tags: adas })) engine.secondary.rows.set(id, xml);
  await intend(engine.app, phone, { kind: 'patch', operations: [{ op: 'add', path: '/tags', value: 'sport' }] });
  const old: Device = { kind: 'installation', id: 'adas-old-phone' };
  await intend(engine.app, old, { kind: 'delete' });
  const { intended, live } = await erase(engine.app, byUser);
  expect(intended.dropped).toBe(1);
  expect(live.map(({ rows }) => rows.length)).toEqual([2, 2]);
  // The patch would have copied the phone; the person removes what lives.
  expect(await adasRowsAfterRepair(engine)).toEqual([2, 0]);
});

test('a registration under another id in the other hub is known by that, too, and a device that has changed hands is not', async () => {
  const engine = createEngine();
  await intend(engine.app, tablet, adasTablet);
  await documents.otherIds.write(
    engine.app,
    otherIdsName(hashOf(tablet)),
    { ids: { 'three/devices': '9-9-9' } },
    'any',
  );
  expect((await erase(engine.app, { kind: 'registrationId', value: '9-9-9' })).intended.dropped).toBe(1);
  for (const [id, xml] of anInstallation('adas-phone', { tags: adas })) engine.primary.rows.set(id, xml);
  await intend(engine.app, phone, wanted('Bob'));
  expect((await erase(engine.app, byUser)).intended.dropped).toBe(0);
});

test('the answer says until when a call that was under way may land, also where the repair has just taken it in hand', async () => {
  const engine = createEngine();
  const { app } = engine;
  await intend(app, phone, wanted('Ada'));
  engine.advance(20_000);
  const until = (ms: number) => new Date(app.world.storageNow() + ms).toISOString();
  expect((await erase(app, byUser)).intended.landingUntil).toBe(until(40_000));

  await intend(app, phone, wanted('Ada'));
  engine.advance(120_000);
  engine.secondary.intercept = () => {
    engine.secondary.intercept = () => undefined;
    erasing = erase(app, byUser);
    return { kind: 'rejected', status: 500, reason: 'Rejected' };
  };
  let erasing: ReturnType<typeof erase> | undefined;
  const repair = { ...app, hubs: [app.primary, app.secondary], active: one, onConfirmed: () => {} };
  await repairIntent(repair, intentName(hashOf(phone)));
  expect((await erasing)?.intended).toEqual({ dropped: 1, unread: 0, landingUntil: until(60_000) });
  expect(await intents(app)).toEqual([]);
});

test('what the app of another pair with one of the hubs was to write is dropped, too', async () => {
  const engine = createEngine();
  const five = createMemoryHub({ ref: { namespace: 'five', hub: 'devices' } });
  const pair = pairBlobs(engine.container, engine.app.primary.ref, five.ref);
  const other: App = { ...engine.app, secondary: five, blobs: pair, memory: createMemory() };
  await intend(other, phone, wanted('Ada'));
  expect((await erase(engine.app, byUser)).intended.dropped).toBe(1);
  expect(await intents(other)).toEqual([]);
});

test('what there is no time to look at is counted', async () => {
  const engine = createEngine();
  const { app } = engine;
  await intend(app, phone, wanted('Ada'));
  let looks = 0;
  const now = (): number => {
    looks += 1;
    return app.world.now() + looks * 61_000;
  };
  const slow: App = { ...app, world: { ...app.world, now } };
  expect((await erase(slow, byUser)).intended).toEqual({ dropped: 0, unread: 1, landingUntil: null });
});

test('the library does not copy what was erased from the snapshot into the other hub', async () => {
  const engine = createEngine();
  for (const user of ['ada', 'bob']) {
    for (const [id, xml] of anInstallation(`${user}s-phone`, { tags: [`$UserId:{${user}}`] }))
      engine.primary.rows.set(id, xml);
  }
  await backUp(engine);
  await erase(engine.app, byUser);
  const { app } = engine;
  const parts = { blobs: app.blobs, world: app.world, log: app.log, hubs: [app.primary, app.secondary] };
  const role = { active: one, standby: three, since: '1970-01-01T00:00:00.000Z', history: [] };
  expect(await backfill(parts, role)).toMatchObject({ added: 1, erased: 1, there: 0, queued: 0, gone: 0 });
  expect(engine.secondary.writes).toEqual(['installation bobs-phone']);
  expect(await intents(app)).toEqual([]);
});
