import { type SettingName, settings } from './settings.ts';

const EACH_BY_DEFAULT = undefined;

/** What is done while one of these is at fault, as the end of a sentence. */
const instead: Partial<Readonly<Record<SettingName, string | undefined>>> = {
  PRIMARY_TIER: 'the hub is asked',
  SECONDARY_TIER: 'the hub is asked',
  BACKUP_SCHEDULE: EACH_BY_DEFAULT,
  BACKUP_SOURCE: 'the hub is listed',
  EXPORT_PATIENCE_MINUTES: EACH_BY_DEFAULT,
  RESTORE_WRITER: 'all is written directly',
  IMPORT_PATIENCE_MINUTES: EACH_BY_DEFAULT,
  RETENTION_SCHEDULE: EACH_BY_DEFAULT,
  WATCHDOG_SCHEDULE: EACH_BY_DEFAULT,
  DRILL_SCHEDULE: EACH_BY_DEFAULT,
  DRILL_HUB_RESOURCE_ID: 'drills only verify a snapshot',
  DRILL_HUB_CONNECTION: 'drills only verify a snapshot',
  DRILL_HUB_NAME: 'drills only verify a snapshot',
  RETAIN_HOURLY: 'no snapshot is deleted',
  RETAIN_DAILY: 'no snapshot is deleted',
  RETAIN_WEEKLY: 'no snapshot is deleted',
  RETAIN_MONTHLY: 'no snapshot is deleted',
  HEARTBEAT_URL: 'no heartbeat is sent',
  ALERT_WEBHOOK_URL: 'no alert is sent',
  STEP_BUDGET_SECONDS: EACH_BY_DEFAULT,
  MAX_CONCURRENCY: EACH_BY_DEFAULT,
  BACKUP_MAX_REQUESTS_PER_SECOND: 'its rate has no limit',
  RESTORE_MAX_REQUESTS_PER_SECOND: 'its rate has no limit',
  SUSPECT_DROP_PERCENT: EACH_BY_DEFAULT,
  SUSPECT_ACCEPT_AFTER: EACH_BY_DEFAULT,
  RESTORE_EXPIRY_FLOOR_DAYS: EACH_BY_DEFAULT,
  SETTLE_SECONDS: EACH_BY_DEFAULT,
  MAX_FAILURE_PERCENT: EACH_BY_DEFAULT,
  MAX_DELETE_PERCENT: 'it is 0',
  RPO_MINUTES: 'it is not judged',
  RTO_MINUTES: 'it is not judged',
  STANDBY_SYNC: 'the standby is not synced',
  STANDBY_DRIFT_PERCENT: 'it is 0',
  FEEDBACK_CLEANUP: 'nothing is removed as dead',
  FEEDBACK_QUIET_HOURS: EACH_BY_DEFAULT,
  FEEDBACK_SCHEDULE: EACH_BY_DEFAULT,
};

/** Names of earlier versions, and what is set in their place. */
export const formerSettings: Readonly<Record<string, string>> = {
  MAX_FAILURES: 'MAX_FAILURE_PERCENT, the share of the writes that may fail',
};

/** The cautious value of those whose default may be bolder than what was meant. */
const cautious: Partial<Readonly<Record<SettingName, string>>> = {
  MAX_DELETE_PERCENT: '0',
  STANDBY_DRIFT_PERCENT: '0',
};

/** A restore in the night does not fail for the address of a webhook: what is at fault here is done without. */
export function isDispensable(setting: string): boolean {
  return setting in instead || setting in formerSettings;
}

/** What is read in place of a setting at fault; `undefined` for its default. */
export function textInstead(setting: SettingName): string | undefined {
  return cautious[setting];
}

/** What is done until a dispensable setting is right, as the end of a sentence. */
export function doneInstead(setting: string): string {
  if (setting in formerSettings) return 'the default of that holds, unless it is set';
  const known = settings.find(({ name }) => name === setting);
  return (known && instead[known.name]) ?? `its default holds (${known?.default ?? 'none'})`;
}
