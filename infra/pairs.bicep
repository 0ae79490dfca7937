import { appSettings, hubs, hubConnections as connections } from 'types.bicep'

targetScope = 'subscription'

@description('Several pairs of hubs: an app, storage and group for each.')
param pairs {
  @description('Name of the environment, as of main.bicep.')
  name: string

  @description('Region of the secondary hub.')
  location: string
  primaryLocation: string
  hubs: hubs
  settings: appSettings?
}[]

@description('Settings of all pairs; what a pair sets itself comes first.')
param settings appSettings = {}

@description('By the name of the pair.')
param hubConnections { *: connections } = {}

param alertEmails string[] = []

module apps 'main.bicep' = [
  for pair in pairs: {
    name: 'pair-${pair.name}'
    params: {
      environmentName: pair.name
      location: pair.location
      primaryLocation: pair.primaryLocation
      hubs: pair.hubs
      hubConnections: hubConnections[?pair.name] ?? {}
      alertEmails: alertEmails
      settings: union(settings, pair.?settings ?? {})
    }
  }
]

output apps { group: string, app: string, hostName: string }[] = [
  for (pair, index) in pairs: {
    group: apps[index].outputs.AZURE_RESOURCE_GROUP
    app: apps[index].outputs.APP_NAME
    hostName: apps[index].outputs.APP_HOST_NAME
  }
]
