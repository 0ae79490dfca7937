import { join } from 'node:path';
import { startAzurite } from '../../local/azurite.ts';
import { buildPackage } from '../../local/build-package.ts';
import { measureColdLoads } from '../../local/package-cost.ts';
import { peakBytesOf } from './child.ts';
import { type ExtraOptions, latencies, measureSync, measureThrottled, measureTwoHosts, sizes } from './extras.ts';
import { type BenchResult, type contenders, extras, median, ownRuns, rivals } from './figures.ts';
import { type Hubs, type Reach, startHubs } from './hubs.ts';
import { measureLargeTarget } from './large-target.ts';
import { type Measured, runOurs } from './ours.ts';
import { renderCases } from './report.ts';
import { runRival } from './rival.ts';

export interface Plan {
  readonly runs: number;
  readonly devices: readonly number[];
  readonly latencies: readonly number[];
  readonly only: readonly ((typeof contenders)[number] | (typeof extras)[number])[];
  /** Also over TLS, without the SDK. */
  readonly hasTls: boolean;
  /** How long a rival restores; the app itself restores everything. */
  readonly maxRestoreSeconds: number;
  /** Also what is deployed: its size and its cold load. */
  readonly hasPackage: boolean;
  /** `MAX_CONCURRENCY` of one host and of two. */
  readonly concurrency: number;
  /** Folder of the built app. */
  readonly appDir: string;
  /** Where the app's host leaves a profile of each case. */
  readonly profileDir?: string;
}

export interface BenchOptions extends Plan {
  readonly machine: string;
  /** For files of this benchmark; there until it ends. */
  readonly folder: string;
  readonly say: (line: string) => void;
  /** Gets all that was measured so far, whenever a run of a size is over, and at the end. */
  readonly onResult: (result: BenchResult) => void;
}

/** At 50 ms a page a listing of a million takes ten minutes and says nothing new. */
const SLOW_MS = 50;
const MOST_DEVICES_WHEN_SLOW = 200_000;

/** Runs every case of the plan, contender after contender, so that slow changes of the machine hit all alike. */
export async function runBenchmark(options: BenchOptions): Promise<BenchResult> {
  const result: BenchResult = { machine: options.machine, samples: [] };
  if (options.hasPackage) {
    const { folder, bytes } = await buildPackage(join(options.folder, 'package'));
    const { bundledMs, unbundledMs } = await measureColdLoads(folder);
    const times = { coldLoadMs: median(bundledMs), unbundledColdLoadMs: median(unbundledMs) };
    const figures = { megabytes: bytes / 1e6, ...times };
    result.samples.push({ subject: 'package', devices: 0, latencyMs: 0, isTls: false, figures });
  }
  const isExtra = (name: string): boolean => extras.some((one) => one === name);
  const devicesOfAll = options.only.every(isExtra) ? [] : options.devices;
  for (const devices of devicesOfAll) {
    await runSize(options, devices, result);
    // The last size is in the report that follows.
    if (devices !== devicesOfAll.at(-1)) options.say(`\n${renderCases(result, devices)}\n`);
  }
  for (let run = 1; run <= options.runs; run += 1) await runExtras(options, run, result);
  options.onResult(result);
  return result;
}

async function runSize(options: BenchOptions, devices: number, result: BenchResult): Promise<void> {
  const startedAt = performance.now();
  await using hubs = await startHubs(devices, options.folder);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const megabytes = Math.round((await peakBytesOf(hubs.pid)) / 2 ** 20);
  options.say(`a hub with ${devices} devices: filled in ${seconds} s, ${megabytes} MB`);
  // The server's code is compiled as it runs: the first contender would find it several times as slow as the next.
  const protocols = options.hasTls ? [false, true] : [false];
  for (const isTls of protocols) {
    for (const subject of ['bare-list', 'bare-put'] as const) {
      await runRival({ ...reachOf(hubs, isTls), subject, storage: '', devices, maxSeconds: 2 }, hubs.pid);
    }
  }
  for (let run = 1; run <= options.runs; run += 1) {
    for (const latencyMs of options.latencies) {
      if (latencyMs >= SLOW_MS && devices > MOST_DEVICES_WHEN_SLOW) continue;
      await hubs.setLatency(latencyMs);
      for (const isTls of protocols) {
        const one = { ...options, hubs, run, size: devices, latencyMs, isTls, result };
        await runRivals(one);
        await runApp(one);
      }
    }
    options.onResult(result);
  }
}

