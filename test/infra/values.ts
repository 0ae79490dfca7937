import { at, keysOf, listAt, type Resource, type Shape } from './shapes.ts';

/** Values that the compiler does not check: to it, any text will do. */
const allowed: Readonly<Record<string, Readonly<Record<string, readonly unknown[]>>>> = {
  'Microsoft.Web/serverfarms': { 'sku.name': ['FC1'], 'sku.tier': ['FlexConsumption'], 'properties.reserved': [true] },
  'Microsoft.Web/sites': {
    kind: ['functionapp,linux'],
    'properties.functionAppConfig.runtime.name': ['node'],
    'properties.functionAppConfig.runtime.version': ['22', '24'],
    'properties.functionAppConfig.scaleAndConcurrency.instanceMemoryMB': [512, 2048, 4096],
    'properties.functionAppConfig.deployment.storage.type': ['blobContainer'],
    'properties.siteConfig.minTlsVersion': ['1.2', '1.3'],
    'properties.siteConfig.scmMinTlsVersion': ['1.2', '1.3'],
  },
  'Microsoft.Storage/storageAccounts': {
    kind: ['StorageV2'],
    'sku.name': ['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'],
    'properties.encryption.keySource': ['Microsoft.Storage', 'Microsoft.Keyvault'],
  },
  'Microsoft.NotificationHubs/namespaces': {
    'sku.name': ['Free', 'Basic', 'Standard'],
    'properties.replicationRegion': [
      ...['Default', 'None', 'WestUs2', 'NorthEurope', 'AustraliaEast', 'BrazilSouth', 'SouthEastAsia'],
      'SouthAfricaNorth',
    ],
    'properties.zoneRedundancy': ['Enabled', 'Disabled'],
    'properties.publicNetworkAccess': ['Enabled'],
  },
  'Microsoft.Authorization/locks': { 'properties.level': ['CanNotDelete'] },
  'Microsoft.Authorization/roleAssignments': { 'properties.principalType': ['ServicePrincipal'] },
  'Microsoft.Authorization/roleDefinitions': { 'properties.type': ['CustomRole'] },
  'Microsoft.OperationalInsights/workspaces': { 'properties.sku.name': ['PerGB2018'] },
  'Microsoft.Insights/components': { kind: ['web'], 'properties.Application_Type': ['web'] },
  'Microsoft.Insights/scheduledQueryRules': {
    kind: ['LogAlert'],
    'properties.severity': [0, 1, 2, 3, 4],
    'properties.evaluationFrequency': ['PT5M', 'PT10M', 'PT15M'],
    'properties.windowSize': ['PT5M', 'PT10M', 'PT15M', 'PT30M', 'PT1H'],
    'properties.criteria.allOf.0.timeAggregation': ['Count'],
    'properties.criteria.allOf.0.operator': ['GreaterThan', 'LessThan'],
  },
  'Microsoft.Insights/workbooks': { kind: ['shared'], 'properties.category': ['workbook'] },
  'Microsoft.Network/privateEndpoints': {
    'properties.privateLinkServiceConnections.0.properties.groupIds.0': ['blob', 'queue'],
  },
};

/** Versions that came as previews and never as anything else. */
const previews: ReadonlySet<string> = new Set(['Microsoft.Insights/diagnosticSettings']);

export function wrongValues(shape: Shape): readonly string[] {
  return shape.resources.flatMap((resource) => [
    ...Object.entries(allowed[resource.type] ?? {})
      .filter(([path, values]) => !values.includes(at(resource, path)))
      .map(([path]) => `${resource.name}: ${path} cannot be ${JSON.stringify(at(resource, path))}`),
    ...nameFaults(resource),
    ...(resource.apiVersion.endsWith('-preview') && !previews.has(resource.type)
      ? [`${resource.type} is of a preview, ${resource.apiVersion}`]
      : []),
  ]);
}

/** Microsoft Learn, "Naming rules and restrictions for Azure resources". */
const names: Readonly<Record<string, RegExp>> = {
  'Microsoft.Storage/storageAccounts': /^[a-z0-9]{3,24}$/,
  'Microsoft.Storage/storageAccounts/blobServices/containers':
    /^[a-z0-9]+\/default\/(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$/,
  'Microsoft.NotificationHubs/namespaces': /^[a-zA-Z][a-zA-Z0-9-]{0,49}$/,
  // The host's id is the first 32 characters: two apps whose names start alike would take each other for themselves.
  'Microsoft.Web/sites': /^[a-z0-9-]{2,32}$/,
};

function nameFaults({ type, name }: Resource): readonly string[] {
  return names[type]?.test(name) === false ? [`${type} cannot have the name ${name}`] : [];
}

/** Rules of the lifecycle delete former versions only: the app's own retention decides about snapshots. */
export function lifecycleFaults(shape: Shape): readonly string[] {
  return shape.resources
    .filter(({ type }) => type === 'Microsoft.Storage/storageAccounts/managementPolicies')
    .flatMap((policy) => listAt(policy, 'properties.policy.rules'))
    .flatMap((rule) => Object.keys(keysOf(at(rule, 'definition.actions'))))
    .filter((action) => action !== 'version')
    .map((action) => `the lifecycle has an action on ${action}`);
}
