import {
  appSettings
  hubs as hubsType
  hubConnections as connectionsType
  storageRedundancy
  webhooks as webhooksType
} from 'types.bicep'

targetScope = 'subscription'

@description('Name of the environment: the group and the names of all resources come from it.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Region of the app, its storage and its monitoring: that of the SECONDARY hub. Nothing that a restore needs may be in the region of the primary.')
@metadata({ azd: { type: 'location' } })
param location string

@description('Region of the primary hub. The deployment refuses to put anything else there.')
@metadata({ azd: { type: 'location' } })
param primaryLocation string

@description('The pair of hubs.')
param hubs hubsType

@description('Connection strings, where the app is to get no role on the hubs, or not only that.')
param hubConnections connectionsType = {}

@description('Resource ids of the secrets that hubConnections and webhooks refer to: the app may read these.')
param secretIds string[] = []

@description('Object ids of the identities of backends that write both hubs through the library. Each may then read the snapshots, and write what it intends beside them.')
param backendPrincipalIds string[] = []

@description('Lets the app compare push credentials: Azure Resource Manager returns them in clear. Off: the answer is unknown.')
param readsPushCredentials bool = false

@description('Settings of the app.')
param settings appSettings = {}

@description('Addresses that may hold keys.')
param webhooks webhooksType = {}

@description('Who gets a mail when an alert rule finds something.')
param alertEmails string[] = []

@description('Version of Node: 24 where az functionapp list-flexconsumption-runtimes names it for the region.')
param nodeVersion '22' | '24' = '22'

@description('512 MB is a quarter of a core: enough for any hub, but a restore takes longer.')
param instanceMemoryMB 512 | 2048 | 4096 = 2048

@description('Most instances of each function. It bounds the load on the hubs: each instance has up to MAX_CONCURRENCY requests in flight.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 4

@description('Instances of each queue function that are always ready, and always paid for.')
@minValue(0)
@maxValue(20)
param warmSteps int = 0

@description('Spreads app and storage over the zones of the region. Two instances of each of eleven groups are then always paid for.')
param isZoneRedundant bool = false

@description('Redundancy of the storage of host and steps. LRS where the region has no zones.')
param hostRedundancy storageRedundancy = 'Standard_ZRS'

@description('Redundancy of the snapshots. Copies of GRS are in the paired region.')
param snapshotRedundancy storageRedundancy = 'Standard_ZRS'

@description('Days for which deleted and overwritten blobs of the snapshot storage can be brought back.')
@minValue(1)
@maxValue(365)
param recoveryDays int = 7

@description('Days for which no version of a snapshot can be deleted; 0: none. At most what retention and erasure allow. Only at creation.')
@minValue(0)
@maxValue(365)
param immutableDays int = 0

@description('Resource id of a key in a vault of this region, for the snapshots; empty: a key of the service.')
param encryptionKeyId string = ''

@description('Locks the snapshots, and hubs that are created here, against deletion.')
param isLocked bool = true

@description('Logs each read, write and deletion of a snapshot. Costs by the request.')
param isAudited bool = false

@description('A virtual network of its own; storage is reached through private endpoints only.')
param isPrivate bool = false

@description('Address space of that network.')
param addressSpace string = '10.90.0.0/23'

@description('Whether the app can be called from outside the network. Disabled needs a private endpoint, or a gateway, of your own.')
param appPublicAccess 'Enabled' | 'Disabled' = 'Enabled'

var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }
var isApart = toLower(replace(location, ' ', '')) != toLower(replace(primaryLocation, ' ', ''))
var region = isApart ? location : fail('location must be the region of the secondary hub, not that of the primary.')

var packageContainer = 'app-package-${token}'
var snapshotContainer = 'hub-snapshots'
var hostStorageName = 'sthost${token}'
var snapshotStorageName = 'stsnap${token}'
var componentName = 'appi-${token}'

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${environmentName}'
  location: region
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: { location: region, tags: tags, name: 'id-${token}' }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: { location: region, tags: tags, workspaceName: 'log-${token}', componentName: componentName }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    location: region
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    actionGroupName: 'ag-${token}'
    emails: alertEmails
    owner: token
  }
}

