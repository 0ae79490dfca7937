import { SaxesParser } from 'saxes';
import { expect, it } from 'vitest';
import { type EmulatedHub, startEmulator } from '../../local/hub-lab/index.ts';

const now = Date.UTC(2026, 0, 1);

it('makes the same hub from the same seed, and another from another', async () => {
  const make = async (seed: number) => {
    await using emulator = await startEmulator();
    const hub = emulator.hub('primary', 'devices');
    hub.seed({ devices: 300, seed, now });
    hub.churn({ change: 10, remove: 10, add: 10, seed });
    return JSON.stringify([...hub.registrations(), ...hub.installations()]);
  };
  const [first, again, other] = [await make(1), await make(1), await make(2)];
  expect(first === again).toBe(true);
  expect(first === other).toBe(false);
});

it('keeps the promised shares and shapes', async () => {
  await using emulator = await startEmulator();
  const hub = emulator.hub('primary', 'devices');
  const summary = hub.seed({ devices: 20_000, seed: 5, now });
  const rows = [...hub.registrations()];
  const share = (count: number) => count / summary.devices;
  expect(summary).toMatchObject({ devices: 20_000, registrations: rows.length });
  const native = new Map<string, Set<string>>();
  for (const { platform, handle } of rows) native.set(platform, (native.get(platform) ?? new Set()).add(handle));
  expect([...native.keys()].sort()).toEqual([
    'Adm',
    'Apple',
    'Baidu',
    'Browser',
    'FcmV1',
    'Gcm',
    'Mpns',
    'Windows',
    'Xiaomi',
  ]);
  expect(share(native.get('Apple')?.size ?? 0)).toBeCloseTo(0.45, 1);
  expect(share(native.get('FcmV1')?.size ?? 0)).toBeCloseTo(0.45, 1);
  const installed = new Set(rows.filter(({ installationId }) => installationId !== null).map(({ handle }) => handle));
  expect(share(installed.size)).toBeCloseTo(0.6, 1);
  expect(share(new Set(rows.filter(({ isTemplate }) => isTemplate).map(({ handle }) => handle)).size)).toBeCloseTo(
    0.2,
    1,
  );
  const has = (test: (row: (typeof rows)[number]) => boolean) => rows.some(test);
  expect(has(({ tags }) => tags.length >= 60)).toBe(true);
  expect(has(({ tags }) => tags.some((tag) => tag.length === 120))).toBe(true);
  expect(has(({ xml }) => xml.includes(']]]]><![CDATA[>'))).toBe(true);
  expect(has(({ xml }) => xml.includes('\n') && xml.includes('&#xD;'))).toBe(true);
  expect(has(({ installationId }) => installationId?.includes('/') === true && installationId.includes('%'))).toBe(
    true,
  );
  expect(has(({ tags }) => tags.some((tag) => tag.startsWith('$UserId:')))).toBe(true);
  expect(has(({ xml }) => xml.includes('<PushVariables>'))).toBe(true);
  expect(has(({ expiresAt }) => expiresAt !== null)).toBe(true);
});

it('puts the wanted share of handles into a second record', async () => {
  await using emulator = await startEmulator();
  const hub = emulator.hub('primary', 'devices');
  hub.seed({ devices: 4000, seed: 5, duplicateShare: 0.25 });
  const records = new Map<string, number>();
  for (const row of hub.registrations()) {
    if (row.installationId === null || !row.isTemplate) records.set(row.handle, (records.get(row.handle) ?? 0) + 1);
  }
  expect([...records.values()].filter((count) => count > 1).length / records.size).toBeCloseTo(0.25, 1);
});

it('writes rows that any XML parser reads, with unknown elements and expired ones on demand', async () => {
  await using emulator = await startEmulator();
  const hub = emulator.hub('primary', 'devices');
  hub.seed({ devices: 1000, seed: 9, unknownElementShare: 0.5, expiredShare: 0.5 });
  for (const { xml } of hub.registrations()) new SaxesParser({ xmlns: true }).write(xml).close();
  const rows = [...hub.registrations()];
  expect(rows.some(({ xml }) => xml.includes('<FutureField>kept &amp; carried</FutureField></'))).toBe(true);
  expect(hub.purgeExpired()).toBeGreaterThan(300);
});

it('changes, removes and adds as many devices as asked', async () => {
  await using emulator = await startEmulator();
  const hub = emulator.hub('primary', 'devices');
  hub.seed({ devices: 500, seed: 1 });
  const before = byHandle(hub);
  const none = { refreshed: 0, renamed: 0, duplicated: 0, renewed: 0, handedOver: 0 };
  const counts = { changed: 20, removed: 30, added: 40, ...none };
  expect(hub.churn({ change: 20, remove: 30, add: 40, seed: 2 })).toEqual(counts);
  const after = byHandle(hub);
  expect([...before.keys()].filter((handle) => !after.has(handle))).toHaveLength(30);
  expect([...after.keys()].filter((handle) => !before.has(handle))).toHaveLength(40);
  expect([...after].filter(([handle, rows]) => before.has(handle) && before.get(handle) !== rows)).toHaveLength(20);
});

