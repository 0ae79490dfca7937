import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { BlobServiceClient } from '@azure/storage-blob';
import { z } from 'zod';
import { createApi } from '../../local/api.ts';
import { judgeDelivery, readRows } from '../../local/delivery.ts';
import { PRIMARY_HUB, SECONDARY_HUB, type Stack, startStack } from '../../local/stack.ts';
import { runName } from '../../src/core/paths.ts';

export interface ThrottledOptions {
  readonly devices: number;
  readonly seed: number;
  /** What the target takes, as a token bucket. */
  readonly requestsPerSecond: number;
  readonly burst: number;
  /** Refusals without `Retry-After`. */
  readonly isSilent: boolean;
  /** Added to every answer of the target. */
  readonly latencyMs: number;
}

/** One restore into a hub that takes so many writes a second. */
export interface ThrottledRun {
  readonly status: string;
  /** Accepted writes of the first pass: each costs the hub one token. */
  readonly writes: number;
  /** Writes by the rate allowed. */
  readonly floorSeconds: number;
  /** The first pass of writing, by the run's own phases. */
  readonly writingSeconds: number;
  /** The rest of the same restore: reading the target before and after, sorting, settling, comparing. */
  readonly otherSeconds: number;
  /** Writing by the floor. */
  readonly writingRatio: number;
  /** The whole restore by the floor and that rest. */
  readonly ratio: number;
  readonly refusedShare: number;
  readonly secondsLostToThrottling: number;
  readonly devicesExpected: number;
  /** Devices that got no broadcast afterwards, or not all of it. */
  readonly devicesLost: number;
  readonly devicesTwice: number;
}

const statsSchema = z.object({
  throttled: z.number(),
  requestCounts: z.array(z.object({ method: z.string(), route: z.string(), status: z.number(), count: z.number() })),
});

const lostSchema = z.object({ secondsLostToThrottling: z.number() });

/**
 * A backup, then a restore into a limited hub, on the real stack: emulator, storage and Functions host are processes of
 * their own. The bucket counts every call; in the first pass of writing all of them are writes, so that the floor is
 * writes by rate. Pages listed before and after are in the rest of the restore.
 */
export async function measureThrottled(options: ThrottledOptions): Promise<ThrottledRun> {
  const { devices, seed, requestsPerSecond, burst, isSilent, latencyMs } = options;
  // The schedule itself stays out of the way.
  await using stack = await startStack({ devices, seed, settings: { BACKUP_SCHEDULE: '0 0 0 1 1 *' } });
  const { emulator } = stack;
  await backUp(stack);
  await emulator.admin('POST', '/namespaces/secondary/latency', { latencyMs });
  const limit = { requestsPerSecond, burst, throttleSilently: isSilent };
  await emulator.admin('POST', `${SECONDARY_HUB}/switches`, limit);
  const { status, seconds, writingSeconds, secondsLostToThrottling } = await restore(stack);
  await emulator.admin('POST', `${SECONDARY_HUB}/switches`, { requestsPerSecond: 0 });

  const { throttled, requestCounts } = statsSchema.parse(await readStats(stack));
  const all = requestCounts.reduce((sum, { count }) => sum + count, 0);
  const writes = requestCounts
    .filter(({ method, status }) => method !== 'GET' && status < 300)
    .reduce((sum, { count }) => sum + count, 0);
  const floorSeconds = writes / requestsPerSecond;
  const otherSeconds = seconds - writingSeconds;
  return {
    status,
    writes,
    floorSeconds,
    writingSeconds,
    otherSeconds,
    writingRatio: writingSeconds / floorSeconds,
    ratio: seconds / (floorSeconds + otherSeconds),
    refusedShare: throttled / all,
    secondsLostToThrottling,
    ...(await countLost(stack)),
  };
}

export async function backUp(stack: Stack): Promise<void> {
  const { id } = await createApi(() => stack.host).start('/api/backups');
  await finished(stack, 'backup', id);
}

/** Restores the latest snapshot, and says how long it took and how long its first pass of writing. */
export async function restore(stack: Stack): Promise<RestoreTimes> {
  const api = createApi(() => stack.host);
  const { id } = await api.start('/api/restores');
  const { seconds, writingSeconds, status } = await finished(stack, 'restore', id);
  const { body } = await api.call('GET', `/api/restores/${id}`);
  return { status, seconds, writingSeconds, ...lostSchema.parse(body) };
}

export interface RestoreTimes {
  readonly status: string;
  readonly seconds: number;
  readonly writingSeconds: number;
  readonly secondsLostToThrottling: number;
}

const LOOK_EVERY_MS = 50;

/** As much of a run's document as tells its times. */
const runSchema = z.object({
  status: z.string(),
  createdAt: z.string(),
  finishedAt: z.string().optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
  phase: z.object({ name: z.string(), pass: z.number(), startedAt: z.string() }),
});