// The hubs: ids of what exists, or of what is created here.
var isNew = hubs.kind == 'new'
var newPrimary = 'nh-${token}-primary'
var newSecondary = 'nh-${token}-secondary'
var newIds = {
  primary: '${group.id}/providers/Microsoft.NotificationHubs/namespaces/${newPrimary}/notificationHubs/${hubs.?hubName}'
  secondary: '${group.id}/providers/Microsoft.NotificationHubs/namespaces/${newSecondary}/notificationHubs/${hubs.?hubName}'
  drill: hubs.?scratchHub ?? false
    ? '${group.id}/providers/Microsoft.NotificationHubs/namespaces/${newSecondary}/notificationHubs/${hubs.?hubName}-drill'
    : ''
}
var hubIds = isNew
  ? newIds
  : { primary: hubs.?primary ?? '', secondary: hubs.?secondary ?? '', drill: hubs.?drill ?? '' }
var accessIds = filter([hubIds.primary, hubIds.secondary, hubIds.drill], id => !empty(id))

module primaryNamespace 'modules/hubs.bicep' = if (isNew) {
  name: 'primary-namespace'
  scope: group
  params: {
    location: primaryLocation
    tags: tags
    namespaceName: newPrimary
    hubNames: [hubs.?hubName ?? '']
    sku: hubs.?sku ?? 'Standard'
    zoneRedundancy: hubs.?zoneRedundancy ?? 'Disabled'
    replicationRegion: hubs.?replicationRegion ?? 'Default'
    isLocked: isLocked
    workspaceId: monitoring.outputs.workspaceId
  }
}

module secondaryNamespace 'modules/hubs.bicep' = if (isNew) {
  name: 'secondary-namespace'
  scope: group
  params: {
    location: region
    tags: tags
    namespaceName: newSecondary
    hubNames: concat([hubs.?hubName ?? ''], hubs.?scratchHub ?? false ? ['${hubs.?hubName}-drill'] : [])
    sku: hubs.?sku ?? 'Standard'
    zoneRedundancy: hubs.?zoneRedundancy ?? 'Disabled'
    replicationRegion: 'None'
    isLocked: isLocked
    workspaceId: monitoring.outputs.workspaceId
  }
}

module hubAccess 'modules/hub-access.bicep' = [
  for id in accessIds: {
    name: 'hub-access-${uniqueString(id, token)}'
    scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
    params: {
      namespaceName: split(id, '/')[8]
      hubName: split(id, '/')[10]
      principalId: identity.outputs.principalId
      owner: token
      readsPushCredentials: readsPushCredentials
    }
    dependsOn: [primaryNamespace, secondaryNamespace]
  }
]

// The storage, with its key where it has one of its own.
module encryptionIdentity 'modules/identity.bicep' = if (!empty(encryptionKeyId)) {
  name: 'encryption-identity'
  scope: group
  params: { location: region, tags: tags, name: 'id-encryption-${token}' }
}

// Without a key the parts are of this group, in case they are evaluated.
var keyParts = split(empty(encryptionKeyId) ? group.id : encryptionKeyId, '/')

module encryptionAccess 'modules/encryption-access.bicep' = if (!empty(encryptionKeyId)) {
  name: 'encryption-access-${token}'
  scope: resourceGroup(keyParts[2], keyParts[4])
  params: {
    vaultName: keyParts[?8] ?? ''
    keyName: keyParts[?10] ?? ''
    principalId: encryptionIdentity!.outputs.principalId
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    location: region
    tags: tags
    hostName: hostStorageName
    snapshotsName: snapshotStorageName
    packageContainer: packageContainer
    snapshotContainer: snapshotContainer
    hostRedundancy: hostRedundancy
    snapshotRedundancy: snapshotRedundancy
    isPrivate: isPrivate
    recoveryDays: recoveryDays
    immutableDays: immutableDays
    isLocked: isLocked
    isAudited: isAudited
    workspaceId: monitoring.outputs.workspaceId
    encryption: empty(encryptionKeyId)
      ? null
      : {
          identityId: encryptionIdentity!.outputs.id
          keyName: keyParts[?10] ?? ''
          vaultUri: encryptionAccess!.outputs.vaultUri
        }
  }
}

