import { DrError } from '../core/errors.ts';
import { type HubConnection, parseHubConnection } from '../hub/connection-string.ts';
import { hubConnection, hubName } from './forms.ts';
import { misspeltSettings } from './misspelt.ts';
import { queueNames } from './queues.ts';
import { type Environment, openSettings, type SettingsReader, textOf } from './reader.ts';
import { settings as allSettings, type SettingName, settingsSchema, storageSetting } from './settings.ts';
import { parseStorageSettings } from './storage.ts';

/** The settings, checked; times in the unit of their name. `settings.ts` says what each is for. */
export type Config = ReturnType<typeof parseConfig>;

/**
 * Reads all settings at once. Throws one `SettingsInvalid` with a detail for every setting at fault, which says what is
 * accepted; values are quoted only where they cannot be secrets. The result is frozen.
 */
export function parseConfig(env: Environment) {
  const settings = openSettings(env);
  const values = parseValues(settings);
  const primary = parseHub(settings, 'PRIMARY_HUB_CONNECTION', 'PRIMARY_HUB_NAME');
  const secondary = parseHub(settings, 'SECONDARY_HUB_CONNECTION', 'SECONDARY_HUB_NAME');
  if (primary !== undefined && secondary !== undefined && isSameHub(primary, secondary)) {
    settings.fault('SECONDARY_HUB_NAME', 'names the primary hub itself: set a hub in a namespace of another region');
  }
  const drill = parseDrillHub(settings, [primary, secondary]);
  const storage = parseStorageSettings(settings);
  const { faults } = settings;
  if (faults.length > 0 || !values || !primary || !secondary || !storage) {
    const list = faults.map((one) => one.message).join('; ');
    const message = [`These settings cannot be used: ${list}.`, ...misspeltSettings(env)].join(' ');
    throw new DrError('SettingsInvalid', message, { details: faults });
  }
  return Object.freeze({
    ...values,
    primary,
    secondary,
    /** The scratch hub of drills, where there is one. */
    drill,
    storage,
    /** What works but is probably a mistake, such as a misspelt name. Whole sentences, free of secrets. */
    warnings: Object.freeze([...settings.warnings, ...misspeltSettings(env)]),
  });
}

/**
 * What the triggers bind to, readable before and even though the settings are at fault: a bad schedule or queue name
 * gives way to its default, so that the host starts and `parseConfig` can say what is wrong.
 */
export function triggerBindings(env: Environment) {
  const settings = openSettings(env);
  const read = (name: (`${string}_SCHEDULE` & SettingName) | 'STEP_QUEUE'): string => {
    const form = settingsSchema.shape[name];
    return form.safeParse(textOf(env, name)).data ?? form.parse(undefined);
  };
  return Object.freeze({
    backupSchedule: read('BACKUP_SCHEDULE'),
    retentionSchedule: read('RETENTION_SCHEDULE'),
    watchdogSchedule: read('WATCHDOG_SCHEDULE'),
    drillSchedule: read('DRILL_SCHEDULE'),
    stepQueues: queueNames(read('STEP_QUEUE'), [
      parseHub(settings, 'PRIMARY_HUB_CONNECTION', 'PRIMARY_HUB_NAME'),
      parseHub(settings, 'SECONDARY_HUB_CONNECTION', 'SECONDARY_HUB_NAME'),
    ]),
    stepQueueConnection: storageSetting,
  });
}

const schema = settingsSchema.omit({ [storageSetting]: true });
/** A scratch hub needs both. */
const schemaWithDrill = schema.extend({ DRILL_HUB_CONNECTION: hubConnection, DRILL_HUB_NAME: hubName });

