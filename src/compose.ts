import { getHeapStatistics } from 'node:v8';
import type { InvocationContext } from '@azure/functions';
import { type App, type BulkJobs, type Change, createMemory } from './app/app.ts';
import { noteOnCard } from './app/readiness/card-store.ts';
import { withFormer } from './app/stored/former-blobs.ts';
import { pairBlobs } from './app/stored/pair-blobs.ts';
import { type Arm, createArm } from './azure/arm.ts';
import { createAzureBlobs } from './azure/blobs.ts';
import { createFeedbackFiles } from './azure/feedback-files.ts';
import { listKeys } from './azure/hub-keys.ts';
import type { HubResource } from './azure/hub-resource.ts';
import { createJobFiles } from './azure/job-files.ts';
import { readHubMetadata } from './azure/metadata.ts';
import { createAzureStepQueue } from './azure/step-queue.ts';
import { createTokens, type Tokens } from './azure/tokens.ts';
import { isSameHub } from './core/paths.ts';
import type { Blobs, HubRef, Log } from './core/ports.ts';
import { isOver } from './core/run/run.ts';
import { type HubConnection, type HubIdentity, parseHubConnection } from './hub/access/connection-string.ts';
import { createHub } from './hub/client.ts';
import { Limiter } from './hub/pace/limiter.ts';
import { createFeedback } from './hub/standard/feedback.ts';
import { createHubJobs } from './hub/standard/jobs.ts';
import { createKeys, type HubKeys } from './hub/transport/keys.ts';
import type { TransportOptions } from './hub/transport/transport.ts';
import { createLog } from './log.ts';
import { createHttpNotifier } from './notify/http-notifier.ts';
import { type Config, parseConfig, triggerBindings } from './settings/config.ts';
import { readPlatform } from './settings/platform.ts';
import { scheduleIntervalMs } from './settings/schedule.ts';
import { recordRun } from './telemetry/record.ts';
import { noteStorageTime, realWorld } from './world.ts';

/** What the triggers bind to: literal schedules and the queues, as set or by default. */
export const bindings = triggerBindings(process.env);

const TOOL_VERSION = '1.0.0';

let shared: Omit<App, 'log'> | undefined;

/**
 * The app for one invocation. Settings are read at the first one and not while loading: a host that shows an app with
 * wrong settings as "no functions" would hide them, and so every call answers `SettingsInvalid` instead.
 */
export function appFor(context: LogContext): App {
  const log = logOf(context);
  if (shared === undefined) {
    const config = parseConfig(process.env);
    for (const warning of [...config.ignored, ...config.warnings]) log.warn('setting', { warning });
    shared = compose(config);
  }
  return { ...shared, log };
}

/** The app, once an invocation has opened it. */
export function openedApp(context: LogContext): App | undefined {
  return shared === undefined ? undefined : { ...shared, log: logOf(context) };
}

type LogContext = Pick<InvocationContext, 'info' | 'warn' | 'error'>;

function logOf(context: LogContext): Log {
  return createLog((level, line) => context[level](line));
}

function compose(config: Config): Omit<App, 'log'> {
  const { maxConcurrency, backupMaxRequestsPerSecond: reading, restoreMaxRequestsPerSecond: writing } = config;
  const { primary, secondary, drill } = config.arm;
  const tokens = createTokens({ clientId: config.arm.clientId });
  const arm = createArm({ endpoint: config.arm.endpoint, tokens });
  const optionsOf = (connection: AnyHub, resource: HubResource | undefined, maxRequestsPerSecond?: number) => ({
    connection,
    keys: resource && keysOf(arm, connection, resource),
    clock: realWorld,
    random: Math.random,
    limiter: new Limiter({ maxConcurrency, maxRequestsPerSecond, clock: realWorld }),
  });
  const jobs = jobsOf(config, optionsOf);
  const hub = (...hubOptions: Parameters<typeof optionsOf>) => createHub(optionsOf(...hubOptions));
  return {
    blobs: openBlobs(config),
    queue: createAzureStepQueue({ connection: config.storage, queues: bindings.stepQueues }),
    world: realWorld,
    // A context takes no lines once its invocation is over.
    backgroundLog: createLog((level, line) => console[level](line)),
    primary: hub(config.primary, primary, reading),
    secondary: hub(config.secondary, secondary, writing),
    drillHub: config.drill === undefined ? undefined : hub(config.drill, drill, writing),
    hubMetadata: metadataOf(config, tokens),
    exports: config.backupSource === 'list' ? undefined : jobs,
    imports: jobs,
    feedback: feedbackOf(config, optionsOf),
    notifier: createHttpNotifier(config),
    platform: readPlatform(process.env, {
      version: process.versions.node,
      execArgv: process.execArgv,
      heapLimitBytes: getHeapStatistics().heap_size_limit,
    }),
    policy: {
      toolVersion: TOOL_VERSION,
      ignoredSettings: config.ignored,
      stepBudgetMs: config.stepBudgetMs,
      maxConcurrency,
      backupIntervalMs: scheduleIntervalMs(config.backupSchedule),
      watchIntervalMs: scheduleIntervalMs(bindings.watchdogSchedule),
      retention: config.retention,
      backupSource: config.backupSource,
      exportPatienceMs: config.exportPatienceMs,
      restoreWriter: config.restoreWriter,
      importPatienceMs: config.importPatienceMs,
      suspectDropPercent: config.suspectDropPercent,
      suspectAcceptAfter: config.suspectAcceptAfter,
      expiryFloorDays: config.expiryFloorDays,
      settleSeconds: config.settleSeconds,
      maxFailurePercent: config.maxFailurePercent,
      maxDeletePercent: config.maxDeletePercent,
      standbySync: config.standbySync,
      standbyDriftPercent: config.standbyDriftPercent,
      feedbackCleanup: config.feedbackCleanup,
      feedbackQuietMs: config.feedbackQuietMs,
      rpoMinutes: config.rpoMinutes,
      rtoMinutes: config.rtoMinutes,
      primaryTier: config.primaryTier,
      secondaryTier: config.secondaryTier,
    },
    memory: createMemory(),
    listeners: [noteOnCard, noteInMetrics],
  };
}

