import { DrError } from '../core/errors.ts';
import { doneInstead, formerSettings, isDispensable, textInstead } from './dispensable.ts';
import { hubConnection, hubName } from './forms.ts';
import { isSameHub, isSameNamespace, type NamedHub, parseHub } from './hubs.ts';
import { misspeltSettings } from './misspelt.ts';
import { queueNames } from './queues.ts';
import { type Environment, openSettings, type SettingsReader, textOf } from './reader.ts';
import { settings as allSettings, type SettingName, settingsSchema, storageSetting } from './settings.ts';
import { parseStorageSettings } from './storage.ts';

/** The settings, checked; times in the unit of their name. `settings.ts` says what each is for. */
export type Config = ReturnType<typeof parseConfig>;

/**
 * Reads all settings at once. Where a restore cannot do without one that is at fault, throws `SettingsInvalid` with a
 * detail for every setting at fault, which says what is accepted; values are quoted only where they cannot be secrets.
 * Otherwise those at fault are in `ignored`, each with what is done instead. The result is frozen.
 */
export function parseConfig(env: Environment) {
  const settings = openSettings(env);
  const values = parseValues(settings);
  const primary = parseHub(settings, 'PRIMARY');
  const secondary = parseHub(settings, 'SECONDARY');
  if (primary !== undefined && secondary !== undefined && isSameHub(primary, secondary)) {
    const setting = primary.resource && secondary.resource ? 'SECONDARY_HUB_RESOURCE_ID' : 'SECONDARY_HUB_NAME';
    settings.fault(setting, 'names the primary hub itself: set a hub in a namespace of another region');
  }
  const drill = parseDrillHub(settings, [primary, secondary]);
  const storage = parseStorageSettings(settings);
  const { faults } = settings;
  if (faults.some(({ target }) => !isDispensable(target)) || !values || !primary || !secondary || !storage) {
    const list = faults.map((one) => one.message).join('; ');
    const message = [`These settings cannot be used: ${list}.`, ...misspeltSettings(env)].join(' ');
    throw new DrError('SettingsInvalid', message, { details: faults });
  }
  const { armEndpoint, armClientId, ...others } = values;
  const ignored = faults.map(({ message, target }) => `${message}; until it is right, ${doneInstead(target)}.`);
  return Object.freeze({
    ...others,
    primary: primary.hub,
    secondary: secondary.hub,
    /** The scratch hub of drills, where there is one. */
    drill: drill?.hub,
    storage,
    arm: Object.freeze({
      endpoint: armEndpoint,
      /** Of a user-assigned identity; absent for the system-assigned one. */
      clientId: armClientId ?? (storage.kind === 'identity' ? storage.clientId : undefined),
      /** The hubs whose keys and settings can be asked for. */
      primary: primary.resource,
      secondary: secondary.resource,
      drill: drill?.resource,
    }),
    /** Settings at fault, each with what is done without it. Whole sentences, free of secrets. */
    ignored: Object.freeze(ignored),
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
    feedbackSchedule: read('FEEDBACK_SCHEDULE'),
    stepQueues: queueNames(read('STEP_QUEUE'), [
      parseHub(settings, 'PRIMARY')?.hub,
      parseHub(settings, 'SECONDARY')?.hub,
    ]),
    stepQueueConnection: storageSetting,
  });
}

const schema = settingsSchema.omit({ [storageSetting]: true });

/** A hub without a resource id needs a connection string and a name; a scratch hub may be absent. */
function findMissing(settings: SettingsReader): void {
  const given = (name: SettingName): boolean => textOf(settings.env, name) !== undefined;
  for (const which of ['PRIMARY', 'SECONDARY', 'DRILL'] as const) {
    const [connection, name] = [`${which}_HUB_CONNECTION`, `${which}_HUB_NAME`] as const;
    const isNeeded = which !== 'DRILL' || given(connection) || given(name);
    if (given(`${which}_HUB_RESOURCE_ID`) || !isNeeded) continue;
    if (!given(connection)) settings.fault(connection, missingText(hubConnection));
    if (!given(name)) settings.fault(name, missingText(hubName));
  }
}

function missingText(form: typeof hubName): string {
  return form.safeParse(undefined).error?.issues[0]?.message ?? '';
}

function parseValues(settings: SettingsReader) {
  const { env } = settings;
  findMissing(settings);
  const texts = Object.fromEntries(allSettings.map(({ name }) => [name, textOf(env, name)]));
  const faults = schema.safeParse(texts).error?.issues ?? [];
  for (const { path, message } of faults) settings.fault(String(path[0]), message);
  for (const [name, successor] of Object.entries(formerSettings)) {
    if (textOf(env, name) !== undefined)
      settings.fault(name, `is a setting of an earlier version: remove it, and set ${successor}`);
  }
  const hasFault = (start: string): boolean => settings.faults.some(({ target }) => target.startsWith(start));
  const usable = allSettings.map(({ name }) => [name, hasFault(name) ? textInstead(name) : texts[name]] as const);
  const { data } = schema.safeParse(Object.fromEntries(usable));
  if (data === undefined) return undefined;
  return {
    armEndpoint: data.ARM_ENDPOINT,
    armClientId: data.ARM_CLIENT_ID,
    primaryTier: data.PRIMARY_TIER,
    /** As set; `undefined` means that the hub is asked, as far as it answers that. */
    secondaryTier: data.SECONDARY_TIER,
    container: data.SNAPSHOT_CONTAINER,
    backupSchedule: data.BACKUP_SCHEDULE,
    /** `undefined`: nothing is deleted. */
    retention: hasFault('RETAIN_')
      ? undefined
      : Object.freeze({
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
    backupSource: data.BACKUP_SOURCE,
    exportPatienceMs: data.EXPORT_PATIENCE_MINUTES * 60_000,
    restoreWriter: data.RESTORE_WRITER,
    importPatienceMs: data.IMPORT_PATIENCE_MINUTES * 60_000,
    suspectDropPercent: data.SUSPECT_DROP_PERCENT,
    suspectAcceptAfter: data.SUSPECT_ACCEPT_AFTER,
    expiryFloorDays: data.RESTORE_EXPIRY_FLOOR_DAYS,
    settleSeconds: data.SETTLE_SECONDS,
    maxFailurePercent: data.MAX_FAILURE_PERCENT,
    maxDeletePercent: data.MAX_DELETE_PERCENT,
    standbySync: data.STANDBY_SYNC,
    standbyDriftPercent: data.STANDBY_DRIFT_PERCENT,
    feedbackCleanup: data.FEEDBACK_CLEANUP,
    feedbackQuietMs: data.FEEDBACK_QUIET_HOURS * 3_600_000,
    rpoMinutes: data.RPO_MINUTES,
    rtoMinutes: data.RTO_MINUTES,
  };
}

/** A drill empties its hub when it is done, so that hub must have no other use. */
function parseDrillHub(settings: SettingsReader, used: readonly (NamedHub | undefined)[]): NamedHub | undefined {
  const drill = parseHub(settings, 'DRILL');
  if (drill === undefined) return undefined;
  const others = used.filter((hub) => hub !== undefined);
  if (others.some((hub) => isSameHub(hub, drill))) {
    const setting = drill.resource === undefined ? 'DRILL_HUB_NAME' : 'DRILL_HUB_RESOURCE_ID';
    settings.fault(setting, 'names the primary or secondary hub: set a hub that holds nothing');
    return undefined;
  }
  if (others.some(({ hub }) => isSameNamespace(hub, drill.hub))) {
    settings.warn('The scratch hub of DRILL_HUB_NAME counts against the device limit of the namespace it shares.');
  }
  return drill;
}
