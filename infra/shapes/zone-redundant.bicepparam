using '../main.bicep'

param environmentName = 'zone-redundant'
param location = 'swedencentral'
param primaryLocation = 'westeurope'
param hubs = {
  kind: 'existing'
  primary: '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-push/providers/Microsoft.NotificationHubs/namespaces/push-west/notificationHubs/app'
  secondary: '/subscriptions/33333333-3333-3333-3333-333333333333/resourceGroups/rg-push-standby/providers/Microsoft.NotificationHubs/namespaces/push-sweden/notificationHubs/app'
}
// The secondary's key does not depend on Azure Resource Manager alone.
param hubConnections = { secondary: '@Microsoft.KeyVault(SecretUri=https://push.vault.azure.net/secrets/secondary/)' }
param secretIds = [
  '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-push/providers/Microsoft.KeyVault/vaults/push/secrets/secondary'
]
param readsPushCredentials = true
param isZoneRedundant = true
param alertEmails = ['on-call@example.com']
