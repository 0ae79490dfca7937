import type { StorageConnection } from '../azure/connection.ts';
import { DrError } from '../core/errors.ts';
import type { Tier } from '../core/readiness/tiers.ts';
import type { RetentionPolicy } from '../core/snapshot/retention.ts';
import { type HubConnection, parseHubConnection } from '../hub/connection-string.ts';
import { misspeltSettings } from './misspelt.ts';
import { type Environment, isReference, openSettings, type SettingsReader, textOf, unresolved } from './reader.ts';
import { scheduleFault } from './schedule.ts';
import { type SettingName, storageSetting } from './settings.ts';
import { parseStorageSettings } from './storage.ts';

/** The settings, checked; times in the unit of their name. `settings.ts` says what each is for. */
export interface Config {
  readonly primary: HubConnection;
  readonly secondary: HubConnection;
  /** The scratch hub of drills, where there is one. */
  readonly drill: HubConnection | undefined;
  /** As set; `undefined` means that the hub is asked, as far as it tells. */
  readonly primaryTier: Tier | undefined;
  readonly secondaryTier: Tier | undefined;
  readonly storage: StorageConnection;
  readonly container: string;
  readonly stepQueue: string;
  readonly backupSchedule: string;
  readonly retention: RetentionPolicy;
  /** May hold secrets: for the notifier alone. */
  readonly heartbeatUrl: string | undefined;
  readonly alertWebhookUrl: string | undefined;
  readonly stepBudgetMs: number;
  readonly maxConcurrency: number;
  readonly backupMaxRequestsPerSecond: number | undefined;
  readonly restoreMaxRequestsPerSecond: number | undefined;
  readonly suspectDropPercent: number;
  readonly expiryFloorDays: number;
  readonly settleSeconds: number;
  readonly maxFailures: number;
  /** What works but is probably not meant, such as a misspelt name. Whole sentences, free of secrets. */
  readonly warnings: readonly string[];
}

/**
 * Reads all settings at once. Throws one `SettingsInvalid` with a detail for every setting at fault, which says what is
 * accepted; values are quoted only where they cannot be secrets. The result is frozen.
 */
export function parseConfig(env: Environment): Config {
  const settings = openSettings(env);
  const primary = parseHub(settings, 'PRIMARY_HUB_CONNECTION', 'PRIMARY_HUB_NAME');
  const secondary = parseHub(settings, 'SECONDARY_HUB_CONNECTION', 'SECONDARY_HUB_NAME');
  if (primary !== undefined && secondary !== undefined && isSameHub(primary, secondary)) {
    settings.fault('SECONDARY_HUB_NAME', 'names the primary hub itself: set a hub in a namespace of another region');
  }
  const drill = parseDrillHub(settings, [primary, secondary]);
  const storage = parseStorageSettings(settings);
  const rest = {
    primaryTier: settings.oneOf('PRIMARY_TIER', tiers),
    secondaryTier: settings.oneOf('SECONDARY_TIER', tiers),
    container: settings.matching('SNAPSHOT_CONTAINER', storageName),
    stepQueue: settings.matching('STEP_QUEUE', storageName),
    backupSchedule: parseSchedules(settings).backupSchedule,
    heartbeatUrl: parseAddress(settings, 'HEARTBEAT_URL'),
    alertWebhookUrl: parseAddress(settings, 'ALERT_WEBHOOK_URL'),
    ...parseNumbers(settings),
  };
  const { faults } = settings;
  if (faults.length > 0 || primary === undefined || secondary === undefined || storage === undefined) {
    const list = faults.map((one) => one.message).join('; ');
    throw new DrError('SettingsInvalid', `These settings cannot be used: ${list}.`, { details: faults });
  }
  const warnings = Object.freeze([...settings.warnings, ...misspeltSettings(env)]);
  return Object.freeze({
    ...rest,
    primary: Object.freeze(primary),
    secondary: Object.freeze(secondary),
    drill: drill === undefined ? undefined : Object.freeze(drill),
    storage,
    warnings,
  });
}

/**
 * What the triggers bind to, readable before and even though the settings are at fault: a bad schedule or queue name
 * gives way to its default, so that the host starts and `parseConfig` can say what is wrong.
 */
export function triggerBindings(env: Environment) {
  const settings = openSettings(env);
  return Object.freeze({
    ...parseSchedules(settings),
    stepQueue: settings.matching('STEP_QUEUE', storageName),
    stepQueueConnection: storageSetting,
  });
}

const tiers = ['Free', 'Basic', 'Standard'] as const;

/** Containers and queues: learn.microsoft.com, "Naming and referencing containers" and "Naming queues and metadata". */
const storageName = {
  pattern: /^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$/,
  form: '3 to 63 lower-case letters, digits and single hyphens between them',
};

