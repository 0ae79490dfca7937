import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { createApi } from '../../local/api.ts';
import { judgeDelivery, readRows } from '../../local/delivery.ts';
import { PRIMARY_HUB, SECONDARY_HUB, type Stack, startStack } from '../../local/stack.ts';
import { syncRunId } from '../../src/core/run/sync.ts';
import { forgetPeak, peakBytesOf } from './child.ts';
import type { Measured } from './ours.ts';
import { finishedRun } from './run-watch.ts';

// On the real stack, in which emulator, storage and Functions host are processes of their own: the emulator can limit
// its rate, and report whom a broadcast reaches.

export interface ExtraOptions {
  readonly devices: number;
  readonly seed: number;
  /** `MAX_CONCURRENCY` of each of the hosts. */
  readonly concurrency: number;
}

/** Requests a second that the limited target takes, as a token bucket, and what it takes at once after a pause. */
const [rate, burst] = [500, 100];

/** Milliseconds added to every answer of the target. */
export const latencies = { throttled: 5, 'two-hosts': 20, sync: 5, 'large-target': 0 } as const;
/** Devices. */
export const sizes = { throttled: 20_000, 'two-hosts': 20_000, sync: 200_000, 'large-target': 1000 } as const;

const statsSchema = z.object({
  throttled: z.number(),
  requestCounts: z.array(z.object({ method: z.string(), status: z.number(), count: z.number() })),
});

/**
 * A backup, then a restore into a limited hub. The bucket counts every call; in the first pass of writing all of them are
 * writes, so that the least possible time is writes by rate. Pages listed before and after are in the rest.
 */
export async function measureThrottled({ devices, seed }: ExtraOptions): Promise<Measured> {
  await using stack = await filledStack(devices, seed, latencies.throttled, {});
  const { emulator } = stack;
  await emulator.admin('POST', `${SECONDARY_HUB}/switches`, { requestsPerSecond: rate, burst });
  const times = await restore(stack);
  await emulator.admin('POST', `${SECONDARY_HUB}/switches`, { requestsPerSecond: 0 });
  const stats = await fetch(`${emulator.adminUrl}${SECONDARY_HUB}/stats`);
  const { throttled, requestCounts } = statsSchema.parse(await stats.json());
  await expectDelivery(stack);
  const sum = (counts: typeof requestCounts) => counts.reduce((sofar, { count }) => sofar + count, 0);
  const writes = sum(requestCounts.filter(({ method, status }) => method !== 'GET' && status < 300));
  const leastSeconds = writes / rate;
  const figures = {
    ...{ rate, burst, ...times, writes, leastSeconds },
    writingInLeastTime: times.writingSeconds / leastSeconds,
    wholeInLeastTimeAndRest: times.seconds / (leastSeconds + times.seconds - times.writingSeconds),
    refusedPercent: (100 * throttled) / sum(requestCounts),
  };
  return { subject: 'throttled', figures };
}

/**
 * The same restore by one Functions host and by two on the same storage, each on a fresh stack. Concurrency is low enough
 * for latency to be the bound: two hosts that want this machine's whole processor can be no faster than one.
 */
export async function measureTwoHosts(options: ExtraOptions): Promise<Measured> {
  const one = await restoreWith(1, options);
  const two = await restoreWith(2, options);
  const figures = {
    concurrency: options.concurrency,
    ...{ writingSecondsOfOne: one.writingSeconds, writingSecondsOfTwo: two.writingSeconds },
    ...{ secondsOfOne: one.seconds, secondsOfTwo: two.seconds },
    writingTimesAsFast: one.writingSeconds / two.writingSeconds,
    wholeTimesAsFast: one.seconds / two.seconds,
  };
  return { subject: 'two-hosts', figures };
}

/**
 * Syncs after a hundredth, and after three hundredths of the devices changed: how long they take beside their own listing
 * of the standby, without the settling wait. What is few is asked for; what is more is listed once more.
 */
