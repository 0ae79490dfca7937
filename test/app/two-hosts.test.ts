import { expect, inject, test } from 'vitest';
import type { App } from '../../src/app/app.ts';
import { startBackup } from '../../src/app/backup/start.ts';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { findRun } from '../../src/app/runs/store.ts';
import { searchLatest } from '../../src/app/snapshots/store.ts';
import type { RunKind } from '../../src/core/paths.ts';
import type { Hub } from '../../src/core/ports.ts';
import { isOver } from '../../src/core/run/run.ts';
import { beginRestore } from '../support/drive.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { type PacedHub, pacedHub } from '../support/paced-hub.ts';
import { anAppleRow } from '../support/rows.ts';
import { openVirtualHosts, type VirtualHosts } from '../support/virtual-hosts.ts';

const MINUTE_MS = 60_000;

function fill({ primary }: VirtualHosts, devices: number): void {
  for (let index = 0; index < devices; index++) {
    const id = `${index}-5-1`;
    primary.rows.set(id, anAppleRow({ id, tags: [`n${index}`] }));
  }
}

async function untilOver({ clock }: VirtualHosts, app: () => App, kind: RunKind, id: string, minutes = 120) {
  const endAt = clock.now() + minutes * MINUTE_MS;
  for (;;) {
    const run = await clock.advanceUntil(findRun(app(), kind, id));
    if (isOver(run)) return run;
    if (clock.now() > endAt) throw new Error(`${kind} ${id} hangs in ${run.phase.name}`);
    await clock.advance(1000);
  }
}

async function backUpWith(hosts: VirtualHosts, app: App): Promise<string> {
  const { id } = await hosts.clock.advanceUntil(startBackup(app, 'timer'));
  expect(await untilOver(hosts, () => app, 'backup', id)).toMatchObject({ status: 'Succeeded' });
  return id;
}

/** The longest time between two rows that appear in the target, while it is written. */
function watchGaps({ clock, secondary }: VirtualHosts) {
  let rows = secondary.rows.size;
  let since: number | undefined;
  let longestMs = 0;
  return {
    look(): void {
      if (secondary.rows.size === rows) return;
      if (since !== undefined) longestMs = Math.max(longestMs, clock.now() - since);
      since = clock.now();
      rows = secondary.rows.size;
    },
    longestMs: () => longestMs,
  };
}

/** Hosts whose target takes as many requests a second as it does when each begins; `requests` of the newest. */
function openPaced(perSecond: () => number) {
  let paced: PacedHub | undefined;
  const hosts = openVirtualHosts({
    toTarget: (hub, clock) => {
      paced = pacedHub(hub, { clock, perSecond: perSecond() });
      return paced;
    },
  });
  const requests = () => paced?.requests() ?? { taken: Number.POSITIVE_INFINITY, refused: Number.POSITIVE_INFINITY };
  return { hosts, requests };
}

const slowWrites = (hub: Hub, clock: FakeClock): Hub => ({
  ...hub,
  putRegistration: async (...args) => {
    await clock.sleep(1500);
    return hub.putRegistration(...args);
  },
});

test.each([
  ['one of two hosts is killed', 2, 45_000],
  ['the only host is killed and comes back at once', 1, 75_000],
])(
  '%s while a restore writes: messages hidden for 600 s, the timer locked for a minute',
  async (_, hostCount, mostMs) => {
    const hosts = openVirtualHosts({ toTarget: slowWrites });
    const { clock, secondary, start } = hosts;
    fill(hosts, 1500);
    const running = Array.from({ length: hostCount }, () => start());
    const [first] = running;
    let last = running.at(-1);
    if (first === undefined || last === undefined) throw new Error('no host');
    await backUpWith(hosts, last.app);
    const id = await clock.advanceUntil(beginRestore(last.app));
    const gaps = watchGaps(hosts);
    while (secondary.rows.size < 300) await clock.advance(250);
    gaps.look();
    first.kill();
    if (hostCount === 1) last = start();
    const { app } = last;
    while (secondary.rows.size < 1500) {
      await clock.advance(250);
      gaps.look();
      expect(gaps.longestMs()).toBeLessThan(mostMs);
    }
    expect(await untilOver(hosts, () => app, 'restore', id)).toMatchObject({ status: 'Succeeded' });
    expect(await clock.advanceUntil(readRestoreView(app, id))).toMatchObject({
      counts: { total: 1500, created: 1500 },
    });
    // The messages that the dead host held come back, and find nothing to do.
    const writes = secondary.writes.length;
    await clock.advance(11 * MINUTE_MS);
    expect(hosts.messages()).toEqual([]);
    expect(secondary.writes.length).toBe(writes);
  },
);

