using '../main.bicep'

param environmentName = 'new-hubs'
param location = 'northeurope'
param primaryLocation = 'westeurope'
param hubs = {
  kind: 'new'
  hubName: 'app'
  sku: 'Standard'
  zoneRedundancy: 'Enabled'
  replicationRegion: 'NorthEurope'
  scratchHub: true
}
param settings = { STANDBY_SYNC: 'afterBackup' }
