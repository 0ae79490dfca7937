import { join } from 'node:path';
import { startAzurite } from '../../local/azurite.ts';
import { measurePackage } from '../../local/package-cost.ts';
import { peakBytesOf } from './child.ts';
import { type Hubs, startHubs } from './hubs.ts';
import { type BenchResult, type Contender, emptyResult, type Measured, rivals } from './measures.ts';
import { runOurs } from './ours.ts';
import { renderCases } from './report.ts';
import { runRival } from './rivals.ts';
import { measureThrottled } from './throttled.ts';
import { measureTwoHosts } from './two-hosts.ts';

export interface Plan {
  readonly runs: number;
  readonly devices: readonly number[];
  readonly latencies: readonly number[];
  readonly only: readonly Contender[];
  /** How long a rival restores; the app itself restores everything. */
  readonly maxRestoreSeconds: number;
  /** Also what is deployed: its size and its cold load. */
  readonly hasPackage: boolean;
  /** Also a restore into a hub that limits its rate, and one by two hosts. */
  readonly hasExtras: boolean;
  /** Where the app's host leaves a profile of each case. */
  readonly profileDir?: string;
}

export interface BenchOptions extends Plan {
  readonly machine: string;
  readonly appDir: string;
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
  const result = emptyResult(options.machine);
  if (options.hasPackage) result.packages.push(await measurePackage(join(options.folder, 'package')));
  for (const devices of options.devices) {
    await runSize(options, devices, result);
    // The last size is in the report that follows.
    if (devices !== options.devices.at(-1)) options.say(`\n${renderCases(result, devices)}\n`);
  }
  await runExtras(options, result);
  options.onResult(result);
  return result;
}

async function runSize(options: BenchOptions, devices: number, result: BenchResult): Promise<void> {
  const startedAt = performance.now();
  const isWriting = options.only.some((name) => name !== 'sdk-backup' && name !== 'bare-list' && name !== 'backup');
  const writesFile = isWriting ? join(options.folder, `writes-${devices}.jsonl`) : '';
  await using hubs = await startHubs(devices, writesFile);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const megabytes = Math.round((await peakBytesOf(hubs.pid)) / 2 ** 20);
  options.say(`a hub with ${devices} devices: filled in ${seconds} s, ${megabytes} MB`);
  // The server's code is compiled as it runs: the first contender would find it several times as slow as the next.
  const job = { hubUrl: hubs.url, connectionString: hubs.connectionString, storage: '', writesFile, maxSeconds: 2 };
  await runRival({ ...job, contender: 'bare-list' }, hubs.pid);
  if (isWriting) await runRival({ ...job, contender: 'bare-put' }, hubs.pid);
  for (let run = 1; run <= options.runs; run += 1) {
    for (const latencyMs of options.latencies) {
      if (latencyMs >= SLOW_MS && devices > MOST_DEVICES_WHEN_SLOW) continue;
      await hubs.setLatency(latencyMs);
      const one = { ...options, hubs, writesFile, run, devices, latencyMs, result };
      await runRivals(one);
      await runApp(one);
    }
    options.onResult(result);
  }
}

interface CaseRun extends Omit<BenchOptions, 'devices'> {
  readonly hubs: Hubs;
  readonly writesFile: string;
  readonly run: number;
  readonly devices: number;
  readonly latencyMs: number;
  readonly result: BenchResult;
}

async function runRivals(one: CaseRun): Promise<void> {
  const { hubs, devices, latencyMs, result, say } = one;
  const chosen = rivals.filter((name) => one.only.includes(name));
  if (chosen.length === 0) return;
  await using azurite = await startAzurite();
  const { writesFile, maxRestoreSeconds: maxSeconds } = one;
  const { url: hubUrl, connectionString } = hubs;
  for (const contender of chosen) {
    await hubs.clear();
    const storage = azurite.connectionString;
    const sample = await runRival({ contender, hubUrl, connectionString, storage, writesFile, maxSeconds }, hubs.pid);
    if ('failure' in sample) {
      result.failures.push({ contender, devices, latencyMs, message: sample.failure });
      say(`${contender} cannot do ${devices} devices: ${sample.failure}`);
      continue;
    }
    const isWriting = contender.includes('put') || contender.includes('restore');
    const moved = isWriting ? (await hubs.stats()).secondary.putCount : hubs.rowCount;
    if (sample.count !== moved) throw new Error(`${contender} says ${sample.count}, the hub says ${moved}.`);
    note(one, sample);
  }
}

async function runApp(one: CaseRun): Promise<void> {
  const { appDir, hubs, run, devices, latencyMs, result, say, only, profileDir: folder } = one;
  const last = (['dry-run', 'restore', 'backup'] as const).find((name) => only.includes(name));
  if (last === undefined) return;
  await hubs.clear();
  await using azurite = await startAzurite();
  const name = `${devices}-devices-${latencyMs}-ms-run-${run}.cpuprofile`;
  const profile = folder === undefined ? {} : { profile: { folder, name } };
  const { samples, status } = await runOurs({ appDir, hubs, azurite, last, ...profile });
  for (const sample of samples) note(one, sample);
  if (status !== undefined) result.status.push({ ...status, devices, latencyMs });
  if (folder !== undefined) say(`profile of the app's host in ${folder}`);
}

function note({ result, run, devices, latencyMs, say }: CaseRun, sample: Measured): void {
  result.samples.push({ ...sample, devices, latencyMs });
  const { contender, count, seconds, cpuSeconds, peakBytes, parts } = sample;
  const rate = Math.round(count / seconds);
  const detail = Object.entries(parts ?? {}).map(([name, value]) => `${name} ${value.toFixed(1)}`);
  say(
    `run ${run}, ${devices} devices, ${latencyMs} ms: ${contender.padEnd(14)} ${count} in ${seconds.toFixed(2)} s = ${rate}/s, CPU ${cpuSeconds.toFixed(2)} s, peak ${Math.round(peakBytes / 2 ** 20)} MB ${detail.join(', ')}`,
  );
}

/** On the emulator, which can limit its rate and report whom a broadcast reaches; the app is this project's. */
async function runExtras({ runs, hasExtras, say }: BenchOptions, result: BenchResult): Promise<void> {
  const devices = 20_000;
  for (let run = 1; run <= (hasExtras ? runs : 0); run += 1) {
    const limit = { rate: 500, burst: 100, silent: false, latency: 5 };
    result.throttled.push({ ...(await measureThrottled({ devices, seed: run, ...limit })) });
    result.twoHosts.push({ ...(await measureTwoHosts({ devices, seed: run, latency: 20, concurrency: 16 })) });
    say(`run ${run}: a restore into a limited hub, and one by two hosts`);
  }
}
