using '../keys.bicep'

param appName = 'func-of-the-app'
param readerKey = readEnvironmentVariable('READER_KEY', 'not-a-key-but-long-enough-for-a-snapshot')
param operatorKey = readEnvironmentVariable('OPERATOR_KEY', 'not-a-key-but-long-enough-for-a-snapshot')
