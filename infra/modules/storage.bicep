import { storageRedundancy } from '../types.bicep'

@description('Storage: one account for the Functions host, the package and the queues of steps; one for the snapshots alone, which hold personal data.')
param location string
param tags { *: string }
param hostName string
param snapshotsName string
param packageContainer string
param snapshotContainer string
param hostRedundancy storageRedundancy
param snapshotRedundancy storageRedundancy

@description('Private endpoints are the only way in.')
param isPrivate bool

@description('Days for which deleted and overwritten blobs can be brought back.')
param recoveryDays int

@description('Days for which no version of a snapshot can be deleted; 0: none.')
param immutableDays int

@description('Refuses the deletion of the snapshots, until the lock is removed by hand.')
param isLocked bool

@description('Logs each read, write and deletion of a snapshot.')
param isAudited bool
param workspaceId string

@description('Customer-managed key of the snapshots, with the identity that may use it; empty: a key of the service.')
param encryption {
  keyName: string
  vaultUri: string
  identityId: string
}?

var access = {
  allowBlobPublicAccess: false
  allowCrossTenantReplication: false
  allowSharedKeyAccess: false
  defaultToOAuthAuthentication: true
  dnsEndpointType: 'Standard'
  isLocalUserEnabled: false
  isSftpEnabled: false
  minimumTlsVersion: 'TLS1_2'
  networkAcls: isPrivate
    ? { bypass: 'None', defaultAction: 'Deny', ipRules: [], virtualNetworkRules: [] }
    : { bypass: 'AzureServices', defaultAction: 'Allow', ipRules: [], virtualNetworkRules: [] }
  publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
  supportsHttpsTrafficOnly: true
}

resource host 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: hostName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: hostRedundancy }
  properties: union(access, { encryption: { keySource: 'Microsoft.Storage', requireInfrastructureEncryption: true } })

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      containerDeleteRetentionPolicy: { enabled: true, days: 7 }
      deleteRetentionPolicy: { enabled: true, days: 7 }
    }

    resource package 'containers' = {
      name: packageContainer
      properties: { publicAccess: 'None' }
    }
  }
}

resource snapshots 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: snapshotsName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: snapshotRedundancy }
  identity: empty(encryption)
    ? { type: 'None' }
    : { type: 'UserAssigned', userAssignedIdentities: { '${encryption!.identityId}': {} } }
  properties: union(access, {
    encryption: empty(encryption)
      ? { keySource: 'Microsoft.Storage', requireInfrastructureEncryption: true }
      : {
          keySource: 'Microsoft.Keyvault'
          requireInfrastructureEncryption: true
          keyvaultproperties: { keyname: encryption!.keyName, keyvaulturi: encryption!.vaultUri }
          identity: { userAssignedIdentity: encryption!.identityId }
        }
  })

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      containerDeleteRetentionPolicy: { enabled: true, days: recoveryDays }
      deleteRetentionPolicy: { enabled: true, days: recoveryDays }
      isVersioningEnabled: true
    }

    resource container 'containers' = {
      name: snapshotContainer
      properties: union(
        { publicAccess: 'None' },
        immutableDays == 0 ? {} : { immutableStorageWithVersioning: { enabled: true } }
      )

      resource immutability 'immutabilityPolicies' = if (immutableDays > 0) {
        name: 'default'
        properties: { immutabilityPeriodSinceCreationInDays: immutableDays }
      }
    }
  }

  // Run documents are overwritten about once a second: their former versions must end. Current blobs are the app's.
  resource lifecycle 'managementPolicies' = {
    name: 'default'
    properties: {
      policy: {
        rules: [
          {
            name: 'former-versions-end'
            enabled: true
            type: 'Lifecycle'
            definition: {
              actions: { version: { delete: { daysAfterCreationGreaterThan: max(recoveryDays, immutableDays) } } }
              filters: { blobTypes: ['blockBlob'] }
            }
          }
        ]
      }
    }
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (isLocked) {
  name: 'snapshots-stay'
  scope: snapshots
  properties: {
    level: 'CanNotDelete'
    notes: 'Backups of a notification hub. Remove this lock to delete them.'
  }
}

resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (isAudited) {
  name: 'who-read-what'
  scope: snapshots::blobs
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageRead', enabled: true }
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}

output blobUri string = snapshots.properties.primaryEndpoints.blob
output hostBlobUri string = host.properties.primaryEndpoints.blob
output queueUri string = host.properties.primaryEndpoints.queue