module network 'modules/network.bicep' = if (isPrivate) {
  name: 'network'
  scope: group
  params: {
    location: region
    tags: tags
    name: 'vnet-${token}'
    addressSpace: addressSpace
    endpoints: [
      { account: hostStorageName, service: 'blob' }
      { account: hostStorageName, service: 'queue' }
      { account: snapshotStorageName, service: 'blob' }
    ]
  }
  dependsOn: [storage]
}

module appAccess 'modules/app-access.bicep' = {
  name: 'app-access'
  scope: group
  params: {
    principalId: identity.outputs.principalId
    hostStorageName: hostStorageName
    snapshotStorageName: snapshotStorageName
    snapshotContainer: snapshotContainer
    componentName: componentName
    hasJobs: (settings.?BACKUP_SOURCE ?? 'list') != 'list' || (settings.?RESTORE_WRITER ?? 'direct') != 'direct'
  }
  dependsOn: [storage, monitoring]
}

module backendAccess 'modules/backend-access.bicep' = if (!empty(backendPrincipalIds)) {
  name: 'backend-access'
  scope: group
  params: {
    principalIds: backendPrincipalIds
    snapshotStorageName: snapshotStorageName
    snapshotContainer: snapshotContainer
    owner: token
  }
  dependsOn: [storage]
}

module secretAccess 'modules/secret-access.bicep' = [
  for id in secretIds: {
    name: 'secret-access-${uniqueString(id, token)}'
    scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
    params: {
      vaultName: split(id, '/')[8]
      secretName: split(id, '/')[10]
      principalId: identity.outputs.principalId
    }
  }
]

module app 'modules/app.bicep' = {
  name: 'app'
  scope: group
  params: {
    location: region
    tags: tags
    name: 'func-${token}'
    planName: 'plan-${token}'
    isZoneRedundant: isZoneRedundant
    nodeVersion: nodeVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    warmSteps: warmSteps
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    hostBlobUri: storage.outputs.hostBlobUri
    packageContainer: packageContainer
    snapshotBlobUri: storage.outputs.blobUri
    snapshotContainer: snapshotContainer
    queueUri: storage.outputs.queueUri
    telemetryConnection: monitoring.outputs.connectionString
    isPrivate: isPrivate
    subnetId: isPrivate ? network!.outputs.appSubnetId : ''
    publicNetworkAccess: appPublicAccess
    hubs: {
      primaryId: hubIds.primary
      primaryName: hubs.?primaryName ?? ''
      secondaryId: hubIds.secondary
      secondaryName: hubs.?secondaryName ?? ''
      drillId: hubIds.drill
      drillName: hubs.?drillName ?? ''
    }
    hubConnections: hubConnections
    settings: settings
    webhooks: webhooks
  }
  dependsOn: [appAccess, hubAccess, secretAccess]
}

// azd keeps outputs as variables: hubs that were created are existing ones from then on, and not sent again.
output AZURE_RESOURCE_GROUP string = group.name
output APP_NAME string = 'func-${token}'
output SNAPSHOT_STORAGE_NAME string = snapshotStorageName
output APP_HOST_NAME string = app.outputs.hostName
output PRIMARY_HUB_RESOURCE_ID string = hubIds.primary
output SECONDARY_HUB_RESOURCE_ID string = hubIds.secondary
output DRILL_HUB_RESOURCE_ID string = hubIds.drill
