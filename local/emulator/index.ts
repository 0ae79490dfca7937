import { AdminServer } from './admin.ts';
import { type EmulatedHub, emulatedHub } from './emulated-hub.ts';
import { type Fault, type FaultInput, faultRulesSchema } from './faults.ts';
import { Namespace, type Tier } from './namespace.ts';
import { type Intercept, NamespaceServer } from './namespace-server.ts';
import type { HubSwitches } from './switches.ts';

export type { EmulatedHub } from './emulated-hub.ts';
export type { Fault, FaultInput } from './faults.ts';
export type { HubSwitches } from './switches.ts';

export interface EmulatorOptions {
  /** `primary` and `secondary` with a hub `devices` each when absent. */
  readonly namespaces?: readonly NamespaceOptions[];
  /** 0 (default) = a free one. */
  readonly adminPort?: number;
}

export interface NamespaceOptions {
  readonly name: string;
  /** 0 (default) = a free one. */
  readonly port?: number;
  /** Devices it takes, as a tier or a number; Standard by default. */
  readonly tier?: Tier;
  readonly hubs: readonly (string | { readonly name: string; readonly switches?: Partial<HubSwitches> })[];
  /** Added to every answer. */
  readonly latencyMs?: number;
}

/** Emulated namespaces, each listening on its own loopback port, and the admin endpoint. */
export interface Emulator extends AsyncDisposable {
  /** Without a slash at the end. */
  readonly adminUrl: string;
  readonly namespaces: readonly EmulatedNamespace[];
  /** @throws RangeError when there is none of that name. */
  namespace(name: string): EmulatedNamespace;
  /** @throws RangeError when there is none of that name. */
  hub(namespace: string, hub: string): EmulatedHub;
  close(): Promise<void>;
}

export interface EmulatedNamespace {
  readonly name: string;
  /** Without a slash at the end. */
  readonly url: string;
  readonly port: number;
  readonly hubs: readonly EmulatedHub[];
  /** Of the namespace's full rule, or of a hub's rule given as `hub/rule`. @throws RangeError for an unknown rule. */
  connectionString(rule?: string): string;
  /** Stops listening and destroys connections: clients see a refused connection. */
  down(): Promise<void>;
  /** Listens on the same port again. */
  up(): Promise<void>;
  /** All keys change; connection strings given out before are worthless. */
  rotateKeys(): void;
  /** One hook over every request, for faults; undefined takes it away. */
  intercept(hook: Intercept | undefined): void;
  setLatency(latencyMs: number): void;
  /** Puts these rules in place of the ones before. @throws ZodError for a rule that makes no sense. */
  setFaults(rules: readonly FaultInput[]): void;
  /** The rules, with how often each was injected. */
  faults(): readonly Fault[];
}

const defaultNamespaces: readonly NamespaceOptions[] = [
  { name: 'primary', hubs: ['devices'] },
  { name: 'secondary', hubs: ['devices'] },
];

/** Starts all listeners, or none: rejects when a port is taken. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const servers = (options.namespaces ?? defaultNamespaces).map(createServer);
  const namespaces = servers.map(emulatedNamespace);
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
  const admin = new AdminServer({ namespaces, namespace: find, hub });
  const close = async (): Promise<void> => {
    await Promise.all([admin.close(), ...servers.map((server) => server.down())]);
  };
  try {
    for (const server of servers) await server.up();
    const adminUrl = await admin.listen(options.adminPort ?? 0);
    return { adminUrl, namespaces, namespace: find, hub, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

function createServer({ name, port = 0, tier, hubs, latencyMs = 0 }: NamespaceOptions): NamespaceServer {
  const namespace = new Namespace(name, tier);
  for (const hub of hubs) {
    if (typeof hub === 'string') namespace.addHub(hub);
    else namespace.addHub(hub.name, hub.switches);
  }
  return new NamespaceServer(namespace, port, latencyMs);
}

function emulatedNamespace(server: NamespaceServer): EmulatedNamespace {
  const { namespace } = server;
  return {
    name: namespace.name,
    get url() {
      return server.url;
    },
    get port() {
      return server.port;
    },
    get hubs() {
      return [...namespace.hubs.values()].map(emulatedHub);
    },
    connectionString: (rule) => connectionString(server, rule),
    down: () => server.down(),
    up: () => server.up(),
    rotateKeys: () => namespace.rotateKeys(),
    intercept: (hook) => {
      server.intercept = hook;
    },
    setLatency: (latencyMs) => {
      server.latencyMs = latencyMs;
    },
    setFaults: (rules) => {
      server.faults = faultRulesSchema.parse(rules).map((rule) => ({ rule, matchedCount: 0, injectedCount: 0 }));
    },
    faults: () => server.faults,
  };
}

function connectionString({ namespace, url }: NamespaceServer, rule = 'RootManageSharedAccessKey'): string {
  const [hubName, ruleName = ''] = rule.split('/');
  const rules = ruleName === '' ? namespace.rules() : namespace.hubRules(hubName ?? '');
  const wanted = ruleName === '' ? rule : ruleName;
  const found = rules.find(({ name }) => name === wanted);
  if (found === undefined) throw new RangeError(`There is no rule ${rule}; a hub's rule is given as hub/rule.`);
  return `Endpoint=${url}/;SharedAccessKeyName=${found.name};SharedAccessKey=${found.keys[0]}`;
}
