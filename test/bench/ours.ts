import { z } from 'zod';
import { type Api, createApi } from '../../local/api.ts';
import type { Azurite } from '../../local/azurite.ts';
import { type SpawnedHost, spawnHost } from '../../local/host/spawn-host.ts';
import { forgetPeak, withCost } from './child.ts';
import type { Hubs } from './hubs.ts';
import type { Measured } from './measures.ts';
import { finishedRun, type Timeline } from './run-watch.ts';
import { countStatusRequests, type StatusCost, watchStatus } from './status.ts';

export interface OursOptions {
  /** Folder of the built app. */
  readonly appDir: string;
  readonly hubs: Hubs;
  readonly azurite: Azurite;
  /** Each needs what comes before it; none after it runs. */
  readonly last: 'backup' | 'restore' | 'dry-run';
  /** Has the host write a profile of its processor time. */
  readonly profile?: { readonly folder: string; readonly name: string };
}

export interface OurRun {
  readonly samples: readonly Measured[];
  /** When a restore ran. */
  readonly status?: StatusCost;
}

/**
 * The app as it is deployed, in the local Functions host with a small instance's memory, at its default settings:
 * backup, restore with its verification, and a dry run over what was restored. Throws when a count is not right.
 */
export async function runOurs(options: OursOptions): Promise<OurRun> {
  const { appDir, azurite } = options;
  const { samples, status } = await moveAll(options);
  if (status === undefined) return { samples };
  const requests = await countStatusRequests(appDir, azurite, settingsOf(options));
  return { samples, status: { ...status, requests } };
}

interface Work extends OursOptions {
  readonly host: SpawnedHost;
  readonly api: Api;
}

async function moveAll(options: OursOptions) {
  const settings = { ...settingsOf(options), ...profiling(options) };
  await using host = await spawnHost({ appDir: options.appDir, settings, isQuiet: true });
  const work: Work = { ...options, host, api: createApi(() => host) };
  try {
    const samples = [await backUp(work)];
    if (options.last === 'backup') return { samples };
    const { sample, status } = await restoreAll(work);
    samples.push(sample);
    if (options.last === 'dry-run') samples.push(await runDry(work));
    return { samples, status };
  } catch (cause) {
    throw new Error(`The app failed. Its host wrote last:\n${host.output().slice(-3000)}`, { cause });
  }
}

/** Node writes the profile when the host ends in order, as it does when it is stopped. */
function profiling({ profile }: OursOptions): Record<string, string> {
  if (profile === undefined) return {};
  return { NODE_OPTIONS: `--cpu-prof "--cpu-prof-dir=${profile.folder}" "--cpu-prof-name=${profile.name}"` };
}

function settingsOf({ hubs, azurite }: OursOptions): Record<string, string> {
  return {
    AzureWebJobsStorage: azurite.connectionString,
    SNAPSHOT_STORAGE: azurite.connectionString,
    PRIMARY_HUB_CONNECTION: hubs.connectionString,
    PRIMARY_HUB_NAME: 'primary',
    SECONDARY_HUB_CONNECTION: hubs.connectionString,
    SECONDARY_HUB_NAME: 'secondary',
    // Started by hand: the schedule must not interfere. All else is the default.
    BACKUP_SCHEDULE: '0 0 0 1 1 *',
  };
}

async function backUp(work: Work): Promise<Measured> {
  const { rowCount: count } = work.hubs;
  const { run, cost } = await measured(work, 'backup', () => work.api.start('/api/backups'));
  expectEqual('registrations in the snapshot', run.result?.registrationCount, count);
  const snapshot = await work.api.call('GET', '/api/snapshots/latest');
  const { bytes } = z.object({ bytes: z.number() }).parse(snapshot.body);
  return { contender: 'backup', count, ...cost, storedBytes: bytes };
}

async function restoreAll(work: Work) {
  const { api, hubs } = work;
  let watch: ReturnType<typeof watchStatus> | undefined;
  const { run, cost } = await measured(work, 'restore', async () => {
    const started = await api.start('/api/restores');
    watch = watchStatus(api, started.id);
    return started;
  });
  const status = await watch?.stop();
  const counts = run.result?.counts;
  expectEqual('records created', counts?.created, counts?.total ?? -1);
  const { putCount, lateCount } = (await hubs.stats()).secondary;
  expectEqual('PUTs', putCount, hubs.writeCount);
  const sample: Measured = { contender: 'restore', count: hubs.writeCount, ...cost, lateCount };
  return { sample, status };
}

async function runDry(work: Work): Promise<Measured> {
  const { run, cost } = await measured(work, 'restore', () => work.api.start('/api/restores', { dryRun: true }));
  const counts = run.result?.counts;
  expectEqual('records found unchanged', counts?.unchanged, counts?.total ?? -1);
  return { contender: 'dry-run', count: work.hubs.writeCount, ...cost };
}

type RunCost = Pick<Measured, 'seconds' | 'cpuSeconds' | 'serverCpuSeconds' | 'peakBytes' | 'parts'>;

async function measured(
  { host, hubs, azurite }: Work,
  kind: 'backup' | 'restore',
  start: () => Promise<{ readonly id: string }>,
): Promise<{ readonly run: Timeline['run']; readonly cost: RunCost }> {
  await forgetPeak(host.pid);
  const [{ run, seconds, parts }, cost] = await withCost(host.pid, hubs.pid, async () => {
    const { id } = await start();
    return finishedRun(azurite.connectionString, kind, id);
  });
  return { run, cost: { seconds, ...cost, parts } };
}

/** Work that was not done right is not measured. */
function expectEqual(what: string, found: number | undefined, expected: number): void {
  if (found !== expected) throw new Error(`${what}: ${found}, not ${expected}.`);
}
