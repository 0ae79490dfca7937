import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DrError } from '../../src/core/errors.ts';
import { type Config, parseConfig, triggerBindings } from '../../src/settings/config.ts';
import { isDispensable } from '../../src/settings/dispensable.ts';
import { settings } from '../../src/settings/settings.ts';
import { runs } from '../support/property-runs.ts';

const KEY = 'c2VjcmV0LWtleS10aGF0LW11c3Qtbm90LXNob3c9';
const hubConnection = (namespace: string) =>
  `Endpoint=sb://${namespace}.servicebus.windows.net/;SharedAccessKeyName=RootManage;SharedAccessKey=${KEY}`;
const storageConnection = `DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=${KEY};EndpointSuffix=core.windows.net`;

type Env = Record<string, string | undefined>;

const required = {
  PRIMARY_HUB_CONNECTION: hubConnection('east'),
  PRIMARY_HUB_NAME: 'News',
  SECONDARY_HUB_CONNECTION: hubConnection('west'),
  SECONDARY_HUB_NAME: 'News',
  SNAPSHOT_STORAGE: storageConnection,
};

/** The required settings and those given; `undefined` takes one away. */
function anEnv(given: Env = {}): Env {
  return { ...required, ...given };
}

function faultsOf(env: Env): Record<string, string> {
  const error = thrownBy(env);
  return Object.fromEntries(error.details.map((detail) => [detail.target ?? '', detail.message]));
}

function thrownBy(env: Env): DrError {
  try {
    parseConfig(env);
  } catch (error) {
    if (error instanceof DrError) return error;
    throw error;
  }
  throw new Error('The settings were accepted.');
}

