import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, createApi } from '../../local/api.ts';
import type { Azurite } from '../../local/azurite.ts';
import { startFaultProxy } from '../../local/fault-proxy.ts';
import { spawnHost } from '../../local/host/spawn-host.ts';
import { median, percentile } from './figures.ts';

const CALL_EVERY_MS = 500;

/** Asks for the readiness and for the run in turn, as a person's and a monitor's tools would, until stopped. */
export function watchStatus(api: Api, restoreId: string) {
  const durations: number[] = [];
  const stopping = new AbortController();
  const loop = (async () => {
    for (let turn = 0; !stopping.signal.aborted; turn += 1) {
      const startedAt = performance.now();
      await api.call('GET', turn % 2 === 0 ? '/api/status' : `/api/restores/${restoreId}`);
      durations.push(performance.now() - startedAt);
      await sleep(CALL_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await loop;
      return { calls: durations.length, medianMs: median(durations), p99Ms: percentile(durations, 0.99) };
    },
  };
}

/**
 * Counts the storage requests of a call, with a snapshot stored and a restore under way. Its steps and all timers are
 * off, so that nothing else asks for blobs.
 */
export async function countStatusRequests(
  appDir: string,
  { blobUrl, connectionString }: Azurite,
  settings: Readonly<Record<string, string>>,
) {
  await using proxy = await startFaultProxy(blobUrl);
  const own = { ...settings, ...quiet, SNAPSHOT_STORAGE: connectionString.replace(blobUrl, proxy.url) };
  await using host = await spawnHost({ appDir, settings: own, isQuiet: true });
  const api = createApi(() => host);
  const { id } = await api.start('/api/restores');
  const count = async (path: string): Promise<number> => {
    // What is read once for the life of the process is not a call's cost.
    await api.call('GET', path);
    const before = proxy.requests.length;
    await api.call('GET', path);
    return proxy.requests.length - before;
  };
  return { requestsForReadiness: await count('/api/status'), requestsForRestore: await count(`/api/restores/${id}`) };
}

const quiet = Object.fromEntries(
  // `steps` was the one queue function of earlier versions.
  ['steps', 'restoreSteps', 'backupSteps', 'otherSteps', 'formerSteps', 'watchdog', 'backup', 'retention'].map(
    (name) => [`AzureWebJobs.${name}.Disabled`, 'true'],
  ),
);
