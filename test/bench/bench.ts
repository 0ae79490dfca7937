import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { startAzurite } from '../../local/azurite.ts';
import { measurePackage } from '../../local/package-cost.ts';
import { type HubProcess, startHubs } from './hub-process.ts';
import type { Job } from './job.ts';
import { runOurs } from './ours.ts';
import { readCost } from './process-cost.ts';
import { renderCases } from './report.ts';
import { type BenchResult, emptyResult } from './result.ts';
import { runRival } from './rival-process.ts';
import { type Contender, type Measured, rivals } from './sample.ts';
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
  /** For files of this bench; there until it ends. */
  readonly folder: string;
  readonly say: (line: string) => void;
  /** Gets all that was measured so far, whenever a run of a size is over, and at the end. */
  readonly onResult: (result: BenchResult) => void;
}

/** At 50 ms a page a listing of a million takes ten minutes and says nothing new. */
const SLOW_MS = 50;
const MOST_DEVICES_WHEN_SLOW = 200_000;

/** Runs every case of the plan, contender after contender, so that slow changes of the machine hit all alike. */
export async function bench(options: BenchOptions): Promise<BenchResult> {
  const result = emptyResult(options.machine);
  if (options.hasPackage) result.packages.push(await measurePackage(join(options.folder, 'package')));
  for (const devices of options.devices) {
    await runSize(options, devices, result);
    // The last size stands in the report that follows.
    if (devices !== options.devices.at(-1)) options.say(`\n${renderCases(result, devices)}\n`);
  }
  await runExtras(options, result);
  options.onResult(result);
  return result;
}

async function runSize(options: BenchOptions, devices: number, result: BenchResult): Promise<void> {
  const writesFile = join(options.folder, `writes-${devices}.jsonl`);
  const startedAt = performance.now();
  const isWriting = options.only.some((name) => name !== 'sdk-backup' && name !== 'bare-list' && name !== 'backup');
  await using hubs = await startHubs(devices, isWriting ? writesFile : undefined);
  const { peakBytes } = await readCost(hubs.pid);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  options.say(`a hub with ${devices} devices: filled in ${seconds} s, ${Math.round(peakBytes / 2 ** 20)} MB`);
  await warmUp(hubs, isWriting ? writesFile : undefined);
  for (let run = 1; run <= options.runs; run += 1) {
    for (const latencyMs of options.latencies) {
      if (latencyMs >= SLOW_MS && devices > MOST_DEVICES_WHEN_SLOW) continue;
      await hubs.setLatency(latencyMs);
      await runCase({ ...options, hubs, writesFile, run, devices, latencyMs, result });
    }
    options.onResult(result);
  }
}

/** The server's code is compiled as it runs: whoever came first would find it several times as slow as the next. */
async function warmUp(hubs: HubProcess, writesFile: string | undefined): Promise<void> {
  const job = { hubUrl: hubs.url, connectionString: connectionTo(hubs), storage: '', writesFile: '', maxSeconds: 2 };
  await runRival({ ...job, contender: 'bare-list' }, hubs.pid);
  if (writesFile !== undefined) await runRival({ ...job, writesFile, contender: 'bare-put' }, hubs.pid);
}

interface CaseRun extends Omit<BenchOptions, 'devices'> {
  readonly hubs: HubProcess;
  readonly writesFile: string;
  readonly run: number;
  readonly devices: number;
  readonly latencyMs: number;
  readonly result: BenchResult;
}

async function runCase(one: CaseRun): Promise<void> {
  const { hubs, run, devices, latencyMs, result, say, only, profileDir } = one;
  await runRivals(one);
  if (!(['backup', 'restore', 'dry-run'] as const).some((name) => only.includes(name))) return;
  await hubs.clear();
  await using azurite = await startAzurite();
  const { samples, status } = await runOurs({
    appDir: one.appDir,
    hubs,
    connectionString: connectionTo(hubs),
    azurite,
    last: only.includes('dry-run') ? 'dry-run' : only.includes('restore') ? 'restore' : 'backup',
    ...(profileDir === undefined
      ? {}
      : { profile: { folder: profileDir, name: `${devices}-devices-${latencyMs}-ms-run-${run}.cpuprofile` } }),
  });
  for (const sample of samples) note(one, sample);
  if (status !== undefined) result.status.push({ ...status, devices, latencyMs });
  if (profileDir !== undefined) say(`profile of the app's host in ${profileDir}`);
}

async function runRivals(one: CaseRun): Promise<void> {
  const { hubs, writesFile, maxRestoreSeconds: maxSeconds, devices, latencyMs, result, say } = one;
  const chosen = rivals.filter((name) => one.only.includes(name));
  if (chosen.length === 0) return;
  await using azurite = await startAzurite();
  const job: Omit<Job, 'contender'> = {
    ...{ writesFile, maxSeconds, hubUrl: hubs.url, connectionString: connectionTo(hubs) },
    storage: azurite.connectionString,
  };
  for (const contender of chosen) {
    await hubs.clear();
    const sample = await runRival({ ...job, contender }, hubs.pid);
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

/** The key opens nothing: the bench's hub looks only whether a request is signed. */
function connectionTo({ url }: HubProcess): string {
  const key = createHash('sha256').update('bench').digest('base64');
  return `Endpoint=${url}/;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=${key}`;
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

/** On the emulator, which can limit its rate and tell whom a broadcast reaches; the app is this project's. */
async function runExtras({ runs, hasExtras, say }: BenchOptions, result: BenchResult): Promise<void> {
  const devices = 20_000;
  for (let run = 1; run <= (hasExtras ? runs : 0); run += 1) {
    const limit = { requestsPerSecond: 500, burst: 100, isSilent: false, latencyMs: 5 };
    result.throttled.push({ ...(await measureThrottled({ devices, seed: run, ...limit })) });
    result.twoHosts.push({ ...(await measureTwoHosts({ devices, seed: run, latencyMs: 20, maxConcurrency: 16 })) });
    say(`run ${run}: a restore into a limited hub, and one by two hosts`);
  }
}
