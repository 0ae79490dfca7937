import { expect, test } from 'vitest';
import { caller } from '../emulator/hub-caller.ts';
import { openHubRig } from './hub-rig.ts';

const green = { status: 'Succeeded', counts: { failed: 0, pending: 0 } };
/** Equal rows of one device come back as one. */
const distinct = (rows: readonly string[]): string[] => [...new Set(rows)];

test('pages cut off, empty, with rows twice, and tokens that expire or repeat leave out no device and double none', async () => {
  await using rig = await openHubRig({ devices: 400 });
  const { emulator, contentOf } = rig;
  emulator.hub('primary', 'devices').switches({ pageSizeLimit: 20 });
  const faults = [
    { name: 'truncated-page', probability: 0.1, seed: 1 },
    { name: 'malformed-page', probability: 0.1, seed: 2 },
    { name: 'empty-page', probability: 0.2, seed: 3 },
    { name: 'repeated-rows', probability: 0.4, seed: 4 },
    { name: 'expired-token', everyNth: 9, times: 1 },
    { name: 'repeated-token', everyNth: 11, times: 1 },
  ];
  emulator.namespace('primary').setFaults(faults);
  const backup = await rig.backUp();
  expect(backup).toMatchObject({ status: 'Succeeded', result: { health: 'good' } });
  const injected = emulator.namespace('primary').faults();
  expect(injected.filter((fault) => fault.injectedCount === 0)).toEqual([]);
  emulator.namespace('secondary').setFaults(faults);
  expect(await rig.restore()).toMatchObject(green);
  expect(contentOf('secondary')).toEqual(distinct(contentOf('primary')));
});

test('sockets that never answer and answers that come by drops cost their time-out, and the restore ends well', async () => {
  await using rig = await openHubRig({ devices: 60, requestTimeoutMs: 400 });
  await rig.backUp();
  rig.emulator.namespace('secondary').setFaults([
    { name: 'half-open', everyNth: 15, times: 4 },
    { name: 'drops', route: '^/registrations', everyNth: 6, times: 4, slowBytes: 1 },
    { name: 'slow', probability: 0.1, seed: 5, delayMs: 50 },
  ]);
  const startedAt = Date.now();
  expect(await rig.restore()).toMatchObject(green);
  expect(
    rig.emulator
      .namespace('secondary')
      .faults()
      .every((fault) => fault.injectedCount > 1),
  ).toBe(true);
  expect(Date.now() - startedAt).toBeLessThan(20_000);
  expect(rig.contentOf('secondary')).toEqual(distinct(rig.contentOf('primary')));
});

test('records answered 412 or 413 are set aside by their reason, and a restore after that brings them', async () => {
  await using rig = await openHubRig({ devices: 80 });
  await rig.backUp();
  rig.emulator.namespace('secondary').setFaults([
    { name: 'stale', method: 'PUT', status: 412, everyNth: 10, times: 3 },
    { name: 'large', method: 'PUT', status: 413, everyNth: 11, times: 2 },
  ]);
  const first = await rig.restore();
  expect(first).toMatchObject({
    status: 'Failed',
    error: { code: 'RestoreIncomplete' },
    counts: { failed: 5, pending: 0 },
    failuresByCode: { Stale: 3, TooLarge: 2 },
  });
  expect(await rig.restore()).toMatchObject({ ...green, counts: { created: 5, unchanged: first.counts.total - 5 } });
  expect(rig.contentOf('secondary')).toEqual(distinct(rig.contentOf('primary')));
});

