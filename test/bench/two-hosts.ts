import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { startStack } from '../../local/stack.ts';
import { backUp, countLost, type RestoreTimes, restore } from './throttled.ts';

export interface TwoHostsOptions {
  readonly devices: number;
  readonly seed: number;
  /** Added to every answer of the target. */
  readonly latencyMs: number;
  /** `MAX_CONCURRENCY` of each host, in both cases. */
  readonly maxConcurrency: number;
}

/** One restore by so many hosts. */
export interface HostsRun extends RestoreTimes {
  readonly hosts: number;
  readonly devicesLost: number;
  readonly devicesTwice: number;
}

export interface TwoHostsRun {
  readonly one: HostsRun;
  readonly two: HostsRun;
  /** How much faster two hosts are than one: in the first pass of writing, and over the whole restore. */
  readonly writingRatio: number;
  readonly ratio: number;
}

/**
 * The same restore by one Functions host and by two on the same storage, each case on a fresh stack. Concurrency is
 * kept low enough for latency to be the bound: all processes share this machine, and two hosts that want its whole CPU
 * can be no faster than one.
 */
export async function measureTwoHosts(options: TwoHostsOptions): Promise<TwoHostsRun> {
  const one = await measure(1, options);
  const two = await measure(2, options);
  return { one, two, writingRatio: one.writingSeconds / two.writingSeconds, ratio: one.seconds / two.seconds };
}

async function measure(hosts: 1 | 2, options: TwoHostsOptions): Promise<HostsRun> {
  const { devices, seed, latencyMs, maxConcurrency } = options;
  // The schedule itself stays out of the way; settling is the same wait in both cases.
  const settings = { BACKUP_SCHEDULE: '0 0 0 1 1 *', SETTLE_SECONDS: '1', MAX_CONCURRENCY: String(maxConcurrency) };
  await using stack = await startStack({ devices, seed, settings });
  await backUp(stack);
  await stack.emulator.admin('POST', '/namespaces/secondary/latency', { latencyMs });
  await using others = new AsyncDisposableStack();
  if (hosts === 2) {
    // The stack stops the host it started last.
    others.use(stack.host);
    await stack.startHost();
  }
  const times = await restore(stack);
  const { devicesLost, devicesTwice } = await countLost(stack);
  return { hosts, ...times, devicesLost, devicesTwice };
}

const help = `Restores with one Functions host and with two, and says how much faster two are.

  node test/bench/two-hosts.ts [--devices N] [--latency MS] [--concurrency C] [--runs N] [--json]

  --devices N      devices in the primary hub (default: 20000)
  --latency MS     added to every answer of the target (default: 20)
  --concurrency C  MAX_CONCURRENCY of each host (default: 16: at 64 this machine's CPU would be the bound)
  --runs N         how often (default: 1)
  --seed S         of the devices (default: 1)
  --json           one JSON object a run, and nothing else, on stdout
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      devices: { type: 'string', default: '20000' },
      latency: { type: 'string', default: '20' },
      concurrency: { type: 'string', default: '16' },
      runs: { type: 'string', default: '1' },
      seed: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  for (let number = 1; number <= Number(values.runs); number++) {
    const run = await measureTwoHosts({
      devices: Number(values.devices),
      seed: Number(values.seed),
      latencyMs: Number(values.latency),
      maxConcurrency: Number(values.concurrency),
    });
    process.stdout.write(`${values.json ? JSON.stringify(run) : describe(run)}\n`);
    const { one, two } = run;
    if (one.devicesLost + one.devicesTwice + two.devicesLost + two.devicesTwice > 0) process.exitCode = 1;
  }
}

function describe({ one, two, writingRatio, ratio }: TwoHostsRun): string {
  const line = (run: HostsRun): string =>
    `${run.hosts} host(s): writing ${run.writingSeconds.toFixed(1)} s, whole restore ${run.seconds.toFixed(1)} s, ${run.devicesLost} devices lost, ${run.devicesTwice} reached twice`;
  return [
    line(one),
    line(two),
    `two by one: writing ${writingRatio.toFixed(2)} times as fast, the whole restore ${ratio.toFixed(2)} times`,
  ].join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
