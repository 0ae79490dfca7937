import { DrError, type ErrorDetail } from './core/errors.ts';
import type { RetentionPolicy } from './core/retention.ts';
import { scheduleFault } from './core/schedule.ts';
import type { StorageConnection } from './core/storage-connection.ts';
import { type HubConnection, parseHubConnection } from './hub/connection-string.ts';
import { defaultOf, type SettingName, settings } from './settings.ts';

export type Tier = 'Free' | 'Basic' | 'Standard';

export interface Config {
  readonly primary: HubConnection;
  readonly secondary: HubConnection;
  readonly secondaryTier: Tier | undefined;
  readonly storage: StorageConnection;
  readonly container: string;
  readonly stepQueue: string;
  readonly backupSchedule: string;
  readonly retention: RetentionPolicy;
  readonly stepBudgetMs: number;
  readonly maxConcurrency: number;
  readonly backupMaxRequestsPerSecond: number | undefined;
  readonly restoreMaxRequestsPerSecond: number | undefined;
  readonly suspectDropPercent: number;
  readonly expiryFloorDays: number;
  readonly settleSeconds: number;
  readonly maxFailures: number;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads all settings at once. Throws one `SettingsInvalid` whose details are all the faults found, each naming its
 * setting and the accepted form; values are quoted only where they cannot be secrets.
 */
export function parseConfig(env: Environment): Config {
  const faults: ErrorDetail[] = [];
  const fault = (target: string, message: string): void => {
    faults.push({ code: 'SettingsInvalid', target, message: `${target}: ${message}` });
  };
  const text = (name: SettingName): string | undefined => env[name]?.trim() || defaultOf(name);
  const matching = (name: SettingName, pattern: RegExp, form: string): string => {
    const value = text(name) ?? '';
    if (!pattern.test(value)) fault(name, `must be ${form}`);
    return value;
  };
  const whole = (name: SettingName, least: number, most: number): number => {
    const value = text(name) ?? '';
    const amount = Number(value);
    if (/^\d+$/.test(value) && amount >= least && amount <= most) return amount;
    fault(name, `must be a whole number from ${least} to ${most}`);
    return least;
  };
  const optionalWhole = (name: SettingName, most: number): number | undefined =>
    text(name) === undefined ? undefined : whole(name, 1, most);
  const schedule = (name: SettingName): string => {
    const value = text(name) ?? '';
    const wrong = scheduleFault(value);
    if (wrong !== undefined) fault(name, wrong);
    return value;
  };
  const hub = (connectionName: SettingName, hubNameName: SettingName): HubConnection | undefined => {
    const connection = text(connectionName);
    const hubName = text(hubNameName);
    if (connection === undefined) fault(connectionName, 'is missing; set it to a hub or namespace connection string');
    if (hubName === undefined) fault(hubNameName, 'is missing; set it to the name of the hub');
    if (connection === undefined || hubName === undefined) return undefined;
    try {
      return parseHubConnection(connection, hubName, connectionName);
    } catch (error) {
      if (!(error instanceof DrError)) throw error;
      faults.push({ code: error.code, message: error.message, target: connectionName });
      return undefined;
    }
  };

  const primary = hub('PRIMARY_HUB_CONNECTION', 'PRIMARY_HUB_NAME');
  const secondary = hub('SECONDARY_HUB_CONNECTION', 'SECONDARY_HUB_NAME');
  if (
    primary &&
    secondary &&
    primary.endpoint.host === secondary.endpoint.host &&
    primary.ref.hub === secondary.ref.hub
  ) {
    fault('SECONDARY_HUB_NAME', 'names the primary hub itself; a secondary hub in another region is needed');
  }
  const storage = parseStorageConnection(env, fault);
  const config = {
    secondaryTier: tierOf(text('SECONDARY_TIER'), fault),
    container: matching(
      'SNAPSHOT_CONTAINER',
      /^[a-z0-9](?:-?[a-z0-9]){2,62}$/,
      'a container name: 3 to 63 lower-case letters, digits and single hyphens',
    ),
    stepQueue: matching(
      'STEP_QUEUE',
      /^[a-z0-9](?:-?[a-z0-9]){2,62}$/,
      'a queue name: 3 to 63 lower-case letters, digits and single hyphens',
    ),
    backupSchedule: schedule('BACKUP_SCHEDULE'),
    retention: {
      hourly: whole('RETAIN_HOURLY', 0, 10_000),
      daily: whole('RETAIN_DAILY', 0, 10_000),
      weekly: whole('RETAIN_WEEKLY', 0, 10_000),
      monthly: whole('RETAIN_MONTHLY', 0, 10_000),
    },
    // Under 230 s of slack to the 30 minutes a Flex plan gives one invocation by default.
    stepBudgetMs: whole('STEP_BUDGET_SECONDS', 1, 1500) * 1000,
    maxConcurrency: whole('MAX_CONCURRENCY', 1, 1024),
    backupMaxRequestsPerSecond: optionalWhole('BACKUP_MAX_REQUESTS_PER_SECOND', 100_000),
    restoreMaxRequestsPerSecond: optionalWhole('RESTORE_MAX_REQUESTS_PER_SECOND', 100_000),
    suspectDropPercent: whole('SUSPECT_DROP_PERCENT', 1, 100),
    expiryFloorDays: whole('RESTORE_EXPIRY_FLOOR_DAYS', 0, 3650),
    settleSeconds: whole('SETTLE_SECONDS', 0, 3600),
    maxFailures: whole('MAX_FAILURES', 0, 10_000_000),
  };
  schedule('RETENTION_SCHEDULE');
  schedule('WATCHDOG_SCHEDULE');
  if (faults.length > 0 || primary === undefined || secondary === undefined || storage === undefined) {
    const list = faults.map((one) => one.message).join('; ');
    throw new DrError('SettingsInvalid', `${faults.length} settings cannot be used: ${list}.`, { details: faults });
  }
  return Object.freeze({ ...config, primary, secondary, storage });
}

/** Names that must be set for the queue trigger to bind; used in messages only. */
const STORAGE = 'SNAPSHOT_STORAGE';

/** The Functions convention: a connection string wins over the identity form, with or without `AzureWebJobs` before it. */
function parseStorageConnection(
  env: Environment,
  fault: (target: string, message: string) => void,
): StorageConnection | undefined {
  const value = env[STORAGE]?.trim() || env[`AzureWebJobs${STORAGE}`]?.trim();
  if (value) {
    if (/^UseDevelopmentStorage=true/i.test(value) || /(?:AccountName|BlobEndpoint)=/i.test(value)) {
      return { kind: 'connectionString', value };
    }
    fault(STORAGE, 'is not a storage connection string');
    return undefined;
  }
  const account = env[`${STORAGE}__accountName`]?.trim();
  const blobServiceUri =
    env[`${STORAGE}__blobServiceUri`]?.trim() || (account && `https://${account}.blob.core.windows.net`);
  const queueServiceUri =
    env[`${STORAGE}__queueServiceUri`]?.trim() || (account && `https://${account}.queue.core.windows.net`);
  if (!blobServiceUri && !queueServiceUri) {
    fault(
      STORAGE,
      `is missing; set a connection string, or ${STORAGE}__blobServiceUri and ${STORAGE}__queueServiceUri`,
    );
    return undefined;
  }
  for (const [name, uri] of [
    [`${STORAGE}__blobServiceUri`, blobServiceUri],
    [`${STORAGE}__queueServiceUri`, queueServiceUri],
  ] as const) {
    if (!uri || !/^https?:\/\/[^/]/.test(uri))
      fault(name, 'must be the address of the service, beginning with https://');
  }
  if (!blobServiceUri || !queueServiceUri) return undefined;
  const clientId = env[`${STORAGE}__clientId`]?.trim();
  return { kind: 'identity', blobServiceUri, queueServiceUri, ...(clientId ? { clientId } : {}) };
}

function tierOf(value: string | undefined, fault: (target: string, message: string) => void): Tier | undefined {
  if (value === undefined || value === 'Free' || value === 'Basic' || value === 'Standard') return value;
  fault('SECONDARY_TIER', 'must be Free, Basic or Standard');
  return undefined;
}

/** The literal schedules the timers bind to: as set, or the default. Read before the settings are judged as a whole. */
export function triggerBindings(env: Environment) {
  const text = (name: SettingName): string => env[name]?.trim() || defaultOf(name) || '';
  return {
    backupSchedule: text('BACKUP_SCHEDULE'),
    retentionSchedule: text('RETENTION_SCHEDULE'),
    watchdogSchedule: text('WATCHDOG_SCHEDULE'),
    stepQueue: text('STEP_QUEUE'),
    stepQueueConnection: STORAGE,
  };
}

export const settingNames: readonly string[] = settings.map((setting) => setting.name);