export async function measureSync({ devices, seed }: ExtraOptions): Promise<Measured> {
  await using stack = await filledStack(devices, seed, latencies.sync, { STANDBY_SYNC: 'afterBackup' });
  await forgetPeak(stack.host.pid);
  const few = await syncAfterChurn(stack, devices / 100, seed + 1);
  const many = await syncAfterChurn(stack, (3 * devices) / 100, seed + 2);
  const peakMegabytes = (await peakBytesOf(stack.host.pid)) / 2 ** 20;
  const figures = {
    ...{ fewSeconds: few.seconds, fewListingSeconds: few.listingSeconds, fewInListings: few.inListings },
    ...{ manySeconds: many.seconds, manyListingSeconds: many.listingSeconds, manyInListings: many.inListings },
    peakMegabytes,
  };
  return { subject: 'sync', figures };
}

async function syncAfterChurn(stack: Stack, changes: number, seed: number) {
  const each = Math.round(changes / 5);
  const churn = { change: each, refresh: each, renew: each, remove: each, add: each, seed };
  await stack.emulator.admin('POST', `${PRIMARY_HUB}/churn`, churn);
  const { seconds, parts } = await backUpAndSync(stack);
  const working = seconds - (parts['settle'] ?? 0);
  const listingSeconds = parts['scan1'] ?? Number.NaN;
  return { seconds: working, listingSeconds, inListings: working / listingSeconds };
}

/** The sync that the end of the backup sets off. */
async function backUpAndSync({ azurite, host }: Stack) {
  const { id } = await createApi(() => host).start('/api/backups');
  await finishedRun(azurite.connectionString, 'backup', id);
  const syncId = syncRunId(id);
  for (const deadlineAt = Date.now() + 60_000; ; await sleep(100)) {
    const { status } = await createApi(() => host).call('GET', `/api/restores/${syncId}`);
    if (status === 200) return finishedRun(azurite.connectionString, 'restore', syncId);
    if (Date.now() > deadlineAt) throw new Error('No sync began within a minute.');
  }
}

async function restoreWith(hosts: 1 | 2, { devices, seed, concurrency }: ExtraOptions) {
  // Settling is the same wait in both cases.
  const settings = { SETTLE_SECONDS: '1', MAX_CONCURRENCY: String(concurrency) };
  await using stack = await filledStack(devices, seed, latencies['two-hosts'], settings);
  await using others = new AsyncDisposableStack();
  if (hosts === 2) {
    // The stack stops the host it started last.
    others.use(stack.host);
    await stack.startHost();
  }
  const times = await restore(stack);
  await expectDelivery(stack);
  return times;
}

/** With a backup, which a sync follows where the settings say so, and a target that answers late. */
async function filledStack(devices: number, seed: number, latencyMs: number, settings: Record<string, string>) {
  // The schedule must not interfere.
  const stack = await startStack({ devices, seed, settings: { BACKUP_SCHEDULE: '0 0 0 1 1 *', ...settings } });
  if (settings['STANDBY_SYNC'] === undefined) {
    const { id } = await createApi(() => stack.host).start('/api/backups');
    await finishedRun(stack.azurite.connectionString, 'backup', id);
  } else await backUpAndSync(stack);
  await stack.emulator.admin('POST', '/namespaces/secondary/latency', { latencyMs });
  return stack;
}

/** Restores the latest snapshot; writing is the first pass of it. */
async function restore({ azurite, host }: Stack) {
  const { id } = await createApi(() => host).start('/api/restores');
  const { seconds, parts } = await finishedRun(azurite.connectionString, 'restore', id);
  return { seconds, writingSeconds: parts['reconcile1'] ?? 0 };
}

/** Throws when a broadcast through the target does not reach each device once. */
async function expectDelivery({ emulator }: Stack): Promise<void> {
  await emulator.admin('POST', `${SECONDARY_HUB}/settle`);
  await emulator.admin('POST', `${SECONDARY_HUB}/clear-inboxes`);
  await emulator.admin('POST', `${SECONDARY_HUB}/broadcast`, { message: 'benchmark' });
  const rows = await readRows(emulator, PRIMARY_HUB);
  const { expected, never, moreThanOnce } = await judgeDelivery(emulator, SECONDARY_HUB, rows, []);
  if (never + moreThanOnce === 0) return;
  throw new Error(`Of ${expected} devices ${never} are lost, and ${moreThanOnce} reached twice.`);
}
