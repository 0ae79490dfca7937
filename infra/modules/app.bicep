import { appSettings, hubConnections as connections, webhooks as addresses } from '../types.bicep'

@description('The Function App, on a Flex Consumption plan of its own.')
param location string
param tags { *: string }
param name string
param planName string
param isZoneRedundant bool
param nodeVersion '22' | '24'
param instanceMemoryMB 512 | 2048 | 4096
param maximumInstanceCount int
param warmSteps int
param identityId string
param identityClientId string
param hostBlobUri string
param packageContainer string
param snapshotBlobUri string
param snapshotContainer string
param queueUri string
param telemetryConnection string
param isPrivate bool
param subnetId string
param publicNetworkAccess 'Enabled' | 'Disabled'

@description('Ids and names of the hubs; each may be empty.')
param hubs {
  primaryId: string
  primaryName: string
  secondaryId: string
  secondaryName: string
  drillId: string
  drillName: string
}
param hubConnections connections
param settings appSettings
param webhooks addresses

// Each is a scale group of its own. A test compares them with the app's functions.
var stepFunctions = ['restoreSteps', 'backupSteps', 'otherSteps', 'dualWrites', 'formerSteps']
var alwaysReady = map(warmSteps == 0 ? [] : stepFunctions, name => {
  name: 'function:${name}'
  instanceCount: warmSteps
})

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true, zoneRedundant: isZoneRedundant }
}

resource site 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    clientAffinityEnabled: false
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${hostBlobUri}${packageContainer}'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      runtime: { name: 'node', version: nodeVersion }
      scaleAndConcurrency: {
        alwaysReady: alwaysReady
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
      }
    }
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    publicNetworkAccess: publicNetworkAccess
    serverFarmId: plan.id
    // Nothing else: Flex Consumption refuses many of the usual properties, in some regions only.
    siteConfig: { minTlsVersion: '1.2', scmMinTlsVersion: '1.2' }
    ...(isPrivate ? { virtualNetworkSubnetId: subnetId } : {})
  }

  // All settings of the app: with defaults as in the app itself, and empty ones, which count as absent. This replaces the
  // whole list: what was set by hand is gone at the next deployment.
  resource allSettings 'config' = {
    name: 'appsettings'
    properties: {
      // Addresses, not account names: an account's name means a host of the public cloud.
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: identityClientId
      AzureWebJobsStorage__blobServiceUri: hostBlobUri
      SNAPSHOT_STORAGE__credential: 'managedidentity'
      SNAPSHOT_STORAGE__clientId: identityClientId
      SNAPSHOT_STORAGE__blobServiceUri: snapshotBlobUri
      SNAPSHOT_STORAGE__queueServiceUri: queueUri
      SNAPSHOT_CONTAINER: snapshotContainer
      APPLICATIONINSIGHTS_CONNECTION_STRING: telemetryConnection
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
      // Node as the benchmarks run it: docs/PERFORMANCE.md, In Azure.
      languageWorkers__node__arguments: '--max-old-space-size=224 --max-semi-space-size=16 --heap-growing-percent=100'
      MALLOC_ARENA_MAX: '2'
      ARM_ENDPOINT: environment().resourceManager
      ARM_CLIENT_ID: identityClientId
      PRIMARY_HUB_RESOURCE_ID: hubs.primaryId
      PRIMARY_HUB_CONNECTION: hubConnections.?primary ?? ''
      PRIMARY_HUB_NAME: hubs.primaryName
      SECONDARY_HUB_RESOURCE_ID: hubs.secondaryId
      SECONDARY_HUB_CONNECTION: hubConnections.?secondary ?? ''
      SECONDARY_HUB_NAME: hubs.secondaryName
      DRILL_HUB_RESOURCE_ID: hubs.drillId
      DRILL_HUB_CONNECTION: hubConnections.?drill ?? ''
      DRILL_HUB_NAME: hubs.drillName
      HEARTBEAT_URL: webhooks.?heartbeat ?? ''
      ALERT_WEBHOOK_URL: webhooks.?alerts ?? ''
      PRIMARY_TIER: settings.?PRIMARY_TIER ?? ''
      SECONDARY_TIER: settings.?SECONDARY_TIER ?? ''
      STEP_QUEUE: settings.?STEP_QUEUE ?? 'dr-steps'
      BACKUP_SCHEDULE: settings.?BACKUP_SCHEDULE ?? '0 0 * * * *'
      BACKUP_SOURCE: settings.?BACKUP_SOURCE ?? 'list'
      EXPORT_PATIENCE_MINUTES: settings.?EXPORT_PATIENCE_MINUTES ?? '15'
      RESTORE_WRITER: settings.?RESTORE_WRITER ?? 'direct'
      IMPORT_PATIENCE_MINUTES: settings.?IMPORT_PATIENCE_MINUTES ?? '15'
      RETENTION_SCHEDULE: settings.?RETENTION_SCHEDULE ?? '0 30 2 * * *'
      WATCHDOG_SCHEDULE: settings.?WATCHDOG_SCHEDULE ?? '30 * * * * *'
      DRILL_SCHEDULE: settings.?DRILL_SCHEDULE ?? '0 0 4 * * 0'
      FEEDBACK_CLEANUP: settings.?FEEDBACK_CLEANUP ?? 'off'
      FEEDBACK_QUIET_HOURS: settings.?FEEDBACK_QUIET_HOURS ?? '24'
      FEEDBACK_SCHEDULE: settings.?FEEDBACK_SCHEDULE ?? '0 20 * * * *'
      RETAIN_HOURLY: settings.?RETAIN_HOURLY ?? '24'
      RETAIN_DAILY: settings.?RETAIN_DAILY ?? '7'
      RETAIN_WEEKLY: settings.?RETAIN_WEEKLY ?? '5'
      RETAIN_MONTHLY: settings.?RETAIN_MONTHLY ?? '12'
      STEP_BUDGET_SECONDS: settings.?STEP_BUDGET_SECONDS ?? '240'
      MAX_CONCURRENCY: settings.?MAX_CONCURRENCY ?? '64'
      BACKUP_MAX_REQUESTS_PER_SECOND: settings.?BACKUP_MAX_REQUESTS_PER_SECOND ?? ''
      RESTORE_MAX_REQUESTS_PER_SECOND: settings.?RESTORE_MAX_REQUESTS_PER_SECOND ?? ''
      SUSPECT_DROP_PERCENT: settings.?SUSPECT_DROP_PERCENT ?? '20'
      SUSPECT_ACCEPT_AFTER: settings.?SUSPECT_ACCEPT_AFTER ?? '24'
      RESTORE_EXPIRY_FLOOR_DAYS: settings.?RESTORE_EXPIRY_FLOOR_DAYS ?? '14'
      SETTLE_SECONDS: settings.?SETTLE_SECONDS ?? '10'
      MAX_FAILURE_PERCENT: settings.?MAX_FAILURE_PERCENT ?? '90'
      MAX_DELETE_PERCENT: settings.?MAX_DELETE_PERCENT ?? '10'
      STANDBY_SYNC: settings.?STANDBY_SYNC ?? 'off'
      RPO_MINUTES: settings.?RPO_MINUTES ?? ''
      RTO_MINUTES: settings.?RTO_MINUTES ?? ''
      STANDBY_DRIFT_PERCENT: settings.?STANDBY_DRIFT_PERCENT ?? '2'
      OTEL_EXPORTER_OTLP_ENDPOINT: settings.?OTEL_EXPORTER_OTLP_ENDPOINT ?? ''
    }
  }

  resource noFtp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource noPublishingPassword 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
}

output hostName string = site.properties.defaultHostName
