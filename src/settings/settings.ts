/** The connection prefix the queue trigger and both storage adapters share. */
export const storageSetting = 'SNAPSHOT_STORAGE';

/** One row of the README's table of settings; a test holds the two together. */
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
    meaning: 'connection string of the hub that is backed up (Manage right: listing needs it)',
  },
  { name: 'PRIMARY_HUB_NAME', isRequired: true, meaning: 'its hub name' },
  {
    name: 'SECONDARY_HUB_CONNECTION',
    isRequired: true,
    meaning: 'connection string of the hub that is restored into (Manage right)',
  },
  { name: 'SECONDARY_HUB_NAME', isRequired: true, meaning: 'its hub name' },
  {
    name: 'PRIMARY_TIER',
    meaning:
      '`Free`, `Basic` or `Standard`: the tier of its namespace, which limits its devices; absent: the hub is asked',
  },
  { name: 'SECONDARY_TIER', meaning: 'likewise; it must hold all devices of the primary' },
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
      'connection string of a scratch hub without push credentials, which drills restore into and empty again (Manage right)',
  },
  {
    name: 'DRILL_HUB_NAME',
    meaning: 'its hub name; neither the primary nor the secondary. Without a scratch hub a drill verifies the snapshot',
  },
  { name: 'RETAIN_HOURLY', default: '24', meaning: 'hours of which the newest good snapshot stays' },
  { name: 'RETAIN_DAILY', default: '7', meaning: 'days likewise' },
  { name: 'RETAIN_WEEKLY', default: '5', meaning: 'weeks likewise' },
  { name: 'RETAIN_MONTHLY', default: '12', meaning: 'months likewise' },
  { name: 'HEARTBEAT_URL', meaning: 'called (GET) after each good backup, so that silence raises an alarm elsewhere' },
  {
    name: 'ALERT_WEBHOOK_URL',
    meaning: 'gets one JSON message (POST) when something goes wrong, and one when it is over',
  },
  {
    name: 'STEP_BUDGET_SECONDS',
    default: '240',
    meaning: 'work time of one invocation; keep it under half of `functionTimeout`',
  },
  { name: 'MAX_CONCURRENCY', default: '64', meaning: 'requests in flight to one hub from one process, at most' },
  { name: 'BACKUP_MAX_REQUESTS_PER_SECOND', meaning: 'cap on the primary; none when absent' },
  { name: 'RESTORE_MAX_REQUESTS_PER_SECOND', meaning: 'cap on the target; none when absent' },
  {
    name: 'SUSPECT_DROP_PERCENT',
    default: '20',
    meaning: 'a snapshot this far below the usual count is kept but never `latest`',
  },
  { name: 'RESTORE_EXPIRY_FLOOR_DAYS', default: '14', meaning: 'a restored installation lives at least this long' },
  { name: 'SETTLE_SECONDS', default: '10', meaning: 'wait before the restored hub is listed again' },
  { name: 'MAX_FAILURES', default: '1000', meaning: 'a restore that fails for more records than this is stopped' },
] as const satisfies readonly Setting[];

export type SettingName = (typeof settings)[number]['name'];

export function defaultOf(name: SettingName): string | undefined {
  const setting: Setting | undefined = settings.find((candidate) => candidate.name === name);
  return setting?.default;
}
