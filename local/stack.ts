import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type StorageAccount, startAzurite } from './azurite.ts';
import { ensureBuilt } from './build.ts';
import type { Bundle } from './bundle.ts';
import type { EmulatorHandle } from './emulator-handle.ts';
import { startEmulatorProcess } from './emulator-process.ts';
import { type SpawnedHost, spawnHost } from './host/spawn-host.ts';
import { hubIdOf } from './hub-lab/arm-routes.ts';
import { type StorageProxy, startStorageProxy } from './storage-proxy.ts';

export interface StackOptions {
  /** An account of its own, in place of an azurite of its own. */
  readonly account?: StorageAccount;
  /** In place of one of its own; closed with the stack. */
  readonly emulator?: EmulatorHandle;
  readonly devices: number;
  readonly seed: number;
  /** Of the Functions host; a free one when absent or 0. */
  readonly port?: number;
  readonly hubPort?: number;
  readonly adminPort?: number;
  /** Whether the stack's own hubs speak TLS. */
  readonly isTls?: boolean;
  /** The app knows its hubs by their resource ids, and reads their keys with its identity. */
  readonly isByIdentity?: boolean;
  /** Over the stack's own settings. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Puts a proxy before the app's own storage, so that it can fail. */
  readonly hasStorageProxy?: boolean;
  readonly queueLeaseSeconds?: number;
  readonly timerLockSeconds?: number;
  readonly timerPollSeconds?: number;
  /** How long a host that is stopped may finish what it does (SIGTERM). */
  readonly graceSeconds?: number;
  readonly invocationLog?: string;
  /** The Node that runs the Functions host; the one of this process when absent. */
  readonly nodePath?: string;
  /** Folder of another build of the app, in place of the project's own, which is built first. */
  readonly appDir?: string | undefined;
  /** In place of the built app and of the programs as they are in the project. */
  readonly bundle?: Bundle;
  readonly onOutput?: (text: string) => void;
  /** A few words as each part is there: to start all takes a while. */
  readonly onPart?: (what: string) => void;
}

/** What a dead host held is free again in seconds, for those who would wait for it: in Azure it takes minutes. */
export const quickRecovery = { queueLeaseSeconds: 3, timerLockSeconds: 15, timerPollSeconds: 2 } as const;

/** What a deployment may change. */
export interface HostChange {
  /** Over the stack's settings, for this host and those after it. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Folder of another build of the app. */
  readonly appDir?: string;
  /** For this host only, such as that of the one before it, which has been stopped. */
  readonly port?: number;
}

/** Storage, two hubs and the Functions host on 127.0.0.1 only; each a process of its own, unless it was given. */
export interface Stack extends AsyncDisposable {
  readonly azurite: StorageAccount;
  /**
   * Before the app's own storage (`SNAPSHOT_STORAGE`, and the queue trigger that shares it), when there is one. The
   * host's (`AzureWebJobsStorage`: keys, timers) is never under fire: that is the platform's part.
   */
  readonly storage: StorageProxy | undefined;
  readonly emulator: EmulatorHandle;
  /** The host that was started last and is called. One before it that was not stopped runs beside it. */
  readonly host: SpawnedHost;
  /** What the next host starts with. */
  readonly settings: Readonly<Record<string, string>>;
  startHost(change?: HostChange): Promise<SpawnedHost>;
  close(): Promise<void>;
}

const ownAppDir = fileURLToPath(new URL('..', import.meta.url));

export const PRIMARY_HUB = '/namespaces/primary/hubs/devices';
export const SECONDARY_HUB = '/namespaces/secondary/hubs/devices';