interface CaseRun extends BenchOptions {
  readonly hubs: Hubs;
  readonly run: number;
  readonly size: number;
  readonly latencyMs: number;
  readonly isTls: boolean;
  readonly result: BenchResult;
}

function reachOf(hubs: Hubs, isTls: boolean): Reach {
  return isTls ? hubs.overTls : hubs.plain;
}

async function runRivals(one: CaseRun): Promise<void> {
  const { hubs, size: devices, isTls, only, maxRestoreSeconds: maxSeconds } = one;
  const chosen = rivals.filter((name) => only.includes(name) && !(isTls && name.startsWith('sdk')));
  if (chosen.length === 0) return;
  await using azurite = await startAzurite();
  const storage = azurite.connectionString;
  for (const subject of chosen) {
    await hubs.clear();
    const sample = await runRival({ ...reachOf(hubs, isTls), subject, storage, devices, maxSeconds }, hubs.pid);
    const isWriting = subject.includes('put') || subject.includes('restore');
    const moved = isWriting ? (await hubs.stats()).secondary.putCount : hubs.rowCount;
    const { count = moved } = sample.figures;
    if (count !== moved) throw new Error(`${subject} says ${count}, the hub says ${moved}.`);
    note(one, sample);
  }
}

async function runApp(one: CaseRun): Promise<void> {
  const { appDir, hubs, run, size, latencyMs, isTls, only, profileDir } = one;
  const last = ownRuns.findLast((name) => only.includes(name));
  if (last === undefined) return;
  await hubs.clear();
  await using azurite = await startAzurite();
  // Node writes the profile when the host ends in order, as it does when it is stopped.
  const name = `${size}-devices-${latencyMs}-ms${isTls ? '-tls' : ''}-run-${run}.cpuprofile`;
  const nodeOptions =
    profileDir === undefined ? '' : `--cpu-prof "--cpu-prof-dir=${profileDir}" --cpu-prof-name=${name}`;
  for (const sample of await runOurs({ appDir, hubs, reach: reachOf(hubs, isTls), azurite, last, nodeOptions }))
    note(one, sample);
}

async function runExtras(options: BenchOptions, run: number, result: BenchResult): Promise<void> {
  const measures = {
    throttled: measureThrottled,
    'two-hosts': measureTwoHosts,
    sync: measureSync,
    'large-target': ({ devices }: ExtraOptions) => measureLargeTarget(devices, options.folder, options.appDir),
  };
  for (const name of extras) {
    if (!options.only.includes(name)) continue;
    const devices = sizes[name];
    const sample = await measures[name]({ devices, seed: run, concurrency: options.concurrency });
    note({ ...options, run, size: devices, latencyMs: latencies[name], isTls: false, result }, sample);
  }
}

type Noted = Pick<CaseRun, 'result' | 'run' | 'size' | 'latencyMs' | 'isTls' | 'say'>;

function note({ result, run, size: devices, latencyMs, isTls, say }: Noted, sample: Measured): void {
  result.samples.push({ ...sample, devices, latencyMs, isTls });
  const figures = Object.entries(sample.figures).map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`);
  const text = sample.failure === undefined ? figures.join(', ') : `cannot do it: ${sample.failure}`;
  say(`run ${run}, ${devices} devices, ${latencyMs} ms${isTls ? ', TLS' : ''}: ${sample.subject.padEnd(14)} ${text}`);
}