function parseValues(settings: SettingsReader) {
  const { env } = settings;
  const texts = Object.fromEntries(allSettings.map(({ name }) => [name, textOf(env, name)]));
  const { success, data, error } = (hasDrillHub(env) ? schemaWithDrill : schema).safeParse(texts);
  if (!success) {
    for (const { path, message } of error.issues) settings.fault(String(path[0]), message);
    return undefined;
  }
  return {
    primaryTier: data.PRIMARY_TIER,
    /** As set; `undefined` means that the hub is asked, as far as it answers that. */
    secondaryTier: data.SECONDARY_TIER,
    container: data.SNAPSHOT_CONTAINER,
    backupSchedule: data.BACKUP_SCHEDULE,
    retention: Object.freeze({
      hourly: data.RETAIN_HOURLY,
      daily: data.RETAIN_DAILY,
      weekly: data.RETAIN_WEEKLY,
      monthly: data.RETAIN_MONTHLY,
    }),
    /** May hold secrets, as the next one: for the notifier alone. */
    heartbeatUrl: data.HEARTBEAT_URL,
    alertWebhookUrl: data.ALERT_WEBHOOK_URL,
    stepBudgetMs: data.STEP_BUDGET_SECONDS * 1_000,
    maxConcurrency: data.MAX_CONCURRENCY,
    backupMaxRequestsPerSecond: data.BACKUP_MAX_REQUESTS_PER_SECOND,
    restoreMaxRequestsPerSecond: data.RESTORE_MAX_REQUESTS_PER_SECOND,
    suspectDropPercent: data.SUSPECT_DROP_PERCENT,
    expiryFloorDays: data.RESTORE_EXPIRY_FLOOR_DAYS,
    settleSeconds: data.SETTLE_SECONDS,
    maxFailures: data.MAX_FAILURES,
    maxDeletePercent: data.MAX_DELETE_PERCENT,
    standbySync: data.STANDBY_SYNC,
    standbyDriftPercent: data.STANDBY_DRIFT_PERCENT,
  };
}

function hasDrillHub(env: Environment): boolean {
  return (textOf(env, 'DRILL_HUB_CONNECTION') ?? textOf(env, 'DRILL_HUB_NAME')) !== undefined;
}

function parseHub(
  settings: SettingsReader,
  connectionName: SettingName,
  hubNameName: SettingName,
): HubConnection | undefined {
  const usable = (name: SettingName): string | undefined =>
    settings.faults.some(({ target }) => target === name) ? undefined : textOf(settings.env, name);
  const text = usable(connectionName);
  const hub = usable(hubNameName);
  if (text === undefined) return undefined;
  try {
    // Without a hub name everything but the name can still be checked.
    const connection =
      hub === undefined
        ? parseHubConnection(text.replace(/(^|;)\s*EntityPath\s*=[^;]*/i, ''), 'unnamed', connectionName)
        : parseHubConnection(text, hub, connectionName);
    if (/^DefaultListenSharedAccessSignature$/i.test(connection.keyName)) {
      settings.warn(`${connectionName} uses a policy that may only listen; the listing of a hub needs Manage.`);
    }
    return hub === undefined ? undefined : Object.freeze(connection);
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    settings.fault(connectionName, error.message.replace(`${connectionName}: `, '').replace(/\.$/, ''));
    return undefined;
  }
}

/** A drill empties its hub when it is done, so that hub must have no other use. */
function parseDrillHub(settings: SettingsReader, used: readonly (HubConnection | undefined)[]) {
  const drill = parseHub(settings, 'DRILL_HUB_CONNECTION', 'DRILL_HUB_NAME');
  if (drill === undefined) return undefined;
  const others = used.filter((hub) => hub !== undefined);
  if (others.some((hub) => isSameHub(hub, drill))) {
    settings.fault('DRILL_HUB_NAME', 'names the primary or secondary hub: set a hub that holds nothing');
  } else if (others.some((hub) => hub.endpoint.host === drill.endpoint.host)) {
    settings.warn('The scratch hub of DRILL_HUB_NAME counts against the device limit of the namespace it shares.');
  }
  return drill;
}

function isSameHub(a: HubConnection, b: HubConnection): boolean {
  return a.endpoint.host === b.endpoint.host && a.ref.hub === b.ref.hub;
}
