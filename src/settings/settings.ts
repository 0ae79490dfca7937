import { z } from 'zod';
import {
  address,
  armEndpoint,
  backupSource,
  clientId,
  count,
  feedbackCleanup,
  hubConnection,
  hubName,
  hubResourceId,
  objective,
  queueName,
  requestRate,
  restoreWriter,
  schedule,
  standbySync,
  storageName,
  tier,
} from './forms.ts';

/** The connection prefix the queue trigger and both storage adapters share. */
export const storageSetting = 'SNAPSHOT_STORAGE';

/** Every setting of the app: its form, its default, and what it means. */
export const settingsSchema = z.object({
  PRIMARY_HUB_RESOURCE_ID: hubResourceId.describe(
    'resource id of the hub that is in use unless another role is declared: its keys are then read from Azure Resource Manager; append `/authorizationRules/{name}` for another policy than `DefaultFullSharedAccessSignature`',
  ),
  PRIMARY_HUB_CONNECTION: hubConnection
    .optional()
    .describe(
      'connection string of that hub (Manage right, which listing needs); required without a resource id, and with one used until it is refused',
    ),
  PRIMARY_HUB_NAME: hubName.optional().describe('name of that hub; required without a resource id'),
  SECONDARY_HUB_RESOURCE_ID: hubResourceId.describe('resource id of the other hub of the pair'),
  SECONDARY_HUB_CONNECTION: hubConnection.optional().describe('connection string of that hub, likewise'),
  SECONDARY_HUB_NAME: hubName.optional().describe('name of that hub, likewise'),
  ARM_ENDPOINT: armEndpoint
    .prefault('https://management.azure.com')
    .describe(
      'Azure Resource Manager of your cloud; US Government: `https://management.usgovcloudapi.net`, China: `https://management.chinacloudapi.cn`',
    ),
  ARM_CLIENT_ID: clientId.describe(
    'client id of the user-assigned identity that asks it; when absent the one of `SNAPSHOT_STORAGE__clientId`, and without that the system-assigned identity',
  ),
  PRIMARY_TIER: tier.describe(
    '`Free`, `Basic` or `Standard`: the tier of its namespace, which limits its devices; the hub is asked when absent',
  ),
  SECONDARY_TIER: tier.describe('the same for the secondary; each must hold all devices'),
  /** `storage.ts` reads it, with its parts. */
  [storageSetting]: z
    .string()
    .describe(
      'storage for snapshots and steps: a connection string, or `SNAPSHOT_STORAGE__blobServiceUri` and `SNAPSHOT_STORAGE__queueServiceUri` (and `SNAPSHOT_STORAGE__clientId`) for an identity',
    ),
  SNAPSHOT_CONTAINER: storageName.prefault('hub-snapshots').describe('blob container, created if missing'),
  STEP_QUEUE: queueName.prefault('dr-steps').describe('start of the names of the queues of steps, created if missing'),
  BACKUP_SCHEDULE: schedule('0 0 * * * *').describe('when to back up (NCRONTAB, six fields): hourly'),
  BACKUP_SOURCE: backupSource.describe(
    '`export` reads the hub from an export job (Standard tier), `auto` does where the last good snapshot has 50,000 registrations or more; where the job comes to nothing, and with `list`, the hub is listed',
  ),
  EXPORT_PATIENCE_MINUTES: count(1, 180, 15).describe(
    'an export job that has not moved on for so long is given up, and the hub is listed',
  ),
  RESTORE_WRITER: restoreWriter.describe(
    '`import` lets import jobs create registrations outside installations (Standard tier), `auto` does where a restore is about 50,000 records or more; what a job does not create, and with `direct` all, is written one by one',
  ),
  IMPORT_PATIENCE_MINUTES: count(1, 180, 15).describe(
    'an import job that has not moved on for so long is given up, and its registrations are written directly',
  ),
  RETENTION_SCHEDULE: schedule('0 30 2 * * *').describe('when to delete old snapshots: nightly'),
  WATCHDOG_SCHEDULE: schedule('30 * * * * *').describe('when to look for stuck runs: each minute'),
  DRILL_SCHEDULE: schedule('0 0 4 * * 0').describe('when to rehearse a restore: weekly'),
  DRILL_HUB_RESOURCE_ID: hubResourceId.describe('resource id of a scratch hub, in place of the next two'),
  DRILL_HUB_CONNECTION: hubConnection
    .optional()
    .describe(
      'connection string of a scratch hub without push credentials; drills restore into it and empty it again (Manage right)',
    ),
  DRILL_HUB_NAME: hubName
    .optional()
    .describe(
      'name of that hub, neither the primary nor the secondary; without a scratch hub a drill verifies the snapshot',
    ),
  RETAIN_HOURLY: count(0, 8_784, 24).describe('number of hours for which the newest good snapshot is kept'),
  RETAIN_DAILY: count(0, 3_660, 7).describe('the same in days'),
  RETAIN_WEEKLY: count(0, 1_040, 5).describe('the same in weeks'),
  RETAIN_MONTHLY: count(0, 240, 12).describe('the same in months'),
  HEARTBEAT_URL: address.describe('called after each good backup, so that silence raises an alarm elsewhere'),
  ALERT_WEBHOOK_URL: address.describe('gets one JSON message when something goes wrong, and one when it is resolved'),
  /** At most five minutes less than the 30 minutes a Flex plan gives one invocation by default. */
  STEP_BUDGET_SECONDS: count(1, 1_500, 240).describe(
    'work time of one invocation; keep it below half of `functionTimeout`',
  ),
  MAX_CONCURRENCY: count(1, 1_024, 64).describe('maximum requests in flight to one hub from one process'),
  BACKUP_MAX_REQUESTS_PER_SECOND: requestRate.describe('rate limit on the primary; no limit when absent'),
  RESTORE_MAX_REQUESTS_PER_SECOND: requestRate.describe(
    'rate limit on the secondary and the scratch hub; no limit when absent',
  ),
  SUSPECT_DROP_PERCENT: count(1, 100, 20).describe(
    'a snapshot this far below the usual count is kept but never becomes `latest`',
  ),
  SUSPECT_ACCEPT_AFTER: count(0, 1_000, 24).describe(
    'a fall that this many snapshots in a row show alike is taken for what happened; 0: only what is accepted by hand',
  ),
  RESTORE_EXPIRY_FLOOR_DAYS: count(0, 3_660, 14).describe('a restored installation lives at least this long'),
  SETTLE_SECONDS: count(0, 3_600, 10).describe('wait before the restored hub is listed again'),
  MAX_FAILURE_PERCENT: count(1, 100, 90).describe(
    'a restore is stopped when more than this of its writes have failed, after 1,000 of them: nearly all are refused',
  ),
  MAX_DELETE_PERCENT: count(0, 100, 10).describe(
    'a restore that would remove more of the target than this, as no longer in the source, and more than 20 records, removes nothing',
  ),
  RPO_MINUTES: objective.describe(
    'objective: a failover loses at most the changes of this many minutes; missed, it is a finding and an alert',
  ),
  RTO_MINUTES: objective.describe('objective: a failover takes at most this many minutes, likewise'),
  STANDBY_SYNC: standbySync.describe(
    '`afterBackup` restores each good snapshot of the hub in use into the standby, `off` does not',
  ),
  STANDBY_DRIFT_PERCENT: count(0, 100, 2).describe(
    'when more records than this, and more than 20, were changed in the standby, a failback only adds and a sync stops',
  ),
  FEEDBACK_CLEANUP: feedbackCleanup.describe(
    '`on` removes from the standby what push services call dead in the hub in use (Standard tier), `preview` says what it would remove, `off` reads nothing',
  ),
  FEEDBACK_QUIET_HOURS: count(1, 240, 24).describe(
    'for so long after a push service has called it dead a device may show that it lives',
  ),
  FEEDBACK_SCHEDULE: schedule('0 20 * * * *').describe('when to read what push services have said: hourly'),
});

export type SettingName = keyof typeof settingsSchema.shape;

/** One row of the table of settings in docs/REFERENCE.md; a test holds the two together. */
export interface Setting {
  readonly name: SettingName;
  /** As text, the way it would be set; absent when the setting has none. */
  readonly default?: string;
  readonly isRequired: boolean;
  readonly meaning: string;
}

export const settings: readonly Setting[] = settingsSchema.keyof().options.map((name) => {
  const form = settingsSchema.shape[name];
  const { success: isOptional, data } = form.safeParse(undefined);
  const preset = data === undefined ? {} : { default: String(data) };
  return { name, isRequired: !isOptional, meaning: form.description ?? '', ...preset };
});
