import type { AccessRule } from '../emulator/sas.ts';
import type { EmulatedHub } from './emulated-hub.ts';
import type { EmulatedNamespace } from './emulated-namespace.ts';

/** What a role may allow: reading keys, reading settings, reading push credentials in clear. */
export const roles = ['keys', 'read', 'pushCredentials'] as const;

export type Role = (typeof roles)[number];

/** What a call is about, and its answer once it is allowed. */
export interface ArmAnswer {
  readonly role: Role;
  readonly namespace?: string | undefined;
  readonly give: () => { readonly status: number; readonly body: unknown };
}

const provider =
  /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.NotificationHubs\/namespaces\/(?<ns>[^/]+)(?:\/notificationHubs\/(?<hub>[^/]+))?(?<rest>\/.*)?$/i;

const apiVersions = ['2023-09-01', '2023-10-01-preview'];

export function hubIdOf(namespace: string, hub: string): string {
  return `/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/emulator/providers/Microsoft.NotificationHubs/namespaces/${namespace}/notificationHubs/${hub}`;
}

export function refuse(status: number, code: string) {
  return { status, body: { error: { code, message: `The emulator refuses: ${code}.` } } };
}

export function answerArm(namespaces: readonly EmulatedNamespace[], method: string, url: URL): ArmAnswer {
  const { ns, hub: hubName, rest = '' } = provider.exec(decodeURIComponent(url.pathname))?.groups ?? {};
  const namespace = namespaces.find(({ name }) => isSame(name, ns));
  const hub = namespace?.hubs.find(({ name }) => isSame(name, hubName));
  const route = `${method} ${rest.toLowerCase()}`;
  const about = (role: Role, body: () => unknown): ArmAnswer => ({
    role,
    namespace: namespace?.name,
    give: () => {
      const found = body();
      return found === undefined ? refuse(404, 'ResourceNotFound') : { status: 200, body: found };
    },
  });
  if (!apiVersions.includes(url.searchParams.get('api-version') ?? '')) {
    return { role: 'read', give: () => refuse(400, 'InvalidApiVersionParameter') };
  }
  if (namespace === undefined || (hubName !== undefined && hub === undefined)) return about('read', () => undefined);
  const rules = () => namespace.policies(hub?.name);
  const ruleName = /^post \/authorizationrules\/(?<name>[^/]+)\/listkeys$/.exec(route.toLowerCase())?.groups?.['name'];
  if (ruleName !== undefined) {
    return about('keys', () =>
      keysOf(
        namespace,
        rules().find(({ name }) => isSame(name, ruleName)),
      ),
    );
  }
  if (route === 'GET /authorizationrules') return about('read', () => ({ value: rules().map(ruleView) }));
  if (route === 'POST /pnscredentials' && hub !== undefined) {
    return about('pushCredentials', () => ({ properties: namespace.metadata.pushCredentials[hub.name] ?? {} }));
  }
  if (route === 'GET /notificationhubs') return about('read', () => ({ value: namespace.hubs.map(hubView) }));
  if (route !== 'GET ') return about('read', () => undefined);
  return about('read', () => (hub === undefined ? namespaceView(namespace) : hubView(hub)));
}

function isSame(name: string, wanted: string | undefined): boolean {
  return name.toLowerCase() === wanted?.toLowerCase();
}

function keysOf({ url }: EmulatedNamespace, rule: AccessRule | undefined): unknown {
  if (rule === undefined) return undefined;
  const [primaryKey, secondaryKey] = rule.keys;
  const text = (key: string) => `Endpoint=${url}/;SharedAccessKeyName=${rule.name};SharedAccessKey=${key}`;
  return {
    primaryConnectionString: text(primaryKey),
    secondaryConnectionString: text(secondaryKey),
    primaryKey,
    secondaryKey,
    keyName: rule.name,
  };
}

function ruleView({ name, rights }: AccessRule): unknown {
  return { name, properties: { rights } };
}

function namespaceView({ name, metadata }: EmulatedNamespace): unknown {
  const { location, sku, pushCredentials: _, ...properties } = metadata;
  return { name, location, sku: { name: sku }, properties: { ...properties, namespaceType: 'NotificationHub' } };
}

function hubView(hub: EmulatedHub): unknown {
  const { name } = hub;
  const dailyMaxActiveDevices = hub.devices();
  return { name, properties: { name, registrationTtl: '10675199.02:48:05.4775807', dailyMaxActiveDevices } };
}
