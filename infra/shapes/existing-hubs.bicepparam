using '../main.bicep'

param environmentName = 'existing-hubs'
param location = 'northeurope'
param primaryLocation = 'westeurope'
param hubs = {
  kind: 'existing'
  primary: '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-push/providers/Microsoft.NotificationHubs/namespaces/push-west/notificationHubs/app'
  secondary: '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-push-standby/providers/Microsoft.NotificationHubs/namespaces/push-north/notificationHubs/app'
  drill: '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-push-standby/providers/Microsoft.NotificationHubs/namespaces/push-drills/notificationHubs/drill'
}