/** Microsoft.NotificationHubs, "Naming rules and restrictions for Azure resources". */
const hubNameForm = {
  pattern: /^[A-Za-z0-9][\w.-]{0,259}$/,
  form: 'the name of the hub: letters, digits, periods, hyphens and underscores',
};

function parseHub(
  settings: SettingsReader,
  connectionName: SettingName,
  hubNameName: SettingName,
): HubConnection | undefined {
  const text = settings.required(connectionName, 'the connection string of a hub or its namespace');
  const hubName = settings.requiredMatching(hubNameName, hubNameForm);
  if (text === undefined) return undefined;
  try {
    // Without a hub name the rest can still be judged, but for the name.
    const connection =
      hubName === undefined
        ? parseHubConnection(text.replace(/(^|;)\s*EntityPath\s*=[^;]*/i, ''), 'unnamed', connectionName)
        : parseHubConnection(text, hubName, connectionName);
    if (/^DefaultListenSharedAccessSignature$/i.test(connection.keyName)) {
      settings.warn(`${connectionName} uses a policy that may only listen; the listing of a hub needs Manage.`);
    }
    return hubName === undefined ? undefined : connection;
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    settings.fault(connectionName, error.message.replace(`${connectionName}: `, '').replace(/\.$/, ''));
    return undefined;
  }
}

/** A drill empties its hub when it is done: it must not be in use. */
function parseDrillHub(
  settings: SettingsReader,
  used: readonly (HubConnection | undefined)[],
): HubConnection | undefined {
  const names = ['DRILL_HUB_CONNECTION', 'DRILL_HUB_NAME'] as const;
  if (names.every((name) => textOf(settings.env, name) === undefined)) return undefined;
  const drill = parseHub(settings, ...names);
  if (drill === undefined) return undefined;
  const others = used.filter((hub) => hub !== undefined);
  if (others.some((hub) => isSameHub(hub, drill))) {
    settings.fault('DRILL_HUB_NAME', 'names the primary or secondary hub: set a hub that holds nothing');
  } else if (others.some((hub) => hub.endpoint.host === drill.endpoint.host)) {
    settings.warn('The scratch hub of DRILL_HUB_NAME counts against the device limit of the namespace it shares.');
  }
  return drill;
}

/** Its text is never quoted: such addresses hold keys. */
function parseAddress(settings: SettingsReader, name: SettingName): string | undefined {
  const text = textOf(settings.env, name);
  if (text === undefined) return undefined;
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  settings.fault(name, isReference(text) ? unresolved : 'must be an http or https address');
  return undefined;
}

function isSameHub(a: HubConnection, b: HubConnection): boolean {
  return a.endpoint.host === b.endpoint.host && a.ref.hub === b.ref.hub;
}

function parseSchedules(settings: SettingsReader) {
  return {
    backupSchedule: settings.judged('BACKUP_SCHEDULE', scheduleFault),
    retentionSchedule: settings.judged('RETENTION_SCHEDULE', scheduleFault),
    watchdogSchedule: settings.judged('WATCHDOG_SCHEDULE', scheduleFault),
    drillSchedule: settings.judged('DRILL_SCHEDULE', scheduleFault),
  };
}

function parseNumbers(settings: SettingsReader) {
  return {
    retention: Object.freeze({
      hourly: settings.whole('RETAIN_HOURLY', 0, 8_784),
      daily: settings.whole('RETAIN_DAILY', 0, 3_660),
      weekly: settings.whole('RETAIN_WEEKLY', 0, 1_040),
      monthly: settings.whole('RETAIN_MONTHLY', 0, 240),
    }),
    // Five minutes less than the 30 minutes a Flex plan gives one invocation by default.
    stepBudgetMs: settings.whole('STEP_BUDGET_SECONDS', 1, 1_500) * 1_000,
    maxConcurrency: settings.whole('MAX_CONCURRENCY', 1, 1_024),
    backupMaxRequestsPerSecond: settings.optionalWhole('BACKUP_MAX_REQUESTS_PER_SECOND', 1, 100_000),
    restoreMaxRequestsPerSecond: settings.optionalWhole('RESTORE_MAX_REQUESTS_PER_SECOND', 1, 100_000),
    suspectDropPercent: settings.whole('SUSPECT_DROP_PERCENT', 1, 100),
    expiryFloorDays: settings.whole('RESTORE_EXPIRY_FLOOR_DAYS', 0, 3_660),
    settleSeconds: settings.whole('SETTLE_SECONDS', 0, 3_600),
    maxFailures: settings.whole('MAX_FAILURES', 0, 10_000_000),
  };
}
