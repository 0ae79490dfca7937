import { expect } from 'vitest';
import { realWorld } from '../../local/emulator/world.ts';
import { type EmulatorOptions, type HubSwitches, startEmulator } from '../../local/hub-lab/index.ts';
import type { HubJobs } from '../../src/core/ports.ts';
import { parseHubConnection } from '../../src/hub/access/connection-string.ts';
import { Limiter } from '../../src/hub/pace/limiter.ts';
import { createHubJobs } from '../../src/hub/standard/jobs.ts';
import { plainClient } from '../emulator/sdk-client.ts';

interface Options extends Pick<EmulatorOptions, 'files'> {
  readonly switches?: Partial<HubSwitches>;
  readonly tier?: 'Basic' | undefined;
}

/** The time of a hub and of what calls it: an engine's, once there is one. */
export interface HubClock {
  now: () => number;
  sleep: (milliseconds: number) => Promise<void>;
}

export function createHubClock(): HubClock {
  return { now: () => Date.parse('2026-11-23T09:00:00Z'), sleep: async () => {} };
}

/** A hub of the emulator in the clock's time, whose jobs work in real time; `options` are those of its clients. */
export async function openHubWithJobs(time: HubClock, { switches = {}, tier, ...others }: Options) {
  const clock: HubClock = { now: () => time.now(), sleep: (milliseconds) => time.sleep(milliseconds) };
  const emulator = await startEmulator({
    namespaces: [{ name: 'n', ...(tier === undefined ? {} : { tier }), hubs: [{ name: 'devices', switches }] }],
    world: { ...realWorld, now: clock.now },
    ...others,
  });
  const hub = emulator.hub('n', 'devices');
  const connectionString = emulator.namespace('n').connectionString();
  const connection = parseHubConnection(connectionString, 'devices', 'TEST');
  const options = { connection, clock, random: () => 0, limiter: new Limiter({ maxConcurrency: 4, clock }) };
  const client = plainClient(connectionString, 'devices');
  const real = createHubJobs(options);
  const isDone = async () =>
    (await client.listNotificationHubJobs()).every(({ status }) => status === 'Completed' || status === 'Failed');
  const untilDone = () => expect.poll(isDone, { timeout: 10_000 }).toBe(true);
  const jobs: HubJobs = {
    ...real,
    // Virtual time must not run away from a job that works in real time.
    submit: async (...call) => {
      const id = await real.submit(...call);
      if (hub.stats().switches.jobOutcome !== 'stuck') await untilDone();
      return id;
    },
  };
  return { emulator, hub, client, connection, options, jobs, untilDone };
}
