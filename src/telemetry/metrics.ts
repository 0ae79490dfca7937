/** The names are contract: a rule, a dashboard or a query may rest on each. docs/REFERENCE.md lists them. */
export const metricTable = {
  'notification_hubs_dr.verdict': { unit: '1', meaning: '0 `Ready`, 1 `AtRisk`, 2 `NotReady`' },
  'notification_hubs_dr.snapshot.age': { unit: 's', meaning: 'since the newest good snapshot was begun' },
  'notification_hubs_dr.snapshot.records': { unit: '{record}', meaning: 'in the newest good snapshot' },
  'notification_hubs_dr.restore.predicted': { unit: 's', meaning: 'that restoring it would take' },
  'notification_hubs_dr.standby.lag': { unit: 's', meaning: 'by which the standby is behind the newest good snapshot' },
  'notification_hubs_dr.drill.passed': { unit: '1', meaning: '1 when the last drill passed, else 0' },
  'notification_hubs_dr.alert': { unit: '1', meaning: '1 while the alert is open, else 0, by `code`' },
  'notification_hubs_dr.runs': { unit: '{run}', meaning: 'that ended, by `kind` and `status`' },
  'notification_hubs_dr.run.records': { unit: '{record}', meaning: 'of runs that ended, by `kind` and `outcome`' },
  'notification_hubs_dr.run.rate': { unit: '{record}/s', meaning: 'of a run that ended, by `kind`' },
  'notification_hubs_dr.run.throttled': { unit: 's', meaning: 'that a restore lost to throttling' },
  'notification_hubs_dr.run.failures': { unit: '{record}', meaning: 'that a restore could not write, by `code`' },
  'notification_hubs_dr.step.duration': { unit: 's', meaning: 'of a step, by `kind` and `phase`' },
  'notification_hubs_dr.step.retries': { unit: '{step}', meaning: 'begun again after a fault, by `kind` and `phase`' },
} as const;

export type MetricName = keyof typeof metricTable;
