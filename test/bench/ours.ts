import { z } from 'zod';
import { type Api, createApi } from '../../local/api.ts';
import type { Azurite } from '../../local/azurite.ts';
import { type SpawnedHost, spawnHost } from '../../local/host/spawn-host.ts';
import type { HubProcess } from './hub-process.ts';
import { forgetPeak, readCost } from './process-cost.ts';
import { createRunWatcher, type RunWatcher, type Timeline } from './run-timeline.ts';
import type { Measured } from './sample.ts';
import { type StatusCost, watchStatus } from './status-cost.ts';
import { countStatusRequests, type StatusRequests } from './status-requests.ts';

export interface OursOptions {
  /** Folder of the built app. */
  readonly appDir: string;
  readonly hubs: HubProcess;
  readonly connectionString: string;
  readonly azurite: Azurite;
  /** Each needs what comes before it; none after it runs. */
  readonly last: 'backup' | 'restore' | 'dry-run';
  /** Has the host write what its processor time goes to. */
  readonly profile?: { readonly folder: string; readonly name: string };
}

export type OurStatus = StatusCost & { readonly requests: StatusRequests };

export interface OurRun {
  readonly samples: readonly Measured[];
  /** When a restore ran. */
  readonly status?: OurStatus;
}

/**
 * The app as it is deployed, in the local Functions host with a small instance's memory, at its default settings:
 * backup, restore with its verification, and a dry run over what was restored. Throws when a count is not right.
 */
export async function runOurs(options: OursOptions): Promise<OurRun> {
  const { samples, status } = await moveAll(options);
  if (status === undefined) return { samples };
  const requests = await countStatusRequests({ ...options, settings: settingsOf(options) });
  return { samples, status: { ...status, requests } };
}

async function moveAll(
  options: OursOptions,
): Promise<{ readonly samples: readonly Measured[]; readonly status?: StatusCost }> {
  const settings = { ...settingsOf(options), ...profiling(options) };
  await using host = await spawnHost({ appDir: options.appDir, settings, isQuiet: true });
  const work: Work = {
    ...options,
    host,
    api: createApi(() => host),
    watcher: createRunWatcher(options.azurite.connectionString, CONTAINER),
  };
  const backup = await backUp(work);
  if (options.last === 'backup') return { samples: [backup] };
  const { sample: restore, status } = await restoreAll(work);
  if (options.last === 'restore') return { samples: [backup, restore], status };
  return { samples: [backup, restore, await runDry(work)], status };
}

/** Node writes the profile when the host ends in order, as it does when it is stopped. */
function profiling({ profile }: OursOptions): Record<string, string> {
  if (profile === undefined) return {};
  return { NODE_OPTIONS: `--cpu-prof "--cpu-prof-dir=${profile.folder}" "--cpu-prof-name=${profile.name}"` };
}

const CONTAINER = 'hub-snapshots';

interface Work extends OursOptions {
  readonly host: SpawnedHost;
  readonly api: Api;
  readonly watcher: RunWatcher;
}

function settingsOf({ connectionString, azurite }: OursOptions): Record<string, string> {
  const storage = azurite.connectionString;
  return {
    AzureWebJobsStorage: storage,
    SNAPSHOT_STORAGE: storage,
    PRIMARY_HUB_CONNECTION: connectionString,
    PRIMARY_HUB_NAME: 'primary',
    SECONDARY_HUB_CONNECTION: connectionString,
    SECONDARY_HUB_NAME: 'secondary',
    // Started by hand: the schedule stays out of the way. All else is the default.
    BACKUP_SCHEDULE: '0 0 0 1 1 *',
  };
}

async function backUp(work: Work): Promise<Measured> {
  const { api, hubs } = work;
  const { timeline, cost } = await measured(work, 'backup', () => api.start('/api/backups'));
  const { run } = timeline;
  expectEqual(work, 'registrations in the snapshot', run.result?.registrationCount, hubs.rowCount);
  const snapshot = await api.call('GET', '/api/snapshots/latest');
  const { bytes } = z.object({ bytes: z.number() }).parse(snapshot.body);
  return { contender: 'backup', count: hubs.rowCount, ...cost, storedBytes: bytes, parts: timeline.parts };
}

async function restoreAll(work: Work): Promise<{ readonly sample: Measured; readonly status: StatusCost }> {
  const { api, hubs } = work;
  let watching: ReturnType<typeof watchStatus> | undefined;
  const { timeline, cost } = await measured(work, 'restore', async () => {
    const started = await api.start('/api/restores');
    watching = watchStatus(api, started.id);
    return started;
  });
  if (watching === undefined) throw new Error('The restore was not watched.');
  const status = await watching.stop();
  const { run } = timeline;
  const counts = run.result?.counts;
  expectEqual(work, 'records created', counts?.created, counts?.total ?? -1);
  const { putCount, lateCount } = (await hubs.stats()).secondary;
  expectEqual(work, 'PUTs', putCount, hubs.writeCount);
  const { parts } = timeline;
  return { sample: { contender: 'restore', count: hubs.writeCount, ...cost, parts, lateCount }, status };
}

async function runDry(work: Work): Promise<Measured> {
  const { api, hubs } = work;
  const { timeline, cost } = await measured(work, 'restore', () => api.start('/api/restores', { dryRun: true }));
  const { run } = timeline;
  const counts = run.result?.counts;
  expectEqual(work, 'records found unchanged', counts?.unchanged, counts?.total ?? -1);
  return { contender: 'dry-run', count: hubs.writeCount, ...cost, parts: timeline.parts };
}

type Cost = Pick<Measured, 'seconds' | 'cpuSeconds' | 'serverCpuSeconds' | 'peakBytes'>;

async function measured(
  { host, hubs, watcher }: Work,
  kind: 'backup' | 'restore',
  start: () => Promise<{ readonly id: string }>,
): Promise<{ readonly timeline: Timeline; readonly cost: Cost }> {
  await forgetPeak(host.pid);
  const [before, serverBefore] = await Promise.all([readCost(host.pid), readCost(hubs.pid)]);
  const { id } = await start();
  const timeline = await watcher.finished(kind, id);
  const [after, serverAfter] = await Promise.all([readCost(host.pid), readCost(hubs.pid)]);
  if (timeline.run.status !== 'Succeeded') {
    const { code, message } = timeline.run.error ?? { code: timeline.run.status, message: '' };
    throw new Error(`The ${kind} ended as ${code}: ${message}\n${host.output().slice(-3000)}`);
  }
  return {
    timeline,
    cost: {
      seconds: timeline.seconds,
      cpuSeconds: after.cpuSeconds - before.cpuSeconds,
      serverCpuSeconds: serverAfter.cpuSeconds - serverBefore.cpuSeconds,
      peakBytes: after.peakBytes,
    },
  };
}

/** What is not moved right is not measured. */
function expectEqual({ host }: Work, what: string, found: number | undefined, expected: number): void {
  if (found === expected) return;
  throw new Error(`${what}: ${found}, not ${expected}.\n${host.output().slice(-3000)}`);
}
