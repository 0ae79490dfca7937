import { at, keysOf, listAt, ofType, type Resource, type Shape, settingsOf } from './shapes.ts';
import { lifecycleFaults } from './values.ts';

type Expected = Readonly<Record<string, unknown>>;

const storage: Expected = {
  'properties.allowSharedKeyAccess': false,
  'properties.allowBlobPublicAccess': false,
  'properties.allowCrossTenantReplication': false,
  'properties.minimumTlsVersion': 'TLS1_2',
  'properties.supportsHttpsTrafficOnly': true,
  'properties.isLocalUserEnabled': false,
  'properties.isSftpEnabled': false,
  'properties.dnsEndpointType': 'Standard',
  'properties.defaultToOAuthAuthentication': true,
  'properties.encryption.requireInfrastructureEncryption': true,
};
const openStorage: Expected = {
  'properties.publicNetworkAccess': 'Enabled',
  'properties.networkAcls.defaultAction': 'Allow',
  'properties.networkAcls.bypass': 'AzureServices',
};
const privateStorage: Expected = {
  'properties.publicNetworkAccess': 'Disabled',
  'properties.networkAcls.defaultAction': 'Deny',
  'properties.networkAcls.bypass': 'None',
};
const site: Expected = {
  'identity.type': 'UserAssigned',
  'properties.httpsOnly': true,
  'properties.clientAffinityEnabled': false,
  'properties.functionAppConfig.deployment.storage.authentication.type': 'UserAssignedIdentity',
  'tags.azd-service-name': 'app',
};

/** Properties by type of resource: what the checklist of docs/DEPLOY.md says of each shape. */
const expectedOf: Readonly<Record<string, Expected>> = {
  'Microsoft.Storage/storageAccounts': storage,
  'Microsoft.Storage/storageAccounts/blobServices': {
    'properties.deleteRetentionPolicy.enabled': true,
    'properties.containerDeleteRetentionPolicy.enabled': true,
  },
  'Microsoft.Storage/storageAccounts/blobServices/containers': { 'properties.publicAccess': 'None' },
  'Microsoft.Web/sites': site,
  'Microsoft.Web/sites/basicPublishingCredentialsPolicies': { 'properties.allow': false },
  'Microsoft.Insights/components': { 'properties.DisableLocalAuth': true },
  'Microsoft.OperationalInsights/workspaces': {
    'properties.features.disableLocalAuth': true,
    'properties.retentionInDays': 30,
  },
  'Microsoft.Network/privateDnsZones/virtualNetworkLinks': { 'properties.registrationEnabled': false },
};

export function securityFaults(shape: Shape): readonly string[] {
  const isPrivate = /^param isPrivate = true$/m.test(shape.source);
  return [
    ...shape.resources.flatMap((resource) => missing(resource, expectedOf[resource.type] ?? {})),
    ...ofType(shape, 'Microsoft.Storage/storageAccounts').flatMap((account) =>
      missing(account, isPrivate ? privateStorage : openStorage),
    ),
    ...snapshotFaults(shape),
    ...(isPrivate ? networkFaults(shape) : []),
    ...settingsOf(shape).flatMap(secretSettings),
    ...Object.entries(shape.outputs).flatMap(([name, value]) => secretsIn(`the output ${name}`, value)),
    ...shape.resources.flatMap((resource) => secretsIn(resource.name, resource)),
    ...shape.resources.flatMap(tagFaults),
    ...lifecycleFaults(shape),
    ...publishingFaults(shape),
  ];
}

function missing(resource: Resource, expected: Expected): readonly string[] {
  // A tag's name holds hyphens, no dots.
  return Object.entries(expected)
    .filter(([path, value]) => at(resource, path) !== value)
    .map(([path, value]) => `${resource.name}: ${path} is ${JSON.stringify(at(resource, path))}, not ${value}`);
}

/** Overwritten snapshots can be brought back, former versions end, and a lock keeps the account. */
function snapshotFaults(shape: Shape): readonly string[] {
  return ofType(shape, 'Microsoft.Storage/storageAccounts')
    .filter(({ name }) => name.startsWith('stsnap'))
    .flatMap(({ id, name }) => {
      const under = (type: string): readonly Resource[] =>
        shape.resources.filter((one) => one.type === type && one.id.startsWith(`${id}/`));
      const isVersioned = under('Microsoft.Storage/storageAccounts/blobServices').every(
        (blobs) => at(blobs, 'properties.isVersioningEnabled') === true,
      );
      return [
        ...(isVersioned ? [] : [`${name} keeps no versions`]),
        ...(under('Microsoft.Storage/storageAccounts/managementPolicies').length === 1
          ? []
          : [`versions of ${name} never end`]),
        ...(under('Microsoft.Authorization/locks').length === 1 ? [] : [`${name} has no lock`]),
      ];
    });
}