/** Builds the app and starts all parts of the stack, or none: what had started is stopped when a later part fails. */
export async function startStack(options: StackOptions): Promise<Stack> {
  await using parts = new AsyncDisposableStack();
  const noted = <T>(what: string, part: T): T => {
    options.onPart?.(what);
    return part;
  };
  const [azurite, emulator] = await Promise.all([
    options.account ?? startAzurite().then((one) => noted('storage is up', parts.use(one))),
    (options.emulator === undefined ? startEmulator(options) : Promise.resolve(options.emulator)).then((one) =>
      noted('two hubs are up', parts.use(one)),
    ),
    options.bundle ?? options.appDir ?? ensureBuilt().then(() => noted('the app is built', undefined)),
  ]);
  const storage = options.hasStorageProxy === true ? parts.use(await startStorageProxy(azurite)) : undefined;
  let settings: Readonly<Record<string, string>> = {
    ...stackSettings(azurite, emulator, options.isByIdentity === true),
    ...(emulator.certificate === undefined ? {} : await trust(parts, emulator.certificate)),
    ...(storage === undefined ? {} : { SNAPSHOT_STORAGE: storage.connectionString }),
    ...options.settings,
  };
  let appDir = options.appDir ?? options.bundle?.appDir ?? ownAppDir;
  const hosts: SpawnedHost[] = [];
  const startHost = async (change: HostChange = {}): Promise<SpawnedHost> => {
    settings = { ...settings, ...change.settings };
    appDir = change.appDir ?? appDir;
    const [first] = hosts;
    const host = await spawnHost({
      appDir,
      settings,
      ...hostOptions(options),
      ...(change.port === undefined ? {} : { port: change.port }),
      // The cloud keeps an app's keys over restarts.
      ...(first === undefined ? {} : { keys: first.keys }),
    });
    hosts.push(host);
    return host;
  };
  let host = noted('the Functions host is up', await startHost());
  const keep = parts.move();
  const close = async (): Promise<void> => {
    // Their storage goes with them: there is nothing to release.
    await Promise.all(hosts.map((each) => each.kill()));
    await keep.disposeAsync();
  };
  return {
    azurite,
    storage,
    emulator,
    get host() {
      return host;
    },
    get settings() {
      return settings;
    },
    async startHost(change) {
      host = await startHost(change);
      return host;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function startEmulator(options: StackOptions): Promise<EmulatorHandle> {
  const { devices, seed, hubPort = 0, adminPort = 0, isTls = false } = options;
  return startEmulatorProcess({ devices, seed, port: hubPort, adminPort, isTls });
}

/** What makes a Node process trust the certificate; its file goes with the stack. */
async function trust(parts: AsyncDisposableStack, certificate: string): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'stack-'));
  parts.defer(() => rm(folder, { recursive: true }));
  const path = join(folder, 'hubs.pem');
  await writeFile(path, certificate);
  return { NODE_EXTRA_CA_CERTS: path };
}

function hostOptions(options: StackOptions) {
  const { port, queueLeaseSeconds, timerLockSeconds, timerPollSeconds, graceSeconds } = options;
  const { invocationLog, nodePath, bundle, onOutput } = options;
  return {
    isQuiet: true,
    ...(port === undefined ? {} : { port }),
    ...(queueLeaseSeconds === undefined ? {} : { queueLeaseSeconds }),
    ...(timerLockSeconds === undefined ? {} : { timerLockSeconds }),
    ...(timerPollSeconds === undefined ? {} : { timerPollSeconds }),
    ...(graceSeconds === undefined ? {} : { graceSeconds }),
    ...(invocationLog === undefined ? {} : { invocationLog }),
    ...(nodePath === undefined ? {} : { nodePath }),
    ...(bundle === undefined ? {} : { program: bundle.hostProgram }),
    ...(onOutput === undefined ? {} : { onOutput }),
  };
}

function stackSettings(
  azurite: StorageAccount,
  emulator: EmulatorHandle,
  isByIdentity: boolean,
): Record<string, string> {
  const storage = { AzureWebJobsStorage: azurite.connectionString, SNAPSHOT_STORAGE: azurite.connectionString };
  if (isByIdentity) {
    const ids = {
      PRIMARY_HUB_RESOURCE_ID: hubIdOf('primary', 'devices'),
      SECONDARY_HUB_RESOURCE_ID: hubIdOf('secondary', 'devices'),
    };
    return { ...storage, ...ids, ...emulator.arm };
  }
  return {
    ...storage,
    PRIMARY_HUB_CONNECTION: emulator.namespaces['primary']?.connectionString ?? '',
    PRIMARY_HUB_NAME: 'devices',
    SECONDARY_HUB_CONNECTION: emulator.namespaces['secondary']?.connectionString ?? '',
    SECONDARY_HUB_NAME: 'devices',
  };
}