describe('settings that are right', () => {
  test('give a config with defaults, frozen all through', () => {
    const config = parseConfig(anEnv());
    expect(config).toEqual({
      primary: {
        endpoint: new URL('https://east.servicebus.windows.net/'),
        keyName: 'RootManage',
        key: KEY,
        hubName: 'News',
        ref: { namespace: 'east', hub: 'news' },
      },
      secondary: expect.objectContaining({ ref: { namespace: 'west', hub: 'news' } }),
      drill: undefined,
      arm: {
        endpoint: 'https://management.azure.com',
        clientId: undefined,
        primary: undefined,
        secondary: undefined,
        drill: undefined,
      },
      primaryTier: undefined,
      secondaryTier: undefined,
      storage: { kind: 'connectionString', value: storageConnection },
      container: 'hub-snapshots',
      backupSchedule: '0 0 * * * *',
      retention: { hourly: 24, daily: 7, weekly: 5, monthly: 12 },
      stepBudgetMs: 240_000,
      maxConcurrency: 64,
      backupMaxRequestsPerSecond: undefined,
      restoreMaxRequestsPerSecond: undefined,
      suspectDropPercent: 20,
      suspectAcceptAfter: 24,
      expiryFloorDays: 14,
      settleSeconds: 10,
      maxFailurePercent: 90,
      maxDeletePercent: 10,
      standbySync: 'off',
      standbyDriftPercent: 2,
      backupSource: 'list',
      exportPatienceMs: 900_000,
      restoreWriter: 'direct',
      importPatienceMs: 900_000,
      feedbackCleanup: 'off',
      feedbackQuietMs: 86_400_000,
      rpoMinutes: undefined,
      rtoMinutes: undefined,
      heartbeatUrl: undefined,
      alertWebhookUrl: undefined,
      warnings: [],
      ignored: [],
    } satisfies Config);
    for (const part of [
      config,
      config.primary,
      config.secondary,
      config.arm,
      config.storage,
      config.retention,
      config.warnings,
    ]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  test('are taken as set, with spaces around them cut off and empty ones as absent', () => {
    const config = parseConfig(
      anEnv({
        PRIMARY_TIER: 'standard',
        SECONDARY_TIER: 'Basic',
        SNAPSHOT_CONTAINER: ' my-snapshots ',
        STEP_QUEUE: '',
        BACKUP_SCHEDULE: '0 */30 * * * *',
        BACKUP_SOURCE: 'auto',
        RESTORE_WRITER: 'import',
        RETAIN_HOURLY: '0',
        STEP_BUDGET_SECONDS: '1500',
        BACKUP_MAX_REQUESTS_PER_SECOND: '50',
        RESTORE_MAX_REQUESTS_PER_SECOND: '  ',
        MAX_FAILURE_PERCENT: '100',
      }),
    );
    expect(config).toMatchObject({
      primaryTier: 'Standard',
      secondaryTier: 'Basic',
      container: 'my-snapshots',
      backupSchedule: '0 */30 * * * *',
      backupSource: 'auto',
      restoreWriter: 'import',
      retention: { hourly: 0 },
      stepBudgetMs: 1_500_000,
      backupMaxRequestsPerSecond: 50,
      restoreMaxRequestsPerSecond: undefined,
      maxFailurePercent: 100,
      warnings: [],
      ignored: [],
    });
  });

  test('may name two hubs of one namespace, or hubs of one name in two', () => {
    const env = anEnv({ SECONDARY_HUB_CONNECTION: hubConnection('east'), SECONDARY_HUB_NAME: 'News-2' });
    expect(parseConfig(env).secondary.ref).toEqual({ namespace: 'east', hub: 'news-2' });
  });
});

const resourceId = (namespace: string, hub = 'News') =>
  `/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/push-rg/providers/Microsoft.NotificationHubs/namespaces/${namespace}/notificationHubs/${hub}`;

describe('a hub by its resource id', () => {
  const withIds = (given: Env = {}): Env => ({
    PRIMARY_HUB_RESOURCE_ID: resourceId('East'),
    SECONDARY_HUB_RESOURCE_ID: `${resourceId('west')}/authorizationRules/dr`,
    SNAPSHOT_STORAGE: storageConnection,
    ...given,
  });

  test('needs no connection string and no name, and is the same hub as with them', () => {
    const { primary, secondary, drill, arm } = parseConfig(withIds({ DRILL_HUB_RESOURCE_ID: resourceId('west', 'x') }));
    expect(primary).toEqual({ hubName: 'News', ref: parseConfig(anEnv()).primary.ref });
    expect([secondary.ref, drill?.ref]).toEqual([
      { namespace: 'west', hub: 'news' },
      { namespace: 'west', hub: 'x' },
    ]);
    expect(arm.primary?.policyId).toBe(`${resourceId('East')}/authorizationRules/DefaultFullSharedAccessSignature`);
    expect(arm.secondary).toMatchObject({
      namespaceId: resourceId('west').replace('/notificationHubs/News', ''),
      policyId: `${resourceId('west')}/authorizationRules/dr`,
    });
  });

  test('may come with the connection string that is used until it is refused', () => {
    const env = anEnv({ PRIMARY_HUB_RESOURCE_ID: resourceId('east'), PRIMARY_HUB_NAME: undefined });
    const { primary, arm } = parseConfig(env);
    expect(primary).toMatchObject({ key: KEY, hubName: 'News', ref: { namespace: 'east', hub: 'news' } });
    expect(arm.primary?.hubId).toBe(resourceId('east'));
  });

  test.each<[string, Env, string]>([
    ['names no hub', { PRIMARY_HUB_RESOURCE_ID: '/subscriptions/x' }, 'PRIMARY_HUB_RESOURCE_ID'],
    ['is of another hub', { PRIMARY_HUB_NAME: 'others' }, 'PRIMARY_HUB_NAME'],
    ['is of another namespace', { PRIMARY_HUB_CONNECTION: hubConnection('north') }, 'PRIMARY_HUB_CONNECTION'],
    ['names the primary', { SECONDARY_HUB_RESOURCE_ID: resourceId('EAST', 'NEWS') }, 'SECONDARY_HUB_RESOURCE_ID'],
    ['is asked for in clear', { ARM_ENDPOINT: 'http://management.example' }, 'ARM_ENDPOINT'],
    ['is asked for by no identity', { ARM_CLIENT_ID: 'me' }, 'ARM_CLIENT_ID'],
  ])('is refused where it %s', (_, given, target) => {
    expect(Object.keys(faultsOf(withIds(given)))).toEqual([target]);
  });

  test('is not used for drills where it names a hub in use', () => {
    const { arm, ignored } = parseConfig(withIds({ DRILL_HUB_RESOURCE_ID: resourceId('west') }));
    expect(arm.drill).toBeUndefined();
    expect(ignored).toEqual([expect.stringMatching(/^DRILL_HUB_RESOURCE_ID: names the primary or secondary hub/)]);
  });

  test('is asked for by the identity of the storage, unless another is named', () => {
    const [ofStorage, own] = ['1', '2'].map((digit) => `00000000-0000-4000-8000-00000000000${digit}`);
    const env = withIds({
      SNAPSHOT_STORAGE: undefined,
      SNAPSHOT_STORAGE__accountName: 'acct',
      SNAPSHOT_STORAGE__clientId: ofStorage,
    });
    expect(parseConfig(env).arm.clientId).toBe(ofStorage);
    expect(parseConfig({ ...env, ARM_CLIENT_ID: own }).arm.clientId).toBe(own);
    expect(parseConfig(withIds({ AZURE_CLIENT_ID: own })).arm.clientId).toBeUndefined();
  });
});

describe('settings at fault', () => {
  test('are all reported at once, each with its name and what is accepted, where a restore needs one of them', () => {
    const faults = faultsOf({
      PRIMARY_HUB_CONNECTION: 'nonsense',
      SECONDARY_HUB_NAME: 'a hub',
      PRIMARY_TIER: 'Premium',
      SNAPSHOT_CONTAINER: 'Upper',
      STEP_QUEUE: 'a--b',
      BACKUP_SCHEDULE: 'hourly',
      RETENTION_SCHEDULE: '0 0 *',
      WATCHDOG_SCHEDULE: '00:01:00',
      RETAIN_DAILY: '-1',
      STEP_BUDGET_SECONDS: '0',
      MAX_CONCURRENCY: '1e3',
      BACKUP_MAX_REQUESTS_PER_SECOND: '0',
      SUSPECT_DROP_PERCENT: '20%',
      SETTLE_SECONDS: '10.5',
    });
    expect(faults).toEqual({
      PRIMARY_HUB_CONNECTION: expect.stringMatching(/not of the form Name=Value/),
      PRIMARY_HUB_NAME: expect.stringMatching(/is missing: set it to the name of the hub/),
      SECONDARY_HUB_CONNECTION: expect.stringMatching(/is missing: set it to the connection string/),
      SECONDARY_HUB_NAME: expect.stringMatching(/must be the name of the hub.*, not 'a hub'/),
      SNAPSHOT_STORAGE: expect.stringMatching(/is missing.*SNAPSHOT_STORAGE__blobServiceUri/),
      PRIMARY_TIER: "PRIMARY_TIER: must be Free, Basic, Standard or absent, not 'Premium'",
      SNAPSHOT_CONTAINER: expect.stringMatching(/must be 3 to 63 lower-case letters.*, not 'Upper'/),
      STEP_QUEUE: expect.stringMatching(/single hyphens/),
      BACKUP_SCHEDULE: expect.stringMatching(/six fields/),
      RETENTION_SCHEDULE: expect.stringMatching(/six fields, not 3/),
      WATCHDOG_SCHEDULE: expect.stringMatching(/time span/),
      RETAIN_DAILY: expect.stringMatching(/whole number from 0 to 3660, not '-1'/),
      STEP_BUDGET_SECONDS: expect.stringMatching(/from 1 to 1500, not '0'/),
      MAX_CONCURRENCY: expect.stringMatching(/from 1 to 1024, not '1e3'/),
      BACKUP_MAX_REQUESTS_PER_SECOND: expect.stringMatching(/from 1 to/),
      SUSPECT_DROP_PERCENT: expect.stringMatching(/from 1 to 100/),
      SETTLE_SECONDS: expect.stringMatching(/whole number/),
    });
    for (const [name, message] of Object.entries(faults)) expect(message.startsWith(`${name}: `)).toBe(true);
  });

  test.each([
    ['PRIMARY_TIER', 'Premium', /must be Free, Basic, Standard or absent, not 'Premium'; .* the hub is asked/],
    ['BACKUP_SCHEDULE', 'hourly', /six fields, not 1; .* its default holds \(0 0 \* \* \* \*\)/],
    ['RETENTION_SCHEDULE', '0 0 *', /six fields, not 3; .* its default holds \(0 30 2/],
    ['WATCHDOG_SCHEDULE', '00:01:00', /time span.* its default holds/],
    ['RETAIN_DAILY', '-1', /whole number from 0 to 3660, not '-1'; .* no snapshot is deleted/],
    ['STEP_BUDGET_SECONDS', '0', /from 1 to 1500, not '0'; .* its default holds \(240\)/],
    ['MAX_CONCURRENCY', '1e3', /from 1 to 1024, not '1e3'; .* its default holds \(64\)/],
    ['BACKUP_MAX_REQUESTS_PER_SECOND', '0', /from 1 to .* its rate has no limit/],
    ['SUSPECT_DROP_PERCENT', '20%', /from 1 to 100; .* its default holds \(20\)/],
    ['SETTLE_SECONDS', '10.5', /whole number.* its default holds \(10\)/],
    ['MAX_DELETE_PERCENT', 'some', /whole number.* it is 0/],
    ['ALERT_WEBHOOK_URL', 'notaurl', /must be an http or https address; .* no alert is sent/],
    ['HEARTBEAT_URL', 'ftp://example.com/x', /must be an http or https address; .* no heartbeat is sent/],
    ['DRILL_HUB_NAME', 'x', /DRILL_HUB_CONNECTION: is missing.* drills only verify a snapshot/],
  ])('that a restore can do without are passed over, each with what is done instead: %s', (name, text, sentence) => {
    const { ignored, ...config } = parseConfig(anEnv({ [name]: text }));
    expect(ignored).toEqual([expect.stringMatching(sentence)]);
    expect(ignored[0]).toMatch(/^[A-Z_]+: .*; until it is right, .*\.$/);
    const { ignored: _, ...usual } = parseConfig(anEnv({}));
    const retention = name.startsWith('RETAIN_') ? undefined : usual.retention;
    const maxDeletePercent = name === 'MAX_DELETE_PERCENT' ? 0 : usual.maxDeletePercent;
    expect(config).toEqual({ ...usual, retention, maxDeletePercent });
  });

  test('include the name of an earlier version, with the one in its place, and keep no restore from running', () => {
    const { ignored, maxFailurePercent } = parseConfig(anEnv({ MAX_FAILURES: '1000', MAX_FAILURE_PERCENT: '50' }));
    expect(maxFailurePercent).toBe(50);
    expect(ignored).toEqual([
      'MAX_FAILURES: is a setting of an earlier version: remove it, and set MAX_FAILURE_PERCENT, the share of the writes that may fail; until it is right, the default of that holds, unless it is set.',
    ]);
  });

  test('are in the message, too, for a reader who sees only that', () => {
    const error = thrownBy(anEnv({ PRIMARY_HUB_NAME: undefined, MAX_FAILURE_PERCENT: 'many' }));
    expect(error).toMatchObject({ code: 'SettingsInvalid', retryable: false });
    expect(error.message).toMatch(
      /^These settings cannot be used: PRIMARY_HUB_NAME: .*; MAX_FAILURE_PERCENT: .*'many'\.$/,
    );
  });

  test('include a secondary hub that is the primary itself, however it is written', () => {
    const env = anEnv({ SECONDARY_HUB_CONNECTION: hubConnection('EAST'), SECONDARY_HUB_NAME: 'NEWS' });
    expect(faultsOf(env)).toEqual({ SECONDARY_HUB_NAME: expect.stringMatching(/names the primary hub itself/) });
  });

  test('include a scratch hub that is the primary or the secondary, or of which one half is missing: it is not used', () => {
    const drill = (namespace: string, hub: string | undefined) =>
      parseConfig(anEnv({ DRILL_HUB_CONNECTION: hubConnection(namespace), DRILL_HUB_NAME: hub }));
    const ignored = (sentence: RegExp) => ({ drill: undefined, ignored: [expect.stringMatching(sentence)] });
    expect(drill('EAST', 'news')).toMatchObject(ignored(/^DRILL_HUB_NAME: names the primary or secondary/));
    expect(drill('west', 'News')).toMatchObject(ignored(/^DRILL_HUB_NAME: names the primary or secondary/));
    expect(drill('south', undefined)).toMatchObject(ignored(/^DRILL_HUB_NAME: is missing/));
    expect(drill('south', 'news')).toMatchObject({ drill: { ref: { namespace: 'south' } }, warnings: [], ignored: [] });
    expect(drill('west', 'scratch').warnings).toEqual([expect.stringMatching(/device limit/)]);
  });

  test('include a reference to a vault that was not resolved', () => {
    const reference = '@Microsoft.KeyVault(SecretUri=https://vault.vault.azure.net/secrets/x)';
    const env = { PRIMARY_HUB_CONNECTION: reference, SNAPSHOT_STORAGE: reference, SECONDARY_HUB_NAME: reference };
    const faults = faultsOf(anEnv(env));
    expect(Object.keys(faults).sort()).toEqual(Object.keys(env).sort());
    for (const message of Object.values(faults)) expect(message).toMatch(/reference that was not resolved/);
  });

  test('in a connection string are found even where the hub name is missing', () => {
    const env = anEnv({
      PRIMARY_HUB_NAME: undefined,
      PRIMARY_HUB_CONNECTION: 'Endpoint=sb://east.servicebus.windows.net/;SharedAccessKeyName=x;EntityPath=news',
    });
    expect(faultsOf(env)).toEqual({
      PRIMARY_HUB_NAME: expect.stringMatching(/is missing/),
      PRIMARY_HUB_CONNECTION: expect.stringMatching(/SharedAccessKeyName and SharedAccessKey are needed/),
    });
  });
});

describe('secrets', () => {
  test.each(settings.map((setting) => setting.name))('do not show in a fault when one is put into %s', (name) => {
    for (const secret of [KEY, hubConnection('east'), storageConnection, `${storageConnection};x`, `sig=${KEY}`]) {
      try {
        parseConfig(anEnv({ [name]: secret }));
      } catch (error) {
        expect(error).toBeInstanceOf(DrError);
        expect(JSON.stringify(error, ['message', 'details', 'target']) + String(error)).not.toContain(KEY.slice(0, 12));
      }
    }
  });
});

describe('names that are nearly ours', () => {
  test.each([
    ['BACKUP_SCEDULE', 'BACKUP_SCHEDULE'],
    ['STEP_BUDGET_SECOND', 'STEP_BUDGET_SECONDS'],
    ['RETAIN_HORULY', 'RETAIN_HOURLY'],
    ['backup_schedule', 'BACKUP_SCHEDULE'],
    ['MAX-CONCURRENCY', 'MAX_CONCURRENCY'],
    ['SNAPSHOT_STORAG', 'SNAPSHOT_STORAGE'],
  ])('%s is reported as a warning, not a fault', (name, meant) => {
    expect(parseConfig(anEnv({ [name]: 'x' })).warnings).toEqual([
      `The setting ${name} has no effect; did you mean ${meant}?`,
    ]);
  });

  test('a required one that is missing is named with what was probably meant', () => {
    const { PRIMARY_HUB_NAME: _, ...env } = anEnv({ PRIMARY_HUB_NAM: 'devices' });
    expect(() => parseConfig(env)).toThrow('The setting PRIMARY_HUB_NAM has no effect; did you mean PRIMARY_HUB_NAME?');
  });

  test('and other names are left alone', () => {
    const env = anEnv({
      PATH: '/bin',
      AzureWebJobsStorage: 'x',
      MAX_AGE: '1',
      SCHEDULE: 'x',
      FUNCTIONS_WORKER_RUNTIME: 'node',
    });
    expect(parseConfig(env).warnings).toEqual([]);
  });

  test('a policy that may only listen is warned of', () => {
    const connection = hubConnection('east').replace('RootManage', 'DefaultListenSharedAccessSignature');
    expect(parseConfig(anEnv({ PRIMARY_HUB_CONNECTION: connection })).warnings).toEqual([
      expect.stringMatching(/^PRIMARY_HUB_CONNECTION uses a policy that may only listen/),
    ]);
  });
});

describe('what the triggers bind to', () => {
  test('is there whatever the settings are, with defaults for those at fault', () => {
    expect(triggerBindings({})).toEqual({
      backupSchedule: '0 0 * * * *',
      drillSchedule: '0 0 4 * * 0',
      feedbackSchedule: '0 20 * * * *',
      retentionSchedule: '0 30 2 * * *',
      watchdogSchedule: '30 * * * * *',
      stepQueues: expect.objectContaining({ former: 'dr-steps' }),
      stepQueueConnection: 'SNAPSHOT_STORAGE',
    });
    const env = {
      BACKUP_SCHEDULE: '0 15 * * * *',
      RETENTION_SCHEDULE: 'nightly',
      STEP_QUEUE: 'Q',
      WATCHDOG_SCHEDULE: ' ',
    };
    expect(triggerBindings(env)).toMatchObject({
      backupSchedule: '0 15 * * * *',
      retentionSchedule: '0 30 2 * * *',
      watchdogSchedule: '30 * * * * *',
      stepQueues: { former: 'dr-steps' },
    });
  });

  test('is the same as the config when nothing is at fault', () => {
    const env = anEnv({ BACKUP_SCHEDULE: '0 15 * * * *', STEP_QUEUE: 'my-steps' });
    expect(triggerBindings(env)).toMatchObject({
      backupSchedule: parseConfig(env).backupSchedule,
      stepQueues: { former: 'my-steps', restores: expect.stringMatching(/^my-steps-restores-[0-9a-f]{8}$/) },
    });
  });
});

describe('for any environment at all', () => {
  test('parsing gives a config or a SettingsInvalid, never anything else', () => {
    fc.assert(
      fc.property(anyEnv, (env) => {
        try {
          expect(Object.isFrozen(parseConfig(env))).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(DrError);
          expect(error).toMatchObject({ code: 'SettingsInvalid' });
        }
        expect(Object.values(triggerBindings(env)).every((binding) => binding !== '')).toBe(true);
      }),
      { numRuns: runs(600) },
    );
  });

  test('every setting at fault is named once, and no other: as an error where a restore needs one of them', () => {
    fc.assert(
      fc.property(fc.subarray([...breakages]), (broken) => {
        const env = anEnv(Object.fromEntries(broken));
        const names = broken.map(([name]) => name).toSorted();
        const named = names.every(isDispensable)
          ? parseConfig(env).ignored.map((sentence) => sentence.split(':')[0])
          : thrownBy(env).details.map((detail) => detail.target);
        expect(named.toSorted()).toEqual(names);
      }),
      { numRuns: runs(400) },
    );
  });
});

const breakages: readonly (readonly [string, string | undefined])[] = [
  ['PRIMARY_HUB_CONNECTION', 'Endpoint=x'],
  ['PRIMARY_HUB_NAME', undefined],
  ['SECONDARY_HUB_CONNECTION', undefined],
  ['SECONDARY_HUB_NAME', '-'],
  ['SNAPSHOT_STORAGE', 'x'],
  ['PRIMARY_TIER', '1'],
  ['SECONDARY_TIER', 'x'],
  ['SNAPSHOT_CONTAINER', 'ab'],
  ['STEP_QUEUE', 'q'.repeat(57)],
  ['BACKUP_SCHEDULE', '* * * * * 8'],
  ['RETENTION_SCHEDULE', '@yesterday'],
  ['WATCHDOG_SCHEDULE', '0 0 0 31 4 *'],
  ['RETAIN_HOURLY', 'x'],
  ['RETAIN_DAILY', '1 day'],
  ['RETAIN_WEEKLY', '+1'],
  ['RETAIN_MONTHLY', '1e1'],
  ['DRILL_SCHEDULE', 'weekly'],
  ['HEARTBEAT_URL', 'ftp://example.com/x'],
  ['ALERT_WEBHOOK_URL', 'example.com'],
  ['STEP_BUDGET_SECONDS', '1501'],
  ['MAX_CONCURRENCY', '0'],
  ['BACKUP_MAX_REQUESTS_PER_SECOND', 'none'],
  ['RESTORE_MAX_REQUESTS_PER_SECOND', '0.5'],
  ['SUSPECT_DROP_PERCENT', '101'],
  ['RESTORE_EXPIRY_FLOOR_DAYS', '0x10'],
  ['SETTLE_SECONDS', '99999999999'],
  ['MAX_FAILURE_PERCENT', 'Infinity'],
];

const anyName = fc.oneof(
  fc.constantFrom(...settings.map((setting) => setting.name)),
  fc
    .constantFrom('SNAPSHOT_STORAGE__', 'AzureWebJobsSNAPSHOT_STORAGE__')
    .chain((prefix) =>
      fc
        .constantFrom('blobServiceUri', 'queueServiceUri', 'accountName', 'clientId', '', 'x')
        .map((part) => prefix + part),
    ),
  fc.constantFrom('AzureWebJobsSNAPSHOT_STORAGE', '__proto__', 'constructor', 'toString'),
  fc.string(),
);

const anyValue = fc.oneof(
  fc.constantFrom(...Object.values(required), '', ' ', '0', '24', 'https://acct.blob.core.windows.net', 'https://'),
  fc.string({ unit: 'grapheme' }),
  fc.constant(undefined),
);

const anyEnv: fc.Arbitrary<Env> = fc
  .tuple(fc.boolean(), fc.dictionary(anyName, anyValue, { maxKeys: 12 }))
  .map(([isMostlyRight, given]) => (isMostlyRight ? anEnv(given) : given));
