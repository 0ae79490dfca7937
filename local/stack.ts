import { fileURLToPath } from 'node:url';
import { type Azurite, startAzurite } from './azurite.ts';
import { type EmulatorProcess, startEmulatorProcess } from './emulator-process.ts';
import { type SpawnedHost, spawnHost } from './host/spawn-host.ts';

export interface StackOptions {
  readonly devices: number;
  readonly seed: number;
  /** Of the Functions host; a free one when absent or 0. */
  readonly port?: number;
  readonly hubPort?: number;
  readonly adminPort?: number;
  /** Over the stack's own settings. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly queueLeaseSeconds?: number;
  readonly invocationLog?: string;
  /** The Node that runs the Functions host; the one of this process when absent. */
  readonly nodePath?: string;
  readonly onOutput?: (text: string) => void;
}

/** Storage, two hubs and the Functions host, each a process of its own, on 127.0.0.1 only. */
export interface Stack extends AsyncDisposable {
  readonly azurite: Azurite;
  readonly emulator: EmulatorProcess;
  /** The host that runs now; `startHost` replaces it. */
  readonly host: SpawnedHost;
  startHost(): Promise<SpawnedHost>;
  close(): Promise<void>;
}

const appDir = fileURLToPath(new URL('..', import.meta.url));

export const PRIMARY_HUB = '/namespaces/primary/hubs/devices';
export const SECONDARY_HUB = '/namespaces/secondary/hubs/devices';

/** Starts all parts of the stack, or none: what had started is stopped when a later part fails. */
export async function startStack(options: StackOptions): Promise<Stack> {
  await using parts = new AsyncDisposableStack();
  const [azurite, emulator] = await Promise.all([
    startAzurite().then((one) => parts.use(one)),
    startEmulatorProcess({
      devices: options.devices,
      seed: options.seed,
      port: options.hubPort ?? 0,
      adminPort: options.adminPort ?? 0,
    }).then((one) => parts.use(one)),
  ]);
  const settings = { ...stackSettings(azurite, emulator), ...options.settings };
  const spawn = () =>
    spawnHost({
      appDir,
      settings,
      isQuiet: true,
      ...(options.port === undefined ? {} : { port: options.port }),
      ...(options.queueLeaseSeconds === undefined ? {} : { queueLeaseSeconds: options.queueLeaseSeconds }),
      ...(options.invocationLog === undefined ? {} : { invocationLog: options.invocationLog }),
      ...(options.nodePath === undefined ? {} : { nodePath: options.nodePath }),
      ...(options.onOutput === undefined ? {} : { onOutput: options.onOutput }),
    });
  let host = await spawn();
  const keep = parts.move();
  const close = async (): Promise<void> => {
    await host.stop();
    await keep.disposeAsync();
  };
  return {
    azurite,
    emulator,
    get host() {
      return host;
    },
    async startHost() {
      host = await spawn();
      return host;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function stackSettings(azurite: Azurite, emulator: EmulatorProcess): Record<string, string> {
  return {
    AzureWebJobsStorage: azurite.connectionString,
    SNAPSHOT_STORAGE: azurite.connectionString,
    PRIMARY_HUB_CONNECTION: emulator.namespaces['primary']?.connectionString ?? '',
    PRIMARY_HUB_NAME: 'devices',
    SECONDARY_HUB_CONNECTION: emulator.namespaces['secondary']?.connectionString ?? '',
    SECONDARY_HUB_NAME: 'devices',
  };
}
