using 'main.bicep'

// Values come from `azd env set NAME value`; docs/DEPLOY.md lists them.
param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'unnamed')
param location = readEnvironmentVariable('AZURE_LOCATION', '')
param primaryLocation = readEnvironmentVariable('PRIMARY_LOCATION', '')

var primary = readEnvironmentVariable('PRIMARY_HUB_RESOURCE_ID', '')
var primaryName = readEnvironmentVariable('PRIMARY_HUB_NAME', '')

// Ids of hubs; or their names, with connection strings; or neither, and both hubs are created. azd keeps the ids of
// hubs that it created, so that this happens once.
param hubs = !empty(primary)
  ? {
      kind: 'existing'
      primary: primary
      secondary: readEnvironmentVariable('SECONDARY_HUB_RESOURCE_ID', '')
      drill: readEnvironmentVariable('DRILL_HUB_RESOURCE_ID', '')
    }
  : !empty(primaryName)
      ? {
          kind: 'connections'
          primaryName: primaryName
          secondaryName: readEnvironmentVariable('SECONDARY_HUB_NAME', primaryName)
          drillName: readEnvironmentVariable('DRILL_HUB_NAME', '')
        }
      : {
          kind: 'new'
          hubName: readEnvironmentVariable('NEW_HUB_NAME', 'app')
          sku: readEnvironmentVariable('NEW_HUB_SKU', 'Standard')
          zoneRedundancy: readEnvironmentVariable('NEW_HUB_ZONE_REDUNDANCY', 'Disabled')
          replicationRegion: readEnvironmentVariable('NEW_HUB_REPLICATION_REGION', 'Default')
          scratchHub: bool(readEnvironmentVariable('NEW_SCRATCH_HUB', 'true'))
        }

param hubConnections = {
  primary: readEnvironmentVariable('PRIMARY_HUB_CONNECTION', '')
  secondary: readEnvironmentVariable('SECONDARY_HUB_CONNECTION', '')
  drill: readEnvironmentVariable('DRILL_HUB_CONNECTION', '')
}
param webhooks = {
  heartbeat: readEnvironmentVariable('HEARTBEAT_URL', '')
  alerts: readEnvironmentVariable('ALERT_WEBHOOK_URL', '')
}
param alertEmails = empty(readEnvironmentVariable('ALERT_EMAIL', ''))
  ? []
  : [readEnvironmentVariable('ALERT_EMAIL', '')]
param nodeVersion = readEnvironmentVariable('NODE_VERSION', '22')
param instanceMemoryMB = { '512': 512, '2048': 2048, '4096': 4096 }[readEnvironmentVariable(
  'INSTANCE_MEMORY_MB',
  '2048'
)]
param isZoneRedundant = bool(readEnvironmentVariable('ZONE_REDUNDANT', 'false'))
param isPrivate = bool(readEnvironmentVariable('VNET_ENABLED', 'false'))
param settings = {
  STANDBY_SYNC: readEnvironmentVariable('STANDBY_SYNC', 'off')
  RPO_MINUTES: readEnvironmentVariable('RPO_MINUTES', '')
  RTO_MINUTES: readEnvironmentVariable('RTO_MINUTES', '')
}
