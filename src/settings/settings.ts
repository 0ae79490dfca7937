/** The connection prefix the queue trigger and both storage adapters share. */
export const storageSetting = 'SNAPSHOT_STORAGE';

/** One row of the table of settings in docs/REFERENCE.md; a test holds the two together. */
export interface Setting {
  readonly name: string;
  /** As text, the way it would be set; absent when the setting has none. */
  readonly default?: string;
  readonly isRequired?: true;
  readonly meaning: string;
}

/** Every setting of the app with its default and the reason for it. */
export const settings = [
  {
    name: 'PRIMARY_HUB_CONNECTION',
    isRequired: true,
    meaning: 'connection string of the hub to back up (Manage right, which listing needs)',
  },
  { name: 'PRIMARY_HUB_NAME', isRequired: true, meaning: 'name of that hub' },
  {
    name: 'SECONDARY_HUB_CONNECTION',
    isRequired: true,
    meaning: 'connection string of the hub to restore into (Manage right)',
  },
  { name: 'SECONDARY_HUB_NAME', isRequired: true, meaning: 'name of that hub' },
  {
    name: 'PRIMARY_TIER',
    meaning:
      '`Free`, `Basic` or `Standard`: the tier of its namespace, which limits its devices; the hub is asked when absent',
  },
  { name: 'SECONDARY_TIER', meaning: 'the same for the secondary, which must hold all devices of the primary' },
  {
    name: storageSetting,
    isRequired: true,
    meaning:
      'storage for snapshots and steps: a connection string, or `SNAPSHOT_STORAGE__blobServiceUri` and `SNAPSHOT_STORAGE__queueServiceUri` (and `SNAPSHOT_STORAGE__clientId`) for an identity',
  },
  { name: 'SNAPSHOT_CONTAINER', default: 'hub-snapshots', meaning: 'blob container, created if missing' },
  { name: 'STEP_QUEUE', default: 'dr-steps', meaning: 'queue of steps, created if missing' },
  { name: 'BACKUP_SCHEDULE', default: '0 0 * * * *', meaning: 'when to back up (NCRONTAB, six fields): hourly' },
  { name: 'RETENTION_SCHEDULE', default: '0 30 2 * * *', meaning: 'when to delete old snapshots: nightly' },
  { name: 'WATCHDOG_SCHEDULE', default: '30 * * * * *', meaning: 'when to look for stuck runs: each minute' },
  { name: 'DRILL_SCHEDULE', default: '0 0 4 * * 0', meaning: 'when to rehearse a restore: weekly' },
  {
    name: 'DRILL_HUB_CONNECTION',
    meaning:
      'connection string of a scratch hub without push credentials; drills restore into it and empty it again (Manage right)',
  },
  {
    name: 'DRILL_HUB_NAME',
    meaning:
      'name of that hub, neither the primary nor the secondary; without a scratch hub a drill verifies the snapshot',
  },
  { name: 'RETAIN_HOURLY', default: '24', meaning: 'number of hours for which the newest good snapshot is kept' },
  { name: 'RETAIN_DAILY', default: '7', meaning: 'the same in days' },
  { name: 'RETAIN_WEEKLY', default: '5', meaning: 'the same in weeks' },
  { name: 'RETAIN_MONTHLY', default: '12', meaning: 'the same in months' },
  { name: 'HEARTBEAT_URL', meaning: 'called (GET) after each good backup, so that silence raises an alarm elsewhere' },
  {
    name: 'ALERT_WEBHOOK_URL',
    meaning: 'gets one JSON message (POST) when something goes wrong, and one when it is resolved',
  },
  {
    name: 'STEP_BUDGET_SECONDS',
    default: '240',
    meaning: 'work time of one invocation; keep it below half of `functionTimeout`',
  },
  { name: 'MAX_CONCURRENCY', default: '64', meaning: 'maximum requests in flight to one hub from one process' },
  { name: 'BACKUP_MAX_REQUESTS_PER_SECOND', meaning: 'rate limit on the primary; no limit when absent' },
  { name: 'RESTORE_MAX_REQUESTS_PER_SECOND', meaning: 'rate limit on the target; no limit when absent' },
  {
    name: 'SUSPECT_DROP_PERCENT',
    default: '20',
    meaning: 'a snapshot this far below the usual count is kept but never becomes `latest`',
  },
  { name: 'RESTORE_EXPIRY_FLOOR_DAYS', default: '14', meaning: 'a restored installation lives at least this long' },
  { name: 'SETTLE_SECONDS', default: '10', meaning: 'wait before the restored hub is listed again' },
  { name: 'MAX_FAILURES', default: '1000', meaning: 'a restore with more failed records than this is stopped' },
] as const satisfies readonly Setting[];

export type SettingName = (typeof settings)[number]['name'];

export function defaultOf(name: SettingName): string | undefined {
  const setting: Setting | undefined = settings.find((candidate) => candidate.name === name);
  return setting?.default;
}
