@description('Named keys of the functions, for after the app is deployed: until then it has no functions, and nothing to keep a key in. Who has the key "reader" can look at everything and change nothing; "operator" opens all.')
param appName string

@secure()
@minLength(40)
param readerKey string

@secure()
@minLength(40)
param operatorKey string

// A test compares both lists with the app's routes.
var readers = [
  'compareMetadata'
  'getBackup'
  'getCleanUp'
  'getDoctor'
  'getDrill'
  'getFeedback'
  'getIdMap'
  'getReport'
  'getRestore'
  'getRole'
  'getSnapshot'
  'getStatus'
  'getVerification'
  'listAudit'
  'listBackups'
  'listDrills'
  'listFailures'
  'listRecords'
  'listRestores'
  'listSnapshots'
  'listVerifications'
]
var writers = [
  'acceptSnapshot'
  'cancelBackup'
  'cancelDrill'
  'cancelRestore'
  'cancelVerification'
  'deleteSnapshot'
  'erase'
  'pinSnapshot'
  'processFeedback'
  'putRestore'
  'retryRestore'
  'rollbackRestore'
  'setRole'
  'startBackup'
  'startDrill'
  'startRestore'
  'startVerification'
  'testAlerts'
  'unpinSnapshot'
]

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: appName
}

resource readerFunctions 'Microsoft.Web/sites/functions@2025-03-01' existing = [
  for name in readers: {
    name: name
    parent: app
  }
]

resource writerFunctions 'Microsoft.Web/sites/functions@2025-03-01' existing = [
  for name in writers: {
    name: name
    parent: app
  }
]

// A few at a time: each key is a write of the Functions host. The types have the key's value beside the resource's name,
// where Azure Resource Manager refuses it: it takes it among the properties.
@batchSize(4)
resource readerKeys 'Microsoft.Web/sites/functions/keys@2025-03-01' = [
  for (name, index) in readers: {
    name: 'reader'
    parent: readerFunctions[index]
    #disable-next-line BCP187
    properties: { name: 'reader', value: readerKey }
  }
]

@batchSize(4)
resource operatorKeysOfReaders 'Microsoft.Web/sites/functions/keys@2025-03-01' = [
  for (name, index) in readers: {
    name: 'operator'
    parent: readerFunctions[index]
    #disable-next-line BCP187
    properties: { name: 'operator', value: operatorKey }
  }
]

@batchSize(4)
resource operatorKeys 'Microsoft.Web/sites/functions/keys@2025-03-01' = [
  for (name, index) in writers: {
    name: 'operator'
    parent: writerFunctions[index]
    #disable-next-line BCP187
    properties: { name: 'operator', value: operatorKey }
  }
]