test.each(inject('isSoak') ? [1, 2, 5] : [1, 5])(
  'a restore into a hub that takes %i requests a second, and its rollback, cost no more than they must',
  async (perSecond) => {
    const devices = 600 * (perSecond + 1);
    const { hosts, requests } = openPaced(() => perSecond);
    const { clock, secondary, start } = hosts;
    fill(hosts, devices);
    const { app } = start();
    await backUpWith(hosts, app);
    const id = await clock.advanceUntil(beginRestore(app));
    const beganAt = clock.now();
    const restored = await untilOver(hosts, () => app, 'restore', id, 240);
    expect(restored).toMatchObject({ status: 'Succeeded', kicks: 0 });
    const passes = restored.phase.pass;
    const pages = (passes - 1) * Math.ceil(devices / 100) + passes;
    const floorMs = ((devices + pages) / perSecond) * 1000;
    expect(secondary.writes.length / devices).toBeLessThanOrEqual(1.02);
    expect((clock.now() - beganAt) / floorMs).toBeLessThanOrEqual(1.1);
    const rollback = await clock.advanceUntil(startRollback(app, id, { confirm: 'three/devices' }));
    const rolledBackAt = clock.now();
    for (;;) {
      const view = await clock.advanceUntil(readRestoreView(app, rollback.id));
      expect(view.counts.removed).toBeLessThanOrEqual(devices - secondary.rows.size);
      if (view.status === 'Succeeded' || view.status === 'Failed') break;
      await clock.advance(20_000);
    }
    const undone = await untilOver(hosts, () => app, 'restore', rollback.id, 1);
    expect(undone).toMatchObject({ status: 'Succeeded', kicks: 0 });
    expect(secondary.rows.size).toBe(0);
    // With what the service refused, to be asked again.
    const { taken, refused } = requests();
    const looks = 3 + undone.phase.pass * Math.ceil(devices / 100);
    expect((taken + refused) / (2 * devices + pages + looks)).toBeLessThanOrEqual(1.02);
    expect((clock.now() - rolledBackAt) / floorMs).toBeLessThanOrEqual(1.1);
  },
);

test('records that a slow hub has lost are written in the steps that have asked for them, not asked for until time is over', async () => {
  const devices = 300;
  let perSecond = 50;
  const { hosts, requests } = openPaced(() => perSecond);
  const { clock, secondary, start } = hosts;
  fill(hosts, devices);
  const first = start();
  await backUpWith(hosts, first.app);
  await untilOver(hosts, () => first.app, 'restore', await clock.advanceUntil(beginRestore(first.app)));
  first.kill();
  perSecond = 1;
  const { app } = start();
  const lost = [...secondary.rows.keys()].slice(20);
  for (const id of lost) secondary.rows.delete(id);
  await clock.advance(5 * MINUTE_MS);
  const id = await clock.advanceUntil(beginRestore(app));
  expect(await untilOver(hosts, () => app, 'restore', id)).toMatchObject({ status: 'Succeeded', kicks: 0 });
  expect(await clock.advanceUntil(readRestoreView(app, id))).toMatchObject({ counts: { created: lost.length } });
  // One question that decides, one right before the write, and the write; some questions are asked in two steps.
  expect(requests().taken).toBeLessThan(3.7 * lost.length);
});

test.each([
  [14, 'Succeeded'],
  [30, 'Succeeded'],
  [50, 'Succeeded'],
  [70, 'HubUnavailable'],
])(
  'a target that is away for %i minutes while two hosts write to it: %s, and no step has two messages',
  async (minutes, end) => {
    let awayFrom = Number.POSITIVE_INFINITY;
    const isAway = (now: number): boolean => now >= awayFrom && now < awayFrom + minutes * MINUTE_MS;
    const hosts = openVirtualHosts({
      toTarget: (hub, clock) => pacedHub(hub, { clock, perSecond: 20, isAway: () => isAway(clock.now()) }),
    });
    const { clock, secondary, start } = hosts;
    fill(hosts, 600);
    const [{ app }] = [start(), start()];
    await backUpWith(hosts, app);
    const id = await clock.advanceUntil(beginRestore(app));
    while (secondary.rows.size < 200) await clock.advance(500);
    awayFrom = clock.now();
    while (isAway(clock.now())) {
      await clock.advance(2000);
      const texts = hosts.messages().map((text) => text.replace(/"attempt":\d+/, ''));
      expect(new Set(texts).size).toBe(texts.length);
    }
    const { status, error, kicks } = await untilOver(hosts, () => app, 'restore', id);
    expect(error?.code ?? status).toBe(end);
    expect(kicks).toBe(0);
    if (end === 'Succeeded') expect(secondary.writes).toHaveLength(600);
  },
);

test.each([1000, -1000, MINUTE_MS, -3 * MINUTE_MS, 60 * MINUTE_MS, -60 * MINUTE_MS])(
  'two hosts whose clocks differ by %i ms restore the same as two that agree',
  async (skewMs) => {
    const hosts = openVirtualHosts({ toTarget: (hub, clock) => pacedHub(hub, { clock, perSecond: 20 }) });
    const { clock, secondary, start } = hosts;
    fill(hosts, 400);
    const [{ app }, other] = [start(), start({ skewMs })];
    await backUpWith(hosts, app);
    const id = await clock.advanceUntil(beginRestore(app));
    const run = await untilOver(hosts, () => app, 'restore', id);
    expect(run).toMatchObject({ status: 'Succeeded', kicks: 0, result: { counts: { total: 400, created: 400 } } });
    expect(secondary.writes).toHaveLength(400);
    const again = await clock.advanceUntil(beginRestore(other.app));
    expect(await untilOver(hosts, () => app, 'restore', again)).toMatchObject({
      status: 'Succeeded',
      result: { counts: { total: 400, unchanged: 400 } },
    });
    const { id: rollback } = await clock.advanceUntil(startRollback(other.app, id, { confirm: 'three/devices' }));
    expect(await untilOver(hosts, () => app, 'restore', rollback)).toMatchObject({ status: 'Succeeded' });
    expect(secondary.rows.size).toBe(0);
    const newest = await backUpWith(hosts, other.app);
    expect(await clock.advanceUntil(readLatestId(app))).toBe(newest);
  },
);

const readLatestId = async (app: App): Promise<string | undefined> =>
  (await searchLatest(app, app.primary.ref)).manifest?.id;