/** No request is made before the first job. */
function jobsOf(
  { primary, secondary, drill, arm, storage: connection }: Config,
  optionsOf: (hub: AnyHub, resource: HubResource | undefined) => TransportOptions,
): BulkJobs {
  const ofPrimary = createHubJobs(optionsOf(primary, arm.primary));
  const ofSecondary = createHubJobs(optionsOf(secondary, arm.secondary));
  const ofDrill = drill === undefined ? undefined : createHubJobs(optionsOf(drill, arm.drill));
  return {
    jobsOf(ref) {
      if (drill !== undefined && ofDrill !== undefined && isSameHub(ref, drill.ref)) return ofDrill;
      return isSameHub(ref, primary.ref) ? ofPrimary : ofSecondary;
    },
    files: createJobFiles({ connection }),
  };
}

function feedbackOf(
  { primary, secondary, arm }: Config,
  optionsOf: (hub: AnyHub, resource: HubResource | undefined) => TransportOptions,
): App['feedback'] {
  const ofPrimary = createFeedback(optionsOf(primary, arm.primary));
  const ofSecondary = createFeedback(optionsOf(secondary, arm.secondary));
  return { of: (ref) => (isSameHub(ref, primary.ref) ? ofPrimary : ofSecondary), files: createFeedbackFiles() };
}

async function noteInMetrics(_: App, change: Change): Promise<void> {
  if (change.kind === 'run' && isOver(change.run)) recordRun(change.run);
}

type AnyHub = HubConnection | HubIdentity;

/** The address comes with the keys, unless the settings have one: no host name is assumed. */
export function keysOf(arm: Arm, connection: AnyHub, resource: HubResource): HubKeys {
  const { hubName, ref } = connection;
  const given = 'key' in connection ? connection : undefined;
  const read = async (): Promise<readonly HubConnection[]> => {
    const texts = await listKeys(arm, resource);
    return texts.map((text) => {
      const { endpoint, ...key } = parseHubConnection(text, hubName, 'A key of Azure Resource Manager');
      return { ...key, endpoint: given?.endpoint ?? endpoint, hubName, ref };
    });
  };
  return createKeys(read, given);
}

/** A status call waits for it, as for the hubs. */
const METADATA_TIMEOUT_MS = 2500;

function metadataOf({ arm, primary, secondary }: Config, tokens: Tokens): App['hubMetadata'] {
  const brief = createArm({ endpoint: arm.endpoint, tokens, callTimeoutMs: METADATA_TIMEOUT_MS });
  const resourceOf = (ref: HubRef): HubResource | undefined => {
    if (isSameHub(ref, primary.ref)) return arm.primary;
    return isSameHub(ref, secondary.ref) ? arm.secondary : undefined;
  };
  return async (ref) => {
    const resource = resourceOf(ref);
    return resource && readHubMetadata(brief, resource);
  };
}

function openBlobs({ storage: connection, container, primary, secondary, drill }: Config): Blobs {
  const all = createAzureBlobs({ connection, container, onDate: noteStorageTime });
  const hubs = [primary.ref, secondary.ref, ...(drill === undefined ? [] : [drill.ref])];
  return withFormer(all, pairBlobs(all, primary.ref, secondary.ref), hubs);
}