/** An endpoint for each service in use, in a subnet of their own; the app's subnet is delegated to it. */
function networkFaults(shape: Shape): readonly string[] {
  const endpoints = ofType(shape, 'Microsoft.Network/privateEndpoints').map(({ name }) =>
    name.replace(/^pe-st([a-z]+?)[a-z0-9]{13}-/, '$1 '),
  );
  const subnets = ofType(shape, 'Microsoft.Network/virtualNetworks').flatMap((network) =>
    listAt(network, 'properties.subnets'),
  );
  const delegated = subnets.map((subnet) => at(subnet, 'properties.delegations.0.properties.serviceName'));
  const policies = subnets.flatMap((subnet) =>
    ['privateEndpointNetworkPolicies', 'privateLinkServiceNetworkPolicies'].map((name) =>
      at(subnet, `properties.${name}`),
    ),
  );
  const isJoined = ofType(shape, 'Microsoft.Web/sites').every(
    (one) => at(one, 'properties.virtualNetworkSubnetId') !== undefined,
  );
  return [
    ...(endpoints.toSorted().join() === 'host blob,host queue,snap blob'
      ? []
      : [`private endpoints are ${endpoints.join()}`]),
    ...(delegated.join() === 'Microsoft.App/environments,' ? [] : ['the subnet of the app is not delegated to it']),
    ...(policies.every((policy) => policy === 'Disabled') ? [] : ['a subnet has policies for endpoints']),
    ...(isJoined ? [] : ['the app is not in its network']),
  ];
}

/** Hubs and addresses may be secrets: they come as secure parameters. Everything else has no key in it. */
const mayBeSecret = /^(PRIMARY|SECONDARY|DRILL)_HUB_CONNECTION$|^(HEARTBEAT_URL|ALERT_WEBHOOK_URL)$/;

function secretSettings(settings: Readonly<Record<string, unknown>>): readonly string[] {
  const byIdentity = ['AzureWebJobsStorage', 'SNAPSHOT_STORAGE'].map((prefix) => settings[`${prefix}__credential`]);
  const telemetry = `${settings['APPLICATIONINSIGHTS_AUTHENTICATION_STRING']}`;
  return [
    ...(byIdentity.every((credential) => credential === 'managedidentity')
      ? []
      : ['storage is not reached by identity']),
    ...(telemetry.includes('ClientId={0};Authorization=AAD') ? [] : ['telemetry is not sent with a token']),
    ...Object.entries(settings)
      .filter(
        ([name, value]) => mayBeSecret.test(name) !== /parameters\('(hubConnections|webhooks)'\)/.test(`${value}`),
      )
      .map(([name]) => `the setting ${name} is no secure parameter, or is one without need`),
  ];
}

function secretsIn(what: string, value: unknown): readonly string[] {
  const text = JSON.stringify(value);
  const found = /listKeys\(|listAccountSas|AccountKey=|SharedAccessKey=|sig=|InstrumentationKey=/i.exec(text)?.[0];
  return found === undefined ? [] : [`${what} holds a secret: ${found}`];
}

/** Types that take no tags. */
const untagged =
  /^Microsoft\.(Authorization|Insights\/diagnosticSettings)|\/(blobServices|config|basicPublishing|managementPolicies|virtualNetworkLinks|privateDnsZoneGroups)/;

function tagFaults({ type, name, tags }: Resource): readonly string[] {
  return untagged.test(type) || tags['azd-env-name'] !== undefined ? [] : [`${name} has no tag azd-env-name`];
}

function publishingFaults(shape: Shape): readonly string[] {
  return ofType(shape, 'Microsoft.Web/sites').flatMap((one) => {
    const policies = shape.resources.filter(
      ({ type, id }) => type.endsWith('/basicPublishingCredentialsPolicies') && id.startsWith(`${one.id}/`),
    );
    const assigned = Object.keys(keysOf(at(one, 'identity.userAssignedIdentities')));
    return [
      ...(policies.map(({ name }) => name.split('/')[1]).join() === 'ftp,scm'
        ? []
        : [`${one.name} takes a publishing password`]),
      ...(assigned.length === 1 ? [] : [`${one.name} has ${assigned.length} identities`]),
    ];
  });
}
