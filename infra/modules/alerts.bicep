@description('Alert rules on what the app logs, and a workbook of it. They speak where the app itself cannot: when it is silent, or ALERT_WEBHOOK_URL is not set.')
param location string
param tags { *: string }
param workspaceId string
param actionGroupName string
param emails string[]

@description('Distinguishes the workbook of one app from that of another.')
param owner string

// The app writes "alert code=… state=open reason=…" when a condition begins, and judges the conditions each minute. A test
// compares both lists with the app's.
var critical = ['PrimaryUnavailable', 'BackupFailed', 'BackupMissed', 'RestoreFailed', 'RpoMissed', 'NotReady']
var warnings = [
  'SnapshotSuspect'
  'DrillFailed'
  'RoleUnsettled'
  'SyncStopped'
  'StandbyOutOfStep'
  'StandbyDiffers'
  'DualWritesLag'
  'FeedbackFailing'
  'FeedbackHeld'
  'RtoMissed'
  'StorageRefuses'
]

var opened = 'AppTraces | where Message startswith "alert code=" and Message contains "state=open" | extend code = extract("code=([A-Za-z]+)", 1, Message)'

var rules = [
  {
    name: 'critical'
    title: 'Notification hub recovery: a failover is at risk'
    severity: 1
    every: 'PT5M'
    window: 'PT15M'
    query: '${opened} | where code in (${join(map(critical, code => '"${code}"'), ', ')})'
    operator: 'GreaterThan'
    threshold: 0
    byCode: true
  }
  {
    name: 'warnings'
    title: 'Notification hub recovery: something is not as it should be'
    severity: 2
    every: 'PT15M'
    window: 'PT30M'
    query: '${opened} | where code in (${join(map(warnings, code => '"${code}"'), ', ')})'
    operator: 'GreaterThan'
    threshold: 0
    byCode: true
  }
  {
    name: 'silent'
    title: 'Notification hub recovery: the app is silent'
    severity: 1
    every: 'PT5M'
    window: 'PT15M'
    query: 'AppRequests | where OperationName == "watchdog"'
    operator: 'LessThan'
    threshold: 1
    byCode: false
  }
]

resource notified 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: actionGroupName
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'hubs-dr'
    emailReceivers: [
      for (email, index) in emails: {
        name: 'email-${index}'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for rule in rules: {
    name: 'alert-${owner}-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: rule.title
      description: 'docs/RUNBOOK.md says what to do.'
      enabled: true
      severity: rule.severity
      scopes: [workspaceId]
      evaluationFrequency: rule.every
      windowSize: rule.window
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: rule.operator
            threshold: rule.threshold
            dimensions: rule.byCode ? [{ name: 'code', operator: 'Include', values: ['*'] }] : []
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      // A line is seen once or twice, since some arrive late; one mail for each. Silence ends by itself.
      autoMitigate: !rule.byCode
      ...(rule.byCode ? { muteActionsDuration: rule.window } : {})
      // A workspace has its tables once the app has written.
      skipQueryValidation: true
      actions: { actionGroups: [notified.id] }
    }
  }
]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, owner, 'workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    category: 'workbook'
    displayName: 'Notification hub recovery (${owner})'
    serializedData: string(loadJsonContent('../workbook.json'))
    sourceId: workspaceId
    version: '1.0'
  }
}
