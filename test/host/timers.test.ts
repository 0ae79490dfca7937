import { BlobServiceClient } from '@azure/storage-blob';
import { expect, test } from 'vitest';
import type { RunningHost } from '../../local/host/run-host.ts';
import { openStorageAccount } from '../support/storage-account.ts';
import { eventually, type FixtureRun, type JournalEntry, runFixture } from './fixture-app.ts';

const azurite = openStorageAccount();

/** Hosts of one id are one app: each test is an app of its own. */
const runTimers = (hostId: string, enabled: readonly string[], settings: Readonly<Record<string, string>> = {}) =>
  runFixture(azurite.connectionString, enabled, { AzureFunctionsWebHost__hostid: hostId, ...settings });

const ticks = async (run: FixtureRun): Promise<JournalEntry[]> =>
  (await run.journal()).filter(({ event }) => event === 'tick');

const hostContainer = () =>
  BlobServiceClient.fromConnectionString(azurite.connectionString).getContainerClient('azure-webjobs-hosts');

test.concurrent('a timer follows the schedule of its setting, never overlapping itself', async () => {
  await using run = await runTimers('follows', ['tick']);
  await run.spawn();
  // Each run takes 1.5 s of a schedule of one second.
  await eventually(async () => (await ticks(run)).length >= 3);
  const order = (await run.journal()).map(({ event }) => event);
  expect(order.slice(0, 5)).toEqual(['tick', 'tick end', 'tick', 'tick end', 'tick']);
  const [first] = await ticks(run);
  expect(first).toMatchObject({ isPastDue: false, scheduleStatus: null });
});

test.concurrent('one host of two runs the timer; when it is killed the other, which here looks every 2 s, takes over', async () => {
  await using run = await runTimers('singleton', ['tick']);
  const hosts = await Promise.all([run.spawn({ timerPollSeconds: 2 }), run.spawn({ timerPollSeconds: 2 })]);
  const seen = await eventually(async () => {
    const found = await ticks(run);
    return found.length >= 3 ? found : undefined;
  });
  const pids = new Set(seen.map(({ pid }) => pid));
  expect(pids.size).toBe(1);
  const holder = hosts.find(({ pid }) => pids.has(pid));
  await holder?.kill();
  // The killed host's lease would end by itself; the test does not wait for it.
  const lock = hostContainer().getBlobClient('locks/singleton/Host.Functions.tick.Listener');
  expect((await lock.getProperties()).leaseDuration).toBe('fixed');
  await lock.getBlobLeaseClient().breakLease(0);
  const next = await eventually(async () => (await ticks(run)).find(({ pid }) => !pids.has(pid)), 12_000);
  expect(hosts.map(({ pid }) => pid)).toContain(next.pid);
});

test.concurrent('a stopped host hands its timer over at once', async () => {
  await using run = await runTimers('handover', ['tick']);
  const first = await run.spawn();
  await eventually(async () => (await ticks(run)).length > 0);
  expect(await first.stop()).toBe(0);
  const second = await run.spawn();
  await eventually(async () => (await ticks(run)).some(({ pid }) => pid === second.pid), 12_000);
});

test('an occurrence missed while no host ran is made up for once, as past due', async () => {
  await using run = await runTimers('past-due', ['yearly']);
  await hostContainer().createIfNotExists();
  const status = hostContainer().getBlockBlobClient('timers/past-due/Host.Functions.yearly/status');
  const year = new Date().getUTCFullYear();
  const [before, missed] = [`${year - 1}-01-01T00:00:00.000Z`, `${year}-01-01T00:00:00.000Z`];
  const stored = JSON.stringify({ Last: before, Next: missed, LastUpdated: before });
  await status.upload(stored, stored.length);
  const host = await run.start();
  const [entry] = await eventually(async () => {
    const found = await run.journal();
    return found.length > 0 ? found : undefined;
  });
  expect(entry).toMatchObject({
    event: 'yearly',
    isPastDue: true,
    scheduleStatus: { last: before, next: missed, lastUpdated: before },
  });
  await eventually(async () => {
    const text = (await status.downloadToBuffer()).toString();
    return text.includes(`"Next":"${year + 1}-01-01T00:00:00.000Z"`);
  });
  await host.close();
  await using again = await run.start();
  await fire(again, 'yearly');
  await eventually(async () => (await run.journal()).length === 2);
  expect((await run.journal()).map(({ isPastDue }) => isPastDue)).toEqual([true, false]);
});

test('runOnStartup runs at once, other timers wait for their time', async () => {
  await using run = await runTimers('startup', ['startup', 'yearly']);
  await using __ = await run.start();
  await eventually(async () => (await run.journal()).length > 0);
  expect(await run.journal()).toMatchObject([{ event: 'startup', isPastDue: false }]);
});

/** As `SpawnedHost.fire`. */
async function fire({ url, keys }: RunningHost, functionName: string): Promise<void> {
  const headers = { 'x-functions-key': keys.master, 'content-type': 'application/json' };
  const response = await fetch(`${url}/admin/functions/${functionName}`, { method: 'POST', headers, body: '{}' });
  expect(response.status).toBe(202);
}
