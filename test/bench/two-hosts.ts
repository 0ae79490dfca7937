import { startStack } from '../../local/stack.ts';
import { backUp, countLost, type Delivery, type RestoreTimes, restore } from './stack-restore.ts';
import { printRuns, runTool, stackCommand, wholeNumber } from './tool.ts';

export interface TwoHostsOptions {
  readonly devices: number;
  readonly seed: number;
  /** Milliseconds added to every answer of the target. */
  readonly latency: number;
  /** `MAX_CONCURRENCY` of each host, in both cases. */
  readonly concurrency: number;
}

/** One restore by one or two hosts. */
export interface HostsRun extends RestoreTimes, Delivery {
  readonly hosts: number;
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

async function measure(hosts: 1 | 2, { devices, seed, latency, concurrency }: TwoHostsOptions): Promise<HostsRun> {
  // The schedule must not interfere; settling is the same wait in both cases.
  const settings = { BACKUP_SCHEDULE: '0 0 0 1 1 *', SETTLE_SECONDS: '1', MAX_CONCURRENCY: String(concurrency) };
  await using stack = await startStack({ devices, seed, settings });
  await backUp(stack);
  await stack.emulator.admin('POST', '/namespaces/secondary/latency', { latencyMs: latency });
  await using others = new AsyncDisposableStack();
  if (hosts === 2) {
    // The stack stops the host it started last.
    others.use(stack.host);
    await stack.startHost();
  }
  return { hosts, ...(await restore(stack)), ...(await countLost(stack)) };
}

function describe({ one, two, writingRatio, ratio }: TwoHostsRun): string {
  const line = (run: HostsRun): string =>
    `${run.hosts} host(s): writing ${run.writingSeconds.toFixed(1)} s, whole restore ${run.seconds.toFixed(1)} s, ${run.devicesLost} devices lost, ${run.devicesTwice} reached twice`;
  return `${line(one)}
${line(two)}
two by one: writing ${writingRatio.toFixed(2)} times as fast, the whole restore ${ratio.toFixed(2)} times`;
}

if (import.meta.main) {
  await runTool(async () => {
    const options = stackCommand('two-hosts.ts', 'Restores with one Functions host and with two, and compares.')
      .option('--latency <ms>', 'added to every answer of the target', wholeNumber, 20)
      .option('--concurrency <n>', 'MAX_CONCURRENCY of each host', wholeNumber, 16)
      .parse()
      .opts();
    await printRuns(
      options,
      () => measureTwoHosts(options),
      describe,
      ({ one, two }) => one.devicesLost + one.devicesTwice + two.devicesLost + two.devicesTwice === 0,
    );
  });
}