it('gives devices new handles under their ids, new ids under their handles, or second records', async () => {
  await using emulator = await startEmulator();
  const hub = emulator.hub('primary', 'devices');
  hub.seed({ devices: 300, seed: 1, duplicateShare: 0 });
  const seeded = { records: recordsByHandle(hub), ids: idsOf(hub) };
  expect(hub.churn({ refresh: 40, seed: 2 })).toMatchObject({ refreshed: 40 });
  const refreshed = recordsByHandle(hub);
  expect([...seeded.records.keys()].filter((handle) => !refreshed.has(handle))).toHaveLength(40);
  expect([refreshed.size, idsOf(hub)]).toEqual([300, seeded.ids]);

  expect(hub.churn({ rename: 30, seed: 3 })).toMatchObject({ renamed: 30 });
  const renamed = recordsByHandle(hub);
  const isMoved = ([handle, records]: [string, string]) => renamed.get(handle) !== records;
  expect([...refreshed].filter(isMoved)).toHaveLength(30);
  expect([renamed.size, hub.stats().registrations]).toEqual([300, seeded.ids.length]);

  expect(hub.churn({ duplicate: 25, seed: 4 })).toMatchObject({ duplicated: 25 });
  expect([...recordsByHandle(hub)].filter(isMoved)).toHaveLength(25);
  expect(hub.devices()).toBe(300);
});

it('gives devices a later expiry, or another owner with other tags and ids', async () => {
  await using emulator = await startEmulator();
  const hub = emulator.hub('primary', 'devices');
  hub.seed({ devices: 300, seed: 1, duplicateShare: 0, expiringShare: 0.2 });
  const before = new Map([...hub.registrations()].map((row) => [row.id, row]));
  expect(hub.churn({ renew: 20, handOver: 30, seed: 2 })).toMatchObject({ renewed: 20, handedOver: 30 });
  const rows = [...hub.registrations()];
  const renewed = rows.filter(({ id, expiresAt }) => before.has(id) && before.get(id)?.expiresAt !== expiresAt);
  expect(new Set(renewed.map(({ handle }) => handle)).size).toBe(20);
  for (const { id, expiresAt } of renewed) {
    expect(Date.parse(expiresAt ?? '') - Date.parse(before.get(id)?.expiresAt ?? '')).toBe(365 * 86_400_000);
  }
  const handedOver = rows.filter(({ id }) => !before.has(id));
  expect(new Set(handedOver.map(({ handle }) => handle)).size).toBe(30);
  for (const { tags } of handedOver) expect(tags).toContainEqual(expect.stringMatching(/^owner:/));
  expect(hub.devices()).toBe(300);
});

it('lets devices of one hub come back in another with one more tag, and new ones join', async () => {
  await using emulator = await startEmulator();
  const [primary, secondary] = ['primary', 'secondary'].map((name) => emulator.hub(name, 'devices'));
  if (primary === undefined || secondary === undefined) throw new Error('two hubs are there by default');
  primary.seed({ devices: 200, seed: 1 });
  expect(secondary.goLive(primary, { add: 5, returning: 10, seed: 4 })).toEqual({ added: 5, returned: 10 });
  const known = byHandle(primary);
  const [returned, fresh] = [true, false].map((isKnown) =>
    [...secondary.registrations()].filter(({ handle }) => known.has(handle) === isKnown),
  );
  expect([
    new Set(returned?.map(({ handle }) => handle)).size,
    new Set(fresh?.map(({ handle }) => handle)).size,
  ]).toEqual([10, 5]);
  expect(returned?.every(({ tags }) => tags.includes('live:4'))).toBe(true);
});

it('refuses options out of range', async () => {
  await using emulator = await startEmulator();
  expect(() => emulator.hub('primary', 'devices').seed({ devices: -1 })).toThrow(/devices/);
});

function byHandle(hub: EmulatedHub): Map<string, string> {
  const rows = new Map<string, string>();
  for (const { handle, tags } of hub.registrations()) rows.set(handle, `${rows.get(handle) ?? ''}${tags.join()};`);
  return rows;
}

/** Ids of a handle's installations and plain rows. */
function recordsByHandle(hub: EmulatedHub): Map<string, string> {
  const records = new Map<string, Set<string>>();
  for (const { handle, id, installationId } of hub.registrations()) {
    records.set(handle, (records.get(handle) ?? new Set()).add(installationId ?? id));
  }
  return new Map([...records].map(([handle, ids]) => [handle, [...ids].sort().join()]));
}

function idsOf(hub: EmulatedHub): string[] {
  return [...hub.registrations()].map(({ id }) => id).sort();
}
