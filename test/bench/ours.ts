import { z } from 'zod';
import { type Api, createApi } from '../../local/api.ts';
import type { Azurite } from '../../local/azurite.ts';
import { type SpawnedHost, spawnHost } from '../../local/host/spawn-host.ts';
import { figuresOf, forgetPeak, withCost } from './child.ts';
import type { ownRuns, Sample } from './figures.ts';
import type { Hubs, Reach } from './hubs.ts';
import { finishedRun } from './run-watch.ts';
import { countStatusRequests, watchStatus } from './status.ts';

export interface OursOptions {
  /** Folder of the built app. */
  readonly appDir: string;
  readonly hubs: Hubs;
  readonly reach: Reach;
  readonly azurite: Azurite;
  /** Each needs what comes before it; none after it runs. */
  readonly last: (typeof ownRuns)[number];
  /** `NODE_OPTIONS` of the host. */
  readonly nodeOptions: string;
}

export type Measured = Pick<Sample, 'subject' | 'figures' | 'failure'>;

/**
 * The app as it is deployed, in the local Functions host with a small instance's memory, at its default settings:
 * backup, restore with its verification, and a dry run over what was restored. Throws when a count is not right.
 */
export async function runOurs(options: OursOptions): Promise<Measured[]> {
  const { appDir, azurite, last } = options;
  const settings = settingsOf(options);
  const samples = await runAll(options, settings);
  if (last === 'backup') return samples;
  const requests = await countStatusRequests(appDir, azurite, settings);
  return samples.map(({ subject, figures }) =>
    subject === 'status' ? { subject, figures: { ...figures, ...requests } } : { subject, figures },
  );
}

async function runAll(options: OursOptions, settings: Record<string, string>): Promise<Measured[]> {
  const { appDir, last, nodeOptions } = options;
  const own = { ...settings, ...(nodeOptions && { NODE_OPTIONS: nodeOptions }) };
  await using host = await spawnHost({ appDir, settings: own, isQuiet: true });
  const work: Work = { ...options, host, api: createApi(() => host) };
  try {
    const samples = [await backUp(work)];
    if (last !== 'backup') samples.push(...(await restore(work)));
    if (last === 'dry-run') samples.push(await runDry(work));
    return samples;
  } catch (cause) {
    throw new Error(`The app failed. Its host wrote last:\n${host.output().slice(-3000)}`, { cause });
  }
}

interface Work extends OursOptions {
  readonly host: SpawnedHost;
  readonly api: Api;
}

export function settingsOf({ reach, azurite }: Pick<OursOptions, 'reach' | 'azurite'>): Record<string, string> {
  return {
    ...reach.env,
    AzureWebJobsStorage: azurite.connectionString,
    SNAPSHOT_STORAGE: azurite.connectionString,
    PRIMARY_HUB_CONNECTION: reach.connectionString,
    PRIMARY_HUB_NAME: 'primary',
    SECONDARY_HUB_CONNECTION: reach.connectionString,
    SECONDARY_HUB_NAME: 'secondary',
    // Started by hand: the schedule must not interfere. All else is the default.
    BACKUP_SCHEDULE: '0 0 0 1 1 *',
  };
}

async function backUp(work: Work): Promise<Measured> {
  const { rowCount } = work.hubs;
  const { run, figures } = await measured(work, 'backup', rowCount, () => work.api.start('/api/backups'));
  expectEqual('registrations in the snapshot', run.result?.registrationCount, rowCount);
  const snapshot = await work.api.call('GET', '/api/snapshots/latest');
  const { bytes } = z.object({ bytes: z.number() }).parse(snapshot.body);
  return { subject: 'backup', figures: { ...figures, bytesPerRow: bytes / rowCount } };
}

async function restore(work: Work): Promise<Measured[]> {
  const { api, hubs } = work;
  let watch: ReturnType<typeof watchStatus> | undefined;
  const { run, figures } = await measured(work, 'restore', hubs.writeCount, async () => {
    const started = await api.start('/api/restores');
    watch = watchStatus(api, started.id);
    return started;
  });
  const status = (await watch?.stop()) ?? {};
  const counts = run.result?.counts;
  expectEqual('records created', counts?.created, counts?.total ?? -1);
  const { putCount, lateCount } = (await hubs.stats()).secondary;
  expectEqual('PUTs', putCount, hubs.writeCount);
  return [
    { subject: 'restore', figures: { ...figures, ...ratesOf(figures), lateCount } },
    { subject: 'status', figures: status },
  ];
}

/** Rates of a restore by what it does. */
function ratesOf(figures: Sample['figures']) {
  const part = (...names: readonly string[]): number => names.reduce((sum, name) => sum + (figures[name] ?? 0), 0);
  const [count, look, write] = [part('count'), part('scan1', 'seal1'), part('reconcile1')];
  return {
    writing: count / write,
    lookingAndWriting: count / (look + write),
    unsettled: count / (part('seconds') - part('settle')),
    /** Seconds. */
    verifying: part('scan2', 'seal2', 'reconcile2', 'finish2'),
  };
}

async function runDry(work: Work): Promise<Measured> {
  const { writeCount } = work.hubs;
  const start = () => work.api.start('/api/restores', { dryRun: true });
  const { run, figures } = await measured(work, 'restore', writeCount, start);
  const counts = run.result?.counts;
  expectEqual('records found unchanged', counts?.unchanged, counts?.total ?? -1);
  return { subject: 'dry-run', figures };
}

async function measured(
  { host, hubs, azurite }: Work,
  kind: 'backup' | 'restore',
  count: number,
  start: () => Promise<{ readonly id: string }>,
) {
  await forgetPeak(host.pid);
  const { done, cost } = await withCost(host.pid, hubs.pid, async () =>
    finishedRun(azurite.connectionString, kind, (await start()).id),
  );
  const { run, seconds, parts } = done;
  // The settling wait is the same at any size and speed.
  const figures: Sample['figures'] = { ...parts, workingSeconds: seconds - (parts['settle'] ?? 0) };
  return { run, figures: { ...figuresOf(count, seconds, cost), ...figures } };
}

/** Work that was not done right is not measured. */
function expectEqual(what: string, found: number | undefined, expected: number): void {
  if (found !== expected) throw new Error(`${what}: ${found}, not ${expected}.`);
}
