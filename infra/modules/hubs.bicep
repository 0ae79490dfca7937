import { replicationRegion as region } from '../types.bicep'

@description('One namespace with its hubs. Only for hubs that do not exist yet: sent again, this template might take push credentials away that were entered meanwhile.')
param location string
param tags { *: string }
param namespaceName string
param hubNames string[]
param sku 'Free' | 'Basic' | 'Standard'
param zoneRedundancy 'Enabled' | 'Disabled'
param replicationRegion region
param isLocked bool
param workspaceId string

resource namespace 'Microsoft.NotificationHubs/namespaces@2023-09-01' = {
  name: namespaceName
  location: location
  tags: tags
  sku: { name: sku }
  properties: {
    publicNetworkAccess: 'Enabled'
    replicationRegion: replicationRegion
    zoneRedundancy: zoneRedundancy
  }

  resource hubs 'notificationHubs' = [
    for name in hubNames: {
      name: name
      location: location
      tags: tags
      properties: {}
    }
  ]
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (isLocked) {
  name: 'hubs-stay'
  scope: namespace
  properties: {
    level: 'CanNotDelete'
    notes: 'Devices are registered here. Remove this lock to delete the namespace.'
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'operations'
  scope: namespace
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'OperationalLogs', enabled: true }]
  }
}
