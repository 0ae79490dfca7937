import type { Hub } from '../emulator/hub.ts';
import type { JobFiles } from '../emulator/job-files.ts';
import { Namespace, type Tier } from '../emulator/namespace.ts';
import { type Listening, NamespaceServer } from '../emulator/namespace-server.ts';
import type { HubSwitches } from '../emulator/switches.ts';
import type { World } from '../emulator/world.ts';
import { AdminServer, type Lab } from './admin.ts';
import type { EmulatedHub } from './emulated-hub.ts';
import { EmulatedNamespace } from './emulated-namespace.ts';
import { Inboxes } from './inboxes.ts';
import { ResourceManager } from './resource-manager.ts';

export type { Fault, FaultInput } from '../emulator/faults.ts';
export type { HubSwitches } from '../emulator/switches.ts';
export type { EmulatedHub } from './emulated-hub.ts';
export type { EmulatedNamespace } from './emulated-namespace.ts';

export interface EmulatorOptions {
  /** `primary` and `secondary` with a hub `devices` each when absent. */
  readonly namespaces?: readonly NamespaceOptions[];
  /** 0 (default) = a free one. */
  readonly adminPort?: number;
  /** Of Resource Manager and the identity endpoint, likewise. */
  readonly armPort?: number;
  /** Time, delays and chance of all namespaces; the machine's own when absent. */
  readonly world?: World;
  /** What bulk jobs read and write; blobs over HTTP otherwise. */
  readonly files?: JobFiles;
}

export interface NamespaceOptions extends Listening {
  readonly name: string;
  /** Devices it takes, as a tier or a number; Standard by default. */
  readonly tier?: Tier;
  readonly hubs: readonly (string | { readonly name: string; readonly switches?: Partial<HubSwitches> })[];
}

/** Emulated namespaces, each listening on its own loopback port, Resource Manager, and the admin endpoint. */
export interface Emulator extends Lab, AsyncDisposable {
  /** Without a slash at the end. */
  readonly adminUrl: string;
  close(): Promise<void>;
}

const defaultNamespaces: readonly NamespaceOptions[] = [
  { name: 'primary', hubs: ['devices'] },
  { name: 'secondary', hubs: ['devices'] },
];

/** Starts all listeners, or none: rejects when a port is taken. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const inboxes = new Map<Hub, Inboxes>();
  const inboxesOf = (hub: Hub): Inboxes => {
    const found = inboxes.get(hub) ?? new Inboxes();
    inboxes.set(hub, found);
    return found;
  };
  const servers = (options.namespaces ?? defaultNamespaces).map((each) => createServer(each, inboxesOf, options));
  const namespaces = servers.map((server) => new EmulatedNamespace(server, inboxesOf));
  const find = (name: string): EmulatedNamespace => {
    const found = namespaces.find((each) => each.name.toLowerCase() === name.toLowerCase());
    if (found === undefined) throw new RangeError(`There is no namespace ${name}.`);
    return found;
  };
  const hub = (namespace: string, name: string): EmulatedHub => {
    const found = find(namespace).hubs.find((each) => each.name.toLowerCase() === name.toLowerCase());
    if (found === undefined) throw new RangeError(`There is no hub ${name} in namespace ${namespace}.`);
    return found;
  };
  const arm = new ResourceManager(namespaces);
  const admin = new AdminServer({ namespaces, namespace: find, hub, arm });
  const close = async (): Promise<void> => {
    await Promise.all([admin.close(), arm.close(), ...servers.map((server) => server.down())]);
  };
  try {
    for (const server of servers) await server.up();
    const adminUrl = await admin.listen(options.adminPort ?? 0);
    await arm.listen(options.armPort ?? 0);
    return { adminUrl, namespaces, namespace: find, hub, arm, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

function createServer(
  { name, tier, hubs, ...listening }: NamespaceOptions,
  inboxesOf: (hub: Hub) => Inboxes,
  { world, files }: EmulatorOptions,
): NamespaceServer {
  const namespace = new Namespace(name, { tier, world, files, push: (hub, push) => inboxesOf(hub).deliver(push) });
  for (const hub of hubs) {
    if (typeof hub === 'string') namespace.addHub(hub);
    else namespace.addHub(hub.name, hub.switches);
  }
  return new NamespaceServer(namespace, listening);
}
