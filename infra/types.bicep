@export()
@description('Where the keys of the hubs come from.')
@discriminator('kind')
type hubs = existingHubs | newHubs | connectedHubs

@description('Hubs that exist: the app asks Azure Resource Manager for their keys, with its identity.')
type existingHubs = {
  kind: 'existing'

  @description('Resource id of the hub that is in use.')
  primary: string

  @description('Resource id of the standby, in another namespace and region.')
  secondary: string

  @description('Resource id of a scratch hub for drills. It must hold nothing.')
  drill: string?
}

@description('Both namespaces are created, with one hub each. Push credentials are entered afterwards, never here.')
type newHubs = {
  kind: 'new'

  @description('Name of the hub, in both namespaces.')
  @minLength(1)
  @maxLength(265)
  hubName: string

  sku: 'Free' | 'Basic' | 'Standard'

  @description('Zones for both namespaces, in regions that have them; only possible at creation.')
  zoneRedundancy: 'Enabled' | 'Disabled'

  @description('Where the service copies the metadata of the primary to: names, keys, push credentials; no registrations.')
  replicationRegion: replicationRegion

  @description('A third hub, beside the secondary, into which drills restore.')
  scratchHub: bool
}

@description('Hubs by connection string, for subscriptions in which the app gets no role. See hubConnections.')
type connectedHubs = {
  kind: 'connections'
  primaryName: string
  secondaryName: string
  drillName: string?
}

@export()
type replicationRegion =
  | 'Default'
  | 'None'
  | 'WestUs2'
  | 'NorthEurope'
  | 'AustraliaEast'
  | 'BrazilSouth'
  | 'SouthEastAsia'
  | 'SouthAfricaNorth'

@export()
@description('Connection strings, or references to secrets of a vault: @Microsoft.KeyVault(SecretUri=...). With ids of hubs, the secondary may be given as well, so that its key does not depend on Azure Resource Manager.')
@secure()
type hubConnections = {
  primary: string?
  secondary: string?
  drill: string?
}

@export()
type storageRedundancy = 'Standard_LRS' | 'Standard_ZRS' | 'Standard_GRS' | 'Standard_GZRS'

@export()
@description('Settings of the app by their own names; docs/REFERENCE.md explains them. What is absent has its default.')
type appSettings = {
  PRIMARY_TIER: ('Free' | 'Basic' | 'Standard')?
  SECONDARY_TIER: ('Free' | 'Basic' | 'Standard')?
  STEP_QUEUE: string?
  BACKUP_SCHEDULE: string?

  @description('Other than list: the app may then make containers in the account of the snapshots, for the jobs to write to.')
  BACKUP_SOURCE: ('list' | 'export' | 'auto')?
  EXPORT_PATIENCE_MINUTES: string?
  RESTORE_WRITER: ('direct' | 'import' | 'auto')?
  IMPORT_PATIENCE_MINUTES: string?
  RETENTION_SCHEDULE: string?
  WATCHDOG_SCHEDULE: string?
  DRILL_SCHEDULE: string?
  RETAIN_HOURLY: string?
  RETAIN_DAILY: string?
  RETAIN_WEEKLY: string?
  RETAIN_MONTHLY: string?
  STEP_BUDGET_SECONDS: string?
  MAX_CONCURRENCY: string?
  BACKUP_MAX_REQUESTS_PER_SECOND: string?
  RESTORE_MAX_REQUESTS_PER_SECOND: string?
  SUSPECT_DROP_PERCENT: string?
  SUSPECT_ACCEPT_AFTER: string?
  RESTORE_EXPIRY_FLOOR_DAYS: string?
  SETTLE_SECONDS: string?
  MAX_FAILURE_PERCENT: string?
  MAX_DELETE_PERCENT: string?
  STANDBY_SYNC: ('off' | 'afterBackup')?
  FEEDBACK_CLEANUP: ('off' | 'preview' | 'on')?
  FEEDBACK_QUIET_HOURS: string?
  FEEDBACK_SCHEDULE: string?
  RPO_MINUTES: string?
  RTO_MINUTES: string?
  STANDBY_DRIFT_PERCENT: string?

  @description('Address of an OpenTelemetry collector.')
  OTEL_EXPORTER_OTLP_ENDPOINT: string?
}

@export()
@description('Addresses that may hold keys.')
@secure()
type webhooks = {
  @description('HEARTBEAT_URL: called after each good backup.')
  heartbeat: string?

  @description('ALERT_WEBHOOK_URL: gets a message when something goes wrong.')
  alerts: string?
}