/** Looks at the run's document in storage, past the host, so that watching costs the host nothing. */
async function finished({ azurite }: Stack, kind: 'backup' | 'restore', id: string) {
  const service = BlobServiceClient.fromConnectionString(azurite.connectionString);
  const blob = service.getContainerClient(CONTAINER).getBlobClient(runName(kind, id));
  let writingFrom: number | undefined;
  let writingTo: number | undefined;
  for (;;) {
    const { readableStreamBody } = await blob.download();
    if (readableStreamBody === undefined) throw new Error('Storage gave no body.');
    const { status, createdAt, finishedAt, error, phase } = runSchema.parse(await json(readableStreamBody));
    const startedAt = Date.parse(phase.startedAt);
    if (phase.name === 'reconcile' && phase.pass === 1) writingFrom ??= startedAt;
    else if (writingFrom !== undefined) writingTo ??= startedAt;
    if (finishedAt !== undefined) {
      if (status !== 'Succeeded') throw new Error(`The ${kind} ${status}: ${error?.code} ${error?.message}`);
      const endAt = Date.parse(finishedAt);
      const writingMs = (writingTo ?? endAt) - (writingFrom ?? endAt);
      return { status, seconds: (endAt - Date.parse(createdAt)) / 1000, writingSeconds: writingMs / 1000 };
    }
    await sleep(LOOK_EVERY_MS);
  }
}

/** Whom a broadcast through the target does not reach once. */
export async function countLost({
  emulator,
}: Stack): Promise<{ devicesExpected: number; devicesLost: number; devicesTwice: number }> {
  await emulator.admin('POST', `${SECONDARY_HUB}/settle`);
  await emulator.admin('POST', `${SECONDARY_HUB}/clear-inboxes`);
  await emulator.admin('POST', `${SECONDARY_HUB}/broadcast`, { message: 'bench' });
  const rows = await readRows(emulator, PRIMARY_HUB);
  const { expected, never, moreThanOnce } = await judgeDelivery(emulator, SECONDARY_HUB, rows, []);
  return { devicesExpected: expected, devicesLost: never, devicesTwice: moreThanOnce };
}

async function readStats({ emulator }: Stack): Promise<unknown> {
  const response = await fetch(`${emulator.adminUrl}${SECONDARY_HUB}/stats`);
  return response.json();
}

/** Of the stack's settings, which are the defaults. */
const CONTAINER = 'hub-snapshots';

const help = `Restores into a hub that takes so many requests a second, and holds the time against the least there can be.

  node test/bench/throttled.ts [--devices N] [--rate R] [--burst B] [--silent] [--latency MS] [--runs N] [--json]

  --devices N   devices in the primary hub (default: 20000)
  --rate R      requests a second the target takes (default: 500)
  --burst B     what it takes at once after a pause (default: 100, a fifth of a second's worth)
  --silent      it refuses without Retry-After
  --latency MS  added to every answer of the target (default: 0)
  --runs N      how often, each on a fresh stack (default: 1)
  --seed S      of the devices (default: 1)
  --json        one JSON object a run, and nothing else, on stdout
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      devices: { type: 'string', default: '20000' },
      rate: { type: 'string', default: '500' },
      burst: { type: 'string', default: '100' },
      latency: { type: 'string', default: '0' },
      runs: { type: 'string', default: '1' },
      seed: { type: 'string', default: '1' },
      silent: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  for (let number = 1; number <= Number(values.runs); number++) {
    const run = await measureThrottled({
      devices: Number(values.devices),
      seed: Number(values.seed),
      requestsPerSecond: Number(values.rate),
      burst: Number(values.burst),
      isSilent: values.silent,
      latencyMs: Number(values.latency),
    });
    process.stdout.write(`${values.json ? JSON.stringify(run) : describe(run)}\n`);
    if (run.status !== 'Succeeded' || run.devicesLost + run.devicesTwice > 0) process.exitCode = 1;
  }
}

function describe(run: ThrottledRun): string {
  const seconds = (value: number): string => `${value.toFixed(1)} s`;
  return [
    `${run.status}: ${run.writes} writes, at least ${seconds(run.floorSeconds)} at this rate (pages listed are not in it)`,
    `  writing, the first pass:       ${seconds(run.writingSeconds)}, ${run.writingRatio.toFixed(3)} of the floor`,
    `  the rest of the restore:       ${seconds(run.otherSeconds)} (all phases but that pass: reading, sorting, settling, looking again)`,
    `  whole by floor and that rest:  ${run.ratio.toFixed(3)}`,
    `  refused: ${(100 * run.refusedShare).toFixed(2)} % of all requests; seconds lost to throttling: ${run.secondsLostToThrottling}`,
    `  devices: ${run.devicesExpected} expected, ${run.devicesLost} lost, ${run.devicesTwice} reached twice`,
  ].join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
