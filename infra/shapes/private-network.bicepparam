using '../main.bicep'

// Everything that can be set, but for zones: hubs by connection string, a network of its own, a key of its own.
param environmentName = 'private-network'
param location = 'usgovvirginia'
param primaryLocation = 'usgovarizona'
param hubs = {
  kind: 'connections'
  primaryName: 'app'
  secondaryName: 'app'
  drillName: 'drill'
}
param hubConnections = {
  primary: '@Microsoft.KeyVault(SecretUri=https://push.vault.usgovcloudapi.net/secrets/primary/)'
  secondary: '@Microsoft.KeyVault(SecretUri=https://push.vault.usgovcloudapi.net/secrets/secondary/)'
  drill: '@Microsoft.KeyVault(SecretUri=https://push.vault.usgovcloudapi.net/secrets/drill/)'
}
param secretIds = [
  '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-push/providers/Microsoft.KeyVault/vaults/push/secrets/primary'
  '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-push/providers/Microsoft.KeyVault/vaults/push/secrets/secondary'
  '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-push/providers/Microsoft.KeyVault/vaults/push/secrets/drill'
]
param encryptionKeyId = '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-push/providers/Microsoft.KeyVault/vaults/push/keys/snapshots'
param backendPrincipalIds = ['33333333-3333-3333-3333-333333333333', '44444444-4444-4444-4444-444444444444']
param isPrivate = true
param isAudited = true
param immutableDays = 3
param recoveryDays = 14
param snapshotRedundancy = 'Standard_GRS'
param instanceMemoryMB = 512
param warmSteps = 1
param nodeVersion = '24'
param settings = {
  PRIMARY_TIER: 'Standard'
  SECONDARY_TIER: 'Standard'
  STEP_QUEUE: 'push-steps'
  BACKUP_SCHEDULE: '0 */30 * * * *'
  BACKUP_SOURCE: 'auto'
  EXPORT_PATIENCE_MINUTES: '30'
  RESTORE_WRITER: 'auto'
  IMPORT_PATIENCE_MINUTES: '30'
  RETENTION_SCHEDULE: '0 0 3 * * *'
  WATCHDOG_SCHEDULE: '0 * * * * *'
  DRILL_SCHEDULE: '0 0 5 * * 1'
  RETAIN_HOURLY: '12'
  RETAIN_DAILY: '3'
  RETAIN_WEEKLY: '0'
  RETAIN_MONTHLY: '0'
  STEP_BUDGET_SECONDS: '300'
  MAX_CONCURRENCY: '32'
  BACKUP_MAX_REQUESTS_PER_SECOND: '10'
  RESTORE_MAX_REQUESTS_PER_SECOND: '500'
  SUSPECT_DROP_PERCENT: '10'
  SUSPECT_ACCEPT_AFTER: '12'
  RESTORE_EXPIRY_FLOOR_DAYS: '30'
  SETTLE_SECONDS: '20'
  MAX_FAILURE_PERCENT: '50'
  MAX_DELETE_PERCENT: '5'
  STANDBY_SYNC: 'afterBackup'
  FEEDBACK_CLEANUP: 'preview'
  FEEDBACK_QUIET_HOURS: '48'
  FEEDBACK_SCHEDULE: '0 40 * * * *'
  RPO_MINUTES: '90'
  RTO_MINUTES: '30'
  STANDBY_DRIFT_PERCENT: '1'
  OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example.com'
}
