@description('What the app may do with one hub through Azure Resource Manager: ask for its keys, and read how it and its namespace are set up. Roles of their own, since no built-in one is as narrow.')
param namespaceName string
param hubName string
param principalId string

@description('What the names of the roles are made of, beside the hub.')
param owner string

@description('Also lists the push credentials, which Azure Resource Manager returns in clear.')
param readsPushCredentials bool

var keyActions = [
  'Microsoft.NotificationHubs/namespaces/notificationHubs/read'
  'Microsoft.NotificationHubs/namespaces/notificationHubs/authorizationRules/read'
  'Microsoft.NotificationHubs/namespaces/notificationHubs/authorizationRules/listkeys/action'
]
var credentialActions = ['Microsoft.NotificationHubs/namespaces/notificationHubs/pnsCredentials/action']
var namespaceActions = [
  'Microsoft.NotificationHubs/namespaces/read'
  'Microsoft.NotificationHubs/namespaces/authorizationRules/read'
  'Microsoft.NotificationHubs/namespaces/notificationHubs/read'
]

resource namespace 'Microsoft.NotificationHubs/namespaces@2023-09-01' existing = {
  name: namespaceName

  resource hub 'notificationHubs' existing = {
    name: hubName
  }
}

resource hubRole 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(namespace::hub.id, owner, 'hub')
  properties: {
    roleName: 'notification-hubs-dr hub ${uniqueString(namespace::hub.id, owner)}'
    description: 'Asks for the keys of a notification hub.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        actions: concat(keyActions, readsPushCredentials ? credentialActions : [])
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
  }
}

resource namespaceRole 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(namespace::hub.id, owner, 'namespace')
  properties: {
    roleName: 'notification-hubs-dr namespace ${uniqueString(namespace::hub.id, owner)}'
    description: 'Reads how a namespace of notification hubs is set up.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [{ actions: namespaceActions, notActions: [], dataActions: [], notDataActions: [] }]
  }
}

resource onHub 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(namespace::hub.id, principalId, hubRole.id)
  scope: namespace::hub
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: hubRole.id }
}

resource onNamespace 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(namespace.id, namespace::hub.id, principalId, namespaceRole.id)
  scope: namespace
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: namespaceRole.id }
}
