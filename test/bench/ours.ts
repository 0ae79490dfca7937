import { z } from 'zod';
import { type Api, createApi } from '../../local/api.ts';
import type { Azurite } from '../../local/azurite.ts';
import { type SpawnedHost, spawnHost } from '../../local/host/spawn-host.ts';
import type { HubProcess } from './hub-process.ts';
import { forgetPeak, readCost } from './process-cost.ts';
import { createRunWatcher, type RunWatcher, type Timeline } from './run-timeline.ts';
import type { Sample } from './sample.ts';
import { type StatusCost, watchStatus } from './status-cost.ts';
import { countStatusRequests, type StatusRequests } from './status-requests.ts';

export interface OursOptions {
  /** Folder of the built app. */
  readonly appDir: string;
  readonly hubs: HubProcess;
  readonly connectionString: string;
  readonly azurite: Azurite;
}

export type OurSample = Omit<Sample, 'devices' | 'latencyMs'>;

export type OurStatus = StatusCost & { readonly requests: StatusRequests };

/**
 * The app as it is deployed, in the local Functions host with a small instance's memory, at its default settings:
 * backup, restore with its verification, and a dry run over what was restored. Throws when a count is not right.
 */
export async function runOurs(
  options: OursOptions,
): Promise<{ readonly samples: readonly OurSample[]; readonly status: OurStatus }> {
  const { samples, status } = await moveAll(options);
  const requests = await countStatusRequests({ ...options, settings: settingsOf(options) });
  return { samples, status: { ...status, requests } };
}

async function moveAll(
  options: OursOptions,
): Promise<{ readonly samples: readonly OurSample[]; readonly status: StatusCost }> {
  await using host = await spawnHost({ appDir: options.appDir, settings: settingsOf(options), isQuiet: true });
  const work: Work = {
    ...options,
    host,
    api: createApi(() => host),
    watcher: createRunWatcher(options.azurite.connectionString, CONTAINER),
  };
  const backup = await backUp(work);
  const { sample: restore, status } = await restoreAll(work);
  const dryRun = await runDry(work);
  return { samples: [backup, restore, dryRun], status };
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

async function backUp(work: Work): Promise<OurSample> {
  const { api, hubs } = work;
  const { timeline, cost } = await measured(work, 'backup', () => api.start('/api/backups'));
  const { run } = timeline;
  expectEqual(work, 'registrations in the snapshot', run.result?.registrationCount, hubs.rowCount);
  const snapshot = await api.call('GET', '/api/snapshots/latest');
  const { bytes } = z.object({ bytes: z.number() }).parse(snapshot.body);
  return { contender: 'backup', count: hubs.rowCount, ...cost, storedBytes: bytes, parts: timeline.parts };
}

async function restoreAll(work: Work): Promise<{ readonly sample: OurSample; readonly status: StatusCost }> {
  const { api, hubs } = work;
  let watching: ReturnType<typeof watchStatus> | undefined;
  const { timeline, cost } = await measured(work, 'restore', async () => {
    const started = await api.start('/api/restores');
    watching = watchStatus(api, started.id);
    return started;
  });
  const status = (await watching?.stop()) ?? { count: 0, medianMs: 0, p99Ms: 0 };
  const { run } = timeline;
  const counts = run.result?.counts;
  expectEqual(work, 'records created', counts?.created, counts?.total ?? -1);
  expectEqual(work, 'PUTs', (await hubs.stats()).secondary.putCount, hubs.writeCount);
  return { sample: { contender: 'restore', count: hubs.writeCount, ...cost, parts: timeline.parts }, status };
}

async function runDry(work: Work): Promise<OurSample> {
  const { api, hubs } = work;
  const { timeline, cost } = await measured(work, 'restore', () => api.start('/api/restores', { dryRun: true }));
  const { run } = timeline;
  const counts = run.result?.counts;
  expectEqual(work, 'records found unchanged', counts?.unchanged, counts?.total ?? -1);
  return { contender: 'dry-run', count: hubs.writeCount, ...cost, parts: timeline.parts };
}

async function measured(
  { host, watcher }: Work,
  kind: 'backup' | 'restore',
  start: () => Promise<{ readonly id: string }>,
): Promise<{ readonly timeline: Timeline; readonly cost: Pick<Sample, 'seconds' | 'cpuSeconds' | 'peakBytes'> }> {
  await forgetPeak(host.pid);
  const before = await readCost(host.pid);
  const { id } = await start();
  const timeline = await watcher.finished(kind, id);
  const after = await readCost(host.pid);
  if (timeline.run.status !== 'Succeeded') {
    const { code, message } = timeline.run.error ?? { code: timeline.run.status, message: '' };
    throw new Error(`The ${kind} ended as ${code}: ${message}\n${host.output().slice(-3000)}`);
  }
  const cpuSeconds = after.cpuSeconds - before.cpuSeconds;
  return { timeline, cost: { seconds: timeline.seconds, cpuSeconds, peakBytes: after.peakBytes } };
}

/** What is not moved right is not measured. */
function expectEqual({ host }: Work, what: string, found: number | undefined, expected: number): void {
  if (found === expected) return;
  throw new Error(`${what}: ${found}, not ${expected}.\n${host.output().slice(-3000)}`);
}
