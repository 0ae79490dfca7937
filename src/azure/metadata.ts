import { DrError } from '../core/errors.ts';
import { type HubMetadata, type Rights, tierNamed } from '../core/readiness/metadata.ts';
import type { Arm } from './arm.ts';
import { fieldOf, listIn, textIn } from './fields.ts';
import type { HubResource } from './hub-resource.ts';

/**
 * What Resource Manager tells of a hub and its namespace, each part by a call of its own, so that a role that allows less
 * gives less. Never throws. Of push credentials, which are answered in clear, only their names are kept.
 */
export async function readHubMetadata(arm: Arm, resource: HubResource): Promise<HubMetadata> {
  const { namespace, hub, namespaceId, hubId } = resource;
  const faults = new Set<string>();
  const read = async (method: 'GET' | 'POST', path: string, what: string): Promise<unknown> => {
    try {
      return await arm.call(method, path, what);
    } catch (error) {
      if (!(error instanceof DrError)) throw error;
      faults.add(error.message);
      return undefined;
    }
  };
  const ofNamespace = `namespace ${namespace}`;
  const ofHub = `hub ${namespace}/${hub}`;
  const [space, itself, hubRules, spaceRules, hubs, credentials] = await Promise.all([
    read('GET', namespaceId, `the settings of ${ofNamespace}`),
    read('GET', hubId, `the settings of ${ofHub}`),
    read('GET', `${hubId}/authorizationRules`, `the access policies of ${ofHub}`),
    read('GET', `${namespaceId}/authorizationRules`, `the access policies of ${ofNamespace}`),
    read('GET', `${namespaceId}/notificationHubs`, `the hubs of ${ofNamespace}`),
    read('POST', `${hubId}/pnsCredentials`, `the push credentials of ${ofHub}`),
  ]);
  const properties = fieldOf(space, 'properties');
  return {
    location: textIn(space, 'location'),
    tier: tierNamed(textIn(fieldOf(space, 'sku'), 'name')),
    replicationRegion: textIn(properties, 'replicationRegion'),
    zoneRedundancy: textIn(properties, 'zoneRedundancy'),
    publicNetworkAccess: textIn(properties, 'publicNetworkAccess'),
    ipRules: space === undefined ? undefined : ipRulesIn(fieldOf(properties, 'networkAcls')),
    policies:
      hubRules && spaceRules ? { ...policiesIn('namespace', spaceRules), ...policiesIn('hub', hubRules) } : undefined,
    registrationTtl: textIn(fieldOf(itself, 'properties'), 'registrationTtl'),
    pushCredentials: credentials === undefined ? undefined : platformsIn(fieldOf(credentials, 'properties')),
    devicesOfOthers: hubs === undefined ? undefined : devicesBeside(hub, hubs),
    faults: [...faults],
  };
}

function rightsIn(value: unknown): string {
  return listIn(value, 'rights').map(String).sort().join(', ');
}

function policiesIn(level: 'hub' | 'namespace', answer: unknown): Rights {
  const rules = listIn(answer, 'value').map((rule) => {
    return [`${level} ${textIn(rule, 'name')}`, rightsIn(fieldOf(rule, 'properties'))] as const;
  });
  return Object.fromEntries(rules);
}

function ipRulesIn(acls: unknown): Rights {
  const rules = listIn(acls, 'ipRules').map((rule) => [textIn(rule, 'ipMask') ?? '', rightsIn(rule)] as const);
  const others = fieldOf(acls, 'publicNetworkRule');
  return Object.fromEntries(others === undefined ? rules : [...rules, ['everyone else', rightsIn(others)] as const]);
}

/** By the name of the credential the platform as rows name it. */
const platformOf: Readonly<Record<string, string>> = {
  admCredential: 'Adm',
  apnsCredential: 'Apple',
  baiduCredential: 'Baidu',
  browserCredential: 'Browser',
  fcmV1Credential: 'FcmV1',
  gcmCredential: 'Gcm',
  mpnsCredential: 'Mpns',
  wnsCredential: 'Windows',
  xiaomiCredential: 'Xiaomi',
};

function platformsIn(properties: unknown): readonly string[] {
  const isSet = (name: string): boolean => {
    const credential = fieldOf(fieldOf(properties, name), 'properties');
    if (typeof credential !== 'object' || credential === null) return false;
    return Object.values(credential).some((part) => part !== null && part !== '');
  };
  return Object.entries(platformOf).flatMap(([name, platform]) => (isSet(name) ? [platform] : []));
}

function devicesBeside(hub: string, hubs: unknown): number | undefined {
  const others = listIn(hubs, 'value').filter((one) => shortName(one) !== hub.toLowerCase());
  const counts = others.map((one) => fieldOf(fieldOf(one, 'properties'), 'dailyMaxActiveDevices'));
  return counts.every((count) => typeof count === 'number') ? counts.reduce((sum, count) => sum + count, 0) : undefined;
}

/** A list names a hub with or without its namespace. */
function shortName(hub: unknown): string | undefined {
  return textIn(hub, 'name')?.split('/').at(-1)?.toLowerCase();
}
