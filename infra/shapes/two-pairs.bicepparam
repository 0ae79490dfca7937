using '../pairs.bicep'

param pairs = [
  {
    name: 'shop'
    location: 'northeurope'
    primaryLocation: 'westeurope'
    hubs: {
      kind: 'existing'
      primary: '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-push/providers/Microsoft.NotificationHubs/namespaces/push-west/notificationHubs/shop'
      secondary: '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-push/providers/Microsoft.NotificationHubs/namespaces/push-north/notificationHubs/shop'
    }
  }
  {
    name: 'news'
    location: 'northeurope'
    primaryLocation: 'westeurope'
    hubs: {
      kind: 'existing'
      primary: '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-push/providers/Microsoft.NotificationHubs/namespaces/push-west/notificationHubs/news'
      secondary: '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-push/providers/Microsoft.NotificationHubs/namespaces/push-north/notificationHubs/news'
    }
    settings: { BACKUP_SCHEDULE: '0 */15 * * * *' }
  }
]
param settings = { STANDBY_SYNC: 'afterBackup' }
