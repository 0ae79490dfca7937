import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { startAzurite } from '../../local/azurite.ts';
import { type HubProcess, startHubs } from './hub-process.ts';
import { type OurStatus, runOurs } from './ours.ts';
import type { Job } from './rival.ts';
import { runRival } from './rival-process.ts';
import type { Sample } from './sample.ts';
import { measureThrottled, type ThrottledRun } from './throttled.ts';
import { measureTwoHosts, type TwoHostsRun } from './two-hosts.ts';

export interface Plan {
  readonly runs: number;
  readonly devices: readonly number[];
  readonly latencies: readonly number[];
  /** How long a rival restores; the app itself restores everything. */
  readonly maxRestoreSeconds: number;
  /** Also a restore into a hub that limits its rate, and one by two hosts. */
  readonly hasExtras: boolean;
}

export interface BenchOptions extends Plan {
  readonly appDir: string;
  /** For files of this bench; there until it ends. */
  readonly folder: string;
  readonly say: (line: string) => void;
}

/** One status measurement of one restore. */
export type StatusSample = OurStatus & { readonly devices: number; readonly latencyMs: number };

export interface BenchResult {
  readonly samples: readonly Sample[];
  readonly status: readonly StatusSample[];
  readonly throttled: readonly ThrottledRun[];
  readonly twoHosts: readonly TwoHostsRun[];
}

/** At 50 ms a page a listing of a million takes ten minutes and says nothing new. */
const SLOW_MS = 50;
const MOST_DEVICES_WHEN_SLOW = 200_000;

/** Runs every case of the plan, contender after contender, so that slow changes of the machine hit all alike. */
export async function bench(options: BenchOptions): Promise<BenchResult> {
  const samples: Sample[] = [];
  const status: StatusSample[] = [];
  for (const devices of options.devices) {
    const writesFile = join(options.folder, `writes-${devices}.jsonl`);
    options.say(`filling a hub with ${devices} devices`);
    await using hubs = await startHubs(devices, writesFile);
    for (let run = 1; run <= options.runs; run += 1) {
      for (const latencyMs of options.latencies) {
        if (latencyMs >= SLOW_MS && devices > MOST_DEVICES_WHEN_SLOW) continue;
        await hubs.setLatency(latencyMs);
        const note = (sample: Omit<Sample, 'devices' | 'latencyMs'>): void => {
          samples.push({ ...sample, devices, latencyMs });
          options.say(describe(sample, `run ${run}, ${devices} devices, ${latencyMs} ms`));
        };
        await runRivals(hubs, { writesFile, maxSeconds: options.maxRestoreSeconds }, note);
        status.push({ ...(await runApp(options.appDir, hubs, note)), devices, latencyMs });
      }
    }
  }
  return { samples, status, ...(await runExtras(options)) };
}

/** On the emulator, which can limit its rate and tell whom a broadcast reaches; the app is this project's. */
async function runExtras({ runs, hasExtras, say }: BenchOptions): Promise<Pick<BenchResult, 'throttled' | 'twoHosts'>> {
  const throttled: ThrottledRun[] = [];
  const twoHosts: TwoHostsRun[] = [];
  const devices = 20_000;
  for (let run = 1; run <= (hasExtras ? runs : 0); run += 1) {
    const limit = { requestsPerSecond: 500, burst: 100, isSilent: false, latencyMs: 5 };
    throttled.push(await measureThrottled({ devices, seed: run, ...limit }));
    twoHosts.push(await measureTwoHosts({ devices, seed: run, latencyMs: 20, maxConcurrency: 16 }));
    say(`run ${run}: a restore into a limited hub, and one by two hosts`);
  }
  return { throttled, twoHosts };
}

type Note = (sample: Omit<Sample, 'devices' | 'latencyMs'>) => void;

const rivals = ['sdk-backup', 'bare-list', 'sdk-restore-1', 'sdk-restore-64', 'bare-put'] as const;

async function runRivals(hubs: HubProcess, job: Pick<Job, 'writesFile' | 'maxSeconds'>, note: Note): Promise<void> {
  await using azurite = await startAzurite();
  const common = { ...job, hubUrl: hubs.url, connectionString: connectionTo(hubs), storage: azurite.connectionString };
  for (const contender of rivals) {
    await hubs.clear();
    const before = await hubs.stats();
    const sample = await runRival({ ...common, contender });
    const after = await hubs.stats();
    const moved =
      contender.includes('put') || contender.includes('restore')
        ? after.secondary.putCount - before.secondary.putCount
        : hubs.rowCount;
    if (sample.count !== moved) throw new Error(`${contender} says ${sample.count}, the hub says ${moved}.`);
    note(sample);
  }
}

async function runApp(appDir: string, hubs: HubProcess, note: Note): Promise<OurStatus> {
  await hubs.clear();
  await using azurite = await startAzurite();
  const { samples, status } = await runOurs({
    appDir,
    hubs,
    connectionString: connectionTo(hubs),
    azurite,
  });
  for (const sample of samples) note(sample);
  return status;
}

/** The key opens nothing: the bench's hub looks only whether a request is signed. */
function connectionTo({ url }: HubProcess): string {
  const key = createHash('sha256').update('bench').digest('base64');
  return `Endpoint=${url}/;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=${key}`;
}

function describe(
  { contender, count, seconds, cpuSeconds, peakBytes, parts }: Omit<Sample, 'devices' | 'latencyMs'>,
  where: string,
): string {
  const rate = Math.round(count / seconds);
  const detail = Object.entries(parts ?? {}).map(([name, value]) => `${name} ${value.toFixed(1)}`);
  return `${where}: ${contender.padEnd(14)} ${count} in ${seconds.toFixed(2)} s = ${rate}/s, CPU ${cpuSeconds.toFixed(2)} s, peak ${Math.round(peakBytes / 2 ** 20)} MB ${detail.join(', ')}`;
}