test('a namespace that fills up half way stops the restore with what to do; with more room a new one completes it', async () => {
  await using rig = await openHubRig({
    devices: 100,
    namespaces: [
      { name: 'primary', hubs: ['devices'] },
      { name: 'secondary', hubs: ['devices'], tier: 40 },
    ],
  });
  await rig.backUp();
  const full = await rig.restore();
  expect(full).toMatchObject({
    status: 'Failed',
    error: { code: 'QuotaExceeded', message: expect.stringMatching(/Raise the namespace's tier .* restore again/) },
  });
  const { total, created, pending, ...others } = full.counts;
  expect(created).toBeGreaterThan(20);
  expect(created + pending).toBe(total);
  expect(Object.values(others).every((amount) => amount === 0)).toBe(true);
  expect(rig.emulator.hub('secondary', 'devices').stats().devices).toBe(40);

  rig.emulator.hub('secondary', 'devices').switches({ enforceDeviceQuota: false });
  const after = await rig.restore();
  expect(after).toMatchObject(green);
  expect(after.counts.unchanged).toBeGreaterThanOrEqual(created);
  expect(rig.contentOf('secondary')).toEqual(distinct(rig.contentOf('primary')));
});

test.each(['object', 'text'] as const)(
  'browsers are restored into a hub that takes their channel as %s',
  async (browserChannel) => {
    await using rig = await openHubRig({ devices: 3 });
    const { emulator, contentOf } = rig;
    const call = caller(emulator.namespace('primary'));
    for (const id of ['a', 'b', 'c']) {
      const pushChannel = { endpoint: `https://push.example/${id}`, p256dh: 'p', auth: 's' };
      await call('PUT', `devices/installations/${id}`, { platform: 'browser', pushChannel });
    }
    emulator.hub('secondary', 'devices').switches({ browserChannel });
    await rig.backUp();
    expect(await rig.restore()).toMatchObject({ ...green, counts: { failed: 0, total: 6, created: 6 } });
    expect(contentOf('secondary')).toEqual(distinct(contentOf('primary')));
  },
);

test('installation PUTs that take no effect because an equal one came before are noticed and repaired', async () => {
  await using rig = await openHubRig({ devices: 60 });
  await rig.backUp();
  const hub = rig.emulator.hub('secondary', 'devices');
  hub.switches({ noOpPutTrap: true });
  expect(await rig.restore()).toMatchObject(green);
  const whole = rig.contentOf('secondary');
  // Gone behind the service's back: it still remembers the last PUT of each.
  const lost = [...hub.registrations()].filter((row) => row.installationId !== null);
  const call = caller(rig.emulator.namespace('secondary'));
  for (const { id } of lost) await call('DELETE', `devices/registrations/${id}`, undefined, { 'if-match': '*' });
  const again = await rig.restore();
  expect(again).toMatchObject(green);
  expect(again.repaired).toBeGreaterThan(20);
  expect(rig.contentOf('secondary')).toEqual(whole);
});

test.each([true, false])(
  'rows that move while the hub is listed double no device, and the next snapshot has those that were passed over (offset tokens: %s)',
  async (listOffsetTokens) => {
    await using rig = await openHubRig({ devices: 1000 });
    const { emulator, contentOf } = rig;
    const hub = emulator.hub('primary', 'devices');
    hub.switches({ listOffsetTokens, pageSizeLimit: 50 });
    const before = new Set(contentOf('primary'));
    let pageCount = 0;
    emulator.namespace('primary').intercept(() => {
      hub.churn({ change: 1, remove: 2, add: 2, seed: 1000 + pageCount++ });
      return undefined;
    });
    expect(await rig.backUp()).toMatchObject({ status: 'Succeeded' });
    emulator.namespace('primary').intercept(undefined);
    const stayed = contentOf('primary').filter((row) => before.has(row));
    expect(await rig.restore()).toMatchObject(green);
    const restored = contentOf('secondary');
    expect(restored).toEqual(distinct(restored));
    const missed = stayed.filter((row) => !restored.includes(row)).length;
    // By offset, each row that goes shifts those behind it past the place where the next page begins.
    expect(missed).toBeLessThanOrEqual(listOffsetTokens ? 2 * pageCount : 0);

    emulator.hub('secondary', 'devices').churn({ remove: restored.length });
    const next = await rig.backUp();
    expect(next).toMatchObject({ status: 'Succeeded', result: { health: 'good' } });
    expect(await rig.restore({ snapshot: next.id })).toMatchObject(green);
    expect(contentOf('secondary')).toEqual(distinct(contentOf('primary')));
  },
);
