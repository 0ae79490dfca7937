import { type Fault, type FaultInput, faultRulesSchema } from '../emulator/faults.ts';
import type { Hub } from '../emulator/hub.ts';
import type { Intercept, NamespaceServer } from '../emulator/namespace-server.ts';
import type { AccessRule } from '../emulator/sas.ts';
import { EmulatedHub } from './emulated-hub.ts';
import type { Inboxes } from './inboxes.ts';

/** What Resource Manager knows of a namespace. */
export interface NamespaceMetadata {
  readonly location: string;
  readonly sku: 'Free' | 'Basic' | 'Standard';
  readonly replicationRegion: string;
  readonly zoneRedundancy: 'Enabled' | 'Disabled';
  readonly publicNetworkAccess: 'Enabled' | 'Disabled';
  readonly networkAcls?: {
    readonly ipRules: readonly { readonly ipMask: string; readonly rights: readonly string[] }[];
    readonly publicNetworkRule: { readonly rights: readonly string[] };
  };
  /** By hub: `{ apnsCredential: { properties: … } }`. */
  readonly pushCredentials: Readonly<Record<string, object>>;
}

/** A namespace as a test sees it. */
export class EmulatedNamespace {
  readonly name: string;
  metadata: NamespaceMetadata;
  readonly #server: NamespaceServer;
  readonly #inboxesOf: (hub: Hub) => Inboxes;

  constructor(server: NamespaceServer, inboxesOf: (hub: Hub) => Inboxes) {
    this.name = server.namespace.name;
    this.metadata = {
      location: this.name === 'primary' ? 'West Europe' : 'North Europe',
      sku: 'Standard',
      replicationRegion: 'Default',
      zoneRedundancy: 'Disabled',
      publicNetworkAccess: 'Enabled',
      pushCredentials: {},
    };
    this.#server = server;
    this.#inboxesOf = inboxesOf;
  }

  /** Without a slash at the end. */
  get url(): string {
    return this.#server.url;
  }

  get port(): number {
    return this.#server.port;
  }

  get hubs(): readonly EmulatedHub[] {
    return [...this.#server.namespace.hubs.values()].map((hub) => new EmulatedHub(hub, this.#inboxesOf(hub)));
  }

  /** Of a hub, or of the namespace itself. */
  policies(hub?: string): readonly AccessRule[] {
    const { namespace } = this.#server;
    return hub === undefined ? namespace.rules() : namespace.hubRules(hub);
  }

  /** Of the namespace's full rule, or of a hub's rule given as `hub/rule`. @throws RangeError for an unknown rule. */
  connectionString(rule = 'RootManageSharedAccessKey'): string {
    const [hubName, ruleName = ''] = rule.split('/');
    const rules = this.policies(ruleName === '' ? undefined : hubName);
    const wanted = ruleName === '' ? rule : ruleName;
    const found = rules.find(({ name }) => name === wanted);
    if (found === undefined) throw new RangeError(`There is no rule ${rule}; a hub's rule is given as hub/rule.`);
    return `Endpoint=${this.url}/;SharedAccessKeyName=${found.name};SharedAccessKey=${found.keys[0]}`;
  }

  /** Stops listening and destroys connections: clients see a refused connection. */
  down(): Promise<void> {
    return this.#server.down();
  }

  /** Listens on the same port again. */
  up(): Promise<void> {
    return this.#server.up();
  }

  /** All keys change; connection strings given out before are worthless. */
  rotateKeys(): void {
    this.#server.namespace.rotateKeys();
  }

  /** One hook over every request, for faults; undefined takes it away. */
  intercept(hook: Intercept | undefined): void {
    this.#server.intercept = hook;
  }

  setLatency(latencyMs: number): void {
    this.#server.latencyMs = latencyMs;
  }

  /** Puts these rules in place of the ones before. @throws ZodError for a rule that makes no sense. */
  setFaults(rules: readonly FaultInput[]): void {
    const parsed = faultRulesSchema.parse(rules);
    this.#server.faults = parsed.map((rule) => ({ rule, matchedCount: 0, injectedCount: 0 }));
  }

  /** The rules, with how often each was injected. */
  faults(): readonly Fault[] {
    return this.#server.faults;
  }
}
