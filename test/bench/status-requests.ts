import { createApi } from '../../local/api.ts';
import type { Azurite } from '../../local/azurite.ts';
import { startFaultProxy } from '../../local/fault-proxy.ts';
import { spawnHost } from '../../local/host/spawn-host.ts';

/** How many requests to blob storage one call costs. */
export interface StatusRequests {
  readonly readiness: number;
  readonly restore: number;
}

/**
 * Counts them before a storage that holds a snapshot, with a restore that runs: its steps and all timers are off, so
 * that nothing else asks for blobs.
 */
export async function countStatusRequests(options: {
  readonly appDir: string;
  readonly azurite: Azurite;
  readonly settings: Readonly<Record<string, string>>;
}): Promise<StatusRequests> {
  const { azurite } = options;
  await using proxy = await startFaultProxy(azurite.blobUrl);
  const storage = azurite.connectionString.replace(azurite.blobUrl, proxy.url);
  await using host = await spawnHost({
    appDir: options.appDir,
    settings: { ...options.settings, ...quiet, SNAPSHOT_STORAGE: storage },
    isQuiet: true,
  });
  const api = createApi(() => host);
  const { id } = await api.start('/api/restores');
  const count = async (path: string): Promise<number> => {
    // What is read once for the life of the process is not a call's cost.
    await api.call('GET', path);
    const before = proxy.requests.length;
    await api.call('GET', path);
    return proxy.requests.length - before;
  };
  return { readiness: await count('/api/status'), restore: await count(`/api/restores/${id}`) };
}

const quiet = Object.fromEntries(
  ['steps', 'watchdog', 'backup', 'retention'].map((name) => [`AzureWebJobs.${name}.Disabled`, 'true']),
);
