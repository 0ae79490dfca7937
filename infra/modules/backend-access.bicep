@description('What backends may do that write both hubs through the library: read the container of the snapshots, and write in the folders of dual writes alone. No built-in role is as narrow: those that write blobs delete containers, too.')
param principalIds string[]
param snapshotStorageName string
param snapshotContainer string

@description('What the name of the role is made of.')
param owner string

resource snapshots 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: snapshotStorageName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource container 'containers' existing = {
      name: snapshotContainer
    }
  }
}

var blob = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs'
var reads = ['${blob}/read']
var changes = ['${blob}/write', '${blob}/add/action', '${blob}/delete']
var isNoChange = join(map(changes, action => '!(ActionMatches{\'${action}\'})'), ' AND ')

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(snapshots::blobs::container.id, owner, 'backend')
  properties: {
    roleName: 'notification-hubs-dr backend ${uniqueString(snapshots::blobs::container.id, owner)}'
    description: 'Writes notification hubs through the library: intended writes are kept in the container of the snapshots.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [{ actions: [], notActions: [], dataActions: concat(reads, changes), notDataActions: [] }]
  }
}

resource onContainer 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in principalIds: {
    name: guid(snapshots::blobs::container.id, principalId, role.id)
    scope: snapshots::blobs::container
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: role.id
      condition: '((${isNoChange}) OR (@Resource[${blob}:path] StringLike \'_pairs/*/dual/*\'))'
      conditionVersion: '2.0'
    }
  }
]
