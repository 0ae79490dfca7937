import { expect, test } from 'vitest';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { syncRunId } from '../../src/core/run/sync.ts';
import { backUp, contentOf, restore } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import type { MemoryHub } from '../support/memory-hub.ts';
import { runs } from '../support/property-runs.ts';
import { anAppleRow, anInstallation, tokenOf } from '../support/rows.ts';

const DAY_MS = 86_400_000;

/** Numbers below `most`, the same for the same seed. */
function numbers(seed: number): (most: number) => number {
  let state = seed * 2_654_435_761;
  return (most) => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 0x9e37_79b9) | 0;
    return (state >>> 3) % most;
  };
}

/** A device as its app registers it: as an installation, or under a registration id. */
interface Device {
  readonly name: string;
  readonly form: 'plain' | 'installation';
  /** Of its plain registration. */
  readonly id: string;
  readonly handle: string;
  readonly tags: readonly string[];
  readonly version: number;
  readonly expiresAt: number;
}

function rowsOf({ name, form, id, handle, tags, version, expiresAt }: Device): readonly (readonly [string, string])[] {
  const given = { tags, token: tokenOf(handle), etag: version, expirationTime: new Date(expiresAt).toISOString() };
  return form === 'plain' ? [[id, anAppleRow({ id, ...given })]] : anInstallation(name, given);
}

/** The devices of a hub, which speak to it as theirs. */
function aFleet(hub: MemoryHub, random: (most: number) => number, now: () => number) {
  const devices = new Map<string, Device>();
  let count = 0;
  const put = (device: Device): void => {
    for (const [id] of rowsOf(devices.get(device.name) ?? device)) hub.rows.delete(id);
    devices.set(device.name, device);
    for (const [id, xml] of rowsOf(device)) hub.rows.set(id, xml);
  };
  const changed = (device: Device, change: Partial<Device>): void =>
    put({ ...device, version: device.version + 1, expiresAt: now() + 90 * DAY_MS, ...change });
  const any = (): Device => {
    const device = [...devices.values()][random(devices.size)];
    if (device === undefined) throw new Error('The fleet is empty.');
    return device;
  };
  const unused = (): string => `d${++count}`;
  const register = (): void => {
    const name = unused();
    const form = random(2) === 0 ? 'plain' : 'installation';
    const id = `${count}-5-${random(9)}`;
    put({ name, form, id, handle: name, tags: ['news', name], version: 1, expiresAt: now() + 90 * DAY_MS });
  };
  const remove = (device: Device): void => {
    for (const [id] of rowsOf(device)) hub.rows.delete(id);
    devices.delete(device.name);
  };
  const acts: readonly (() => void)[] = [
    register,
    register,
    () => remove(any()),
    () => changed(any(), { tags: ['news', unused()] }),
    () => changed(any(), { handle: unused() }),
    () => changed(any(), {}),
    // The other kind of registration, with the same handle.
    () => {
      const device = any();
      changed(device, { form: device.form === 'plain' ? 'installation' : 'plain', version: 1 });
    },
    // Another registration, or installation, of the same handle.
    () => {
      const { name, ...device } = any();
      remove({ name, ...device });
      put({ ...device, name: unused(), id: `${count}-7-1`, version: 1 });
    },
    // Two devices exchange their handles.
    () => {
      const [one, other] = [any(), any()];
      if (one.name === other.name) return;
      changed(one, { handle: other.handle });
      changed(other, { handle: one.handle });
    },
  ];
  return { devices, register, changed, act: (): void => acts[random(acts.length)]?.() };
}

async function syncOnce(engine: Engine) {
  return readRestoreView(engine.app, syncRunId(await backUp(engine)));
}

function expiryOf(xml: string): number {
  return Date.parse(/<ExpirationTime>([^<]+)</.exec(xml)?.[1] ?? '');
}

const kinds = ['created', 'updated', 'moved', 'renewed', 'withdrawn'] as const;
const ROUNDS = runs(50);
const seeds = [1, 2, 3].slice(0, runs(3));

test.each(seeds)(
  'after each of many rounds of random churn the standby is as the hub in use (seed %i)',
  async (seed) => {
    const engine = createEngine({ policy: { standbySync: 'afterBackup' } });
    const random = numbers(seed);
    const fleet = aFleet(engine.primary, random, engine.app.world.now);
    const sums = new Map<string, number>();
    for (let index = 0; index < 40; index++) fleet.register();
    for (let round = 1; round <= ROUNDS; round++) {
      const view = await syncOnce(engine);
      expect(view, `round ${round}`).toMatchObject({ status: 'Succeeded' });
      for (const kind of kinds) sums.set(kind, (sums.get(kind) ?? 0) + view.counts[kind]);
      expect(contentOf(engine.secondary), `round ${round}`).toEqual(contentOf(engine.primary));
      for (let acts = 1 + random(12); acts > 0; acts--) fleet.act();
      engine.advance(DAY_MS);
    }
    for (const kind of kinds) expect(sums.get(kind), kind).toBeGreaterThan(2);
  },
);

/** As the service does: what is written lives for so long, and what has expired is gone. */
const TTL_MS = 40 * DAY_MS;

test('no device is missing at a failover after 60 days in which devices renew every 30', async () => {
  const engine = createEngine({
    policy: { standbySync: 'afterBackup', backupIntervalMs: DAY_MS },
    wrap: ({ secondary }) => ({
      secondary: {
        ...secondary,
        putRegistration: async (id, xml, options) => {
          const answer = await secondary.putRegistration(id, xml, options);
          const row = secondary.rows.get(id);
          if (answer.kind === 'written' && row !== undefined) secondary.rows.set(id, expiringAt(row, now() + TTL_MS));
          return answer;
        },
      },
    }),
  });
  const { primary, secondary } = engine;
  const { now } = engine.app.world;
  const fleet = aFleet(primary, numbers(4), now);
  const daysBetween = 60 / runs(60);
  for (let index = 0; index < 60; index++) fleet.register();
  for (let day = 0; day <= 60; day++) {
    for (const [place, device] of [...fleet.devices.values()].entries()) {
      if (place % 30 === day % 30) fleet.changed(device, { expiresAt: now() + TTL_MS });
    }
    for (const hub of [primary, secondary]) {
      for (const [id, xml] of hub.rows) if (expiryOf(xml) < now()) hub.rows.delete(id);
    }
    if (day % daysBetween === 0) {
      const view = await syncOnce(engine);
      expect(view, `day ${day}`).toMatchObject({ status: 'Succeeded' });
      expect(contentOf(secondary), `day ${day}`).toEqual(contentOf(primary));
    }
    engine.advance(DAY_MS);
  }
  expect(primary.rows.size).toBeGreaterThan(60);
  const failover = await restore(engine, { activate: true, confirm: 'three/devices' });
  expect(failover).toMatchObject({ status: 'Succeeded', counts: { created: 0, updated: 0, withdrawn: 0 } });
  expect(contentOf(secondary)).toEqual(contentOf(primary));
});

function expiringAt(xml: string, at: number): string {
  return xml.replace(/<ExpirationTime>[^<]+</, `<ExpirationTime>${new Date(at).toISOString()}<`);
}
