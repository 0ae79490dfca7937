import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ContainerClient } from '@azure/storage-blob';
import { expect, test } from 'vitest';
import { type EmulatedNamespace, startEmulator } from '../../local/hub-lab/index.ts';
import { parseDualStep, repairFolder } from '../../src/app/dual/lane.ts';
import { pairBlobs } from '../../src/app/stored/pair-blobs.ts';
import { containerBlobs } from '../../src/azure/container-blobs.ts';
import { INTENTS_FOLDER } from '../../src/core/paths.ts';
import type { Blobs } from '../../src/core/ports.ts';
import { parseHubConnection } from '../../src/hub/access/connection-string.ts';
import { createHub } from '../../src/hub/client.ts';
import { Limiter } from '../../src/hub/pace/limiter.ts';
import { realWorld } from '../../src/world.ts';
import { randomOf } from '../simulation/random.ts';
import { createEngine } from '../support/engine.ts';
import { openStorageAccount } from '../support/storage-account.ts';

const SEED = Number(process.env['CHAOS_SEED'] ?? 1);
const CHAOS_MS = Number(process.env['CHAOS_MS'] ?? 60_000);
/** By then all calls that a dead process had made have ended. */
const LANDED_MS = 12_000;
/** To repair, intents have to be older than that; here no process lives any more that may have a call under way. */
const AGED_MS = 120_000;

/** Each a backend's process with devices of its own; the last device is written by two at once. */
const shares = [
  ['a1', 'a2', 'a3', 'shared'],
  ['b1', 'b2', 'b3'],
  ['c1', 'c2', 'c3', 'shared'],
] as const;

interface Heard {
  readonly tries: { readonly number: number; readonly isDeleted: boolean }[];
  /** The newest that its process was answered for. */
  answered: number;
}

test(`real processes that are killed and hubs that fail leave both hubs alike, each device as it was last written, once (seed ${SEED})`, async () => {
  const random = randomOf(SEED, 'chaos');
  const account = openStorageAccount();
  const container = `chaos-${randomUUID()}`;
  const client = new ContainerClient(account.connectionString, container);
  await client.create();
  const namespaces = ['north', 'west'].map((name) => ({
    name,
    hubs: [{ name: 'devices', switches: { installationDelayMs: 200, installationDelaySpreadMs: 200 } }],
  }));
  await using emulator = await startEmulator({ namespaces });
  const hubs = [emulator.namespace('north'), emulator.namespace('west')] as const;
  const [PRIMARY, SECONDARY] = hubs.map((one) => one.connectionString());
  const heard = new Map<string, Heard>();
  const counts = { kills: 0, ok: 0, queued: 0, failed: 0 };
  let isOver = false;
  const keep = async (devices: readonly string[]): Promise<void> => {
    while (!isOver) {
      const from =
        1 + Math.max(0, ...devices.flatMap((id) => (heard.get(id)?.tries ?? []).map(({ number }) => number)));
      const env = { ...process.env, PRIMARY, SECONDARY, STORAGE: account.connectionString, CONTAINER: container };
      const child = spawn(process.execPath, [resolve(import.meta.dirname, 'writer.ts')], {
        env: { ...env, DEVICES: devices.join(','), FROM: String(from) },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const lines = createInterface({ input: child.stdout });
      lines.on('line', (line) => note(line));
      const ended = once(child, 'exit');
      // Its life begins with its first write.
      const life = once(lines, 'line').then(() => sleep(random.between(2000, 7000)));
      await Promise.race([ended, life, over()]);
      child.kill('SIGKILL');
      await ended;
      counts.kills += 1;
    }
  };
  const note = (line: string): void => {
    const [what = '', id = '', number = '', how = ''] = line.split(' ');
    const device = heard.get(id) ?? { tries: [], answered: 0 };
    heard.set(id, device);
    if (what === 'try') device.tries.push({ number: Number(number), isDeleted: how === 'delete' });
    else counts[what === 'ok' ? 'ok' : what === 'queued' ? 'queued' : 'failed'] += 1;
    if (what === 'ok' || what === 'queued') device.answered = Math.max(device.answered, Number(number));
  };
  const { promise: overPromise, resolve: end } = Promise.withResolvers<void>();
  const over = () => overPromise;
  const work = shares.map((devices) => keep(devices));
  const until = Date.now() + CHAOS_MS;
  while (Date.now() < until) {
    const weak = random.pick(hubs);
    const seed = random.below(1000);
    const presets = random.pick([['busy503'], ['reset-after', 'throttle429'], ['half-open'], ['reset-before', 'slow']]);
    if (random.chance(0.25)) await weak.down();
    else weak.setFaults(presets.map((name) => ({ name, probability: 0.3, seed })));
    await sleep(random.between(500, 2500));
    await weak.up();
    weak.setFaults([]);
  }
  isOver = true;
  end();
  await Promise.all(work);
  await sleep(LANDED_MS);

  const [primary, secondary] = hubs.map((namespace) =>
    createHub({
      connection: parseHubConnection(namespace.connectionString(), 'devices', 'TEST'),
      clock: realWorld,
      random: Math.random,
      limiter: new Limiter({ maxConcurrency: 16, clock: realWorld }),
    }),
  );
  if (primary === undefined || secondary === undefined) throw new Error('two hubs');
  const blobs = aged(pairBlobs(containerBlobs(client), primary.ref, secondary.ref));
  const { policy, ...engine } = createEngine().app;
  const app = {
    ...engine,
    policy,
    primary,
    secondary,
    blobs,
    world: { ...realWorld, storageNow: () => Date.now() + AGED_MS },
  };
  const waited = (await blobs.list(INTENTS_FOLDER)).length;
  for (let round = 0; round < 5; round += 1) {
    for (const folder of '0123456789abcdef') {
      await repairFolder(app, parseDualStep({ formatVersion: 1, kind: 'dualWrites', folder }));
    }
  }
  await Promise.all(hubs.map((namespace) => namespace.hubs[0]?.settle()));
  expect(await blobs.list(INTENTS_FOLDER)).toEqual([]);
  for (const [id, { tries, answered }] of heard) {
    const [north, west] = hubs.map((namespace) => shownIn(namespace, id));
    expect(west, id).toBe(north);
    const possible = tries.filter(({ number }) => number >= (id === 'shared' ? 0 : answered));
    const expected = possible.map(({ number, isDeleted }) => (isDeleted ? '' : `v${number}`));
    expect([...expected, ...(answered === 0 ? [''] : [])], id).toContain(north);
  }
  process.stdout.write(`chaos: ${JSON.stringify({ ...counts, waited })}\n`);
  expect(Math.min(counts.kills, counts.ok + counts.queued, waited)).toBeGreaterThan(3);
});

/** Its tag; nothing where it is not there. More than one row would show. */
function shownIn(namespace: EmulatedNamespace, id: string): string {
  const rows = namespace.hubs.flatMap((hub) => [...hub.registrations()]).filter((row) => row.installationId === id);
  return rows.map(({ tags }) => tags.filter((tag) => !tag.startsWith('$')).join(' ')).join(' and ');
}

function aged(blobs: Blobs): Blobs {
  return {
    ...blobs,
    get: async (...args) => {
      const blob = await blobs.get(...args);
      return blob && { ...blob, ageMs: blob.ageMs + AGED_MS };
    },
    list: async (prefix) => (await blobs.list(prefix)).map((entry) => ({ ...entry, ageMs: entry.ageMs + AGED_MS })),
  };
}
