import type { InvocationContext } from '@azure/functions';
import { type App, createMemory } from './app/app.ts';
import { noteOnCard } from './app/readiness/card-store.ts';
import { withFormer } from './app/stored/former-blobs.ts';
import { pairBlobs } from './app/stored/pair-blobs.ts';
import { createAzureBlobs } from './azure/blobs.ts';
import { createAzureStepQueue } from './azure/step-queue.ts';
import type { Blobs, Log } from './core/ports.ts';
import { createHub } from './hub/client.ts';
import type { HubConnection } from './hub/connection-string.ts';
import { Limiter } from './hub/limiter.ts';
import { createLog } from './log.ts';
import { createHttpNotifier } from './notify/http-notifier.ts';
import { type Config, parseConfig, triggerBindings } from './settings/config.ts';
import { scheduleIntervalMs } from './settings/schedule.ts';
import { noteStorageTime, realWorld } from './world.ts';

/** What the triggers bind to: literal schedules and the queues, as set or by default. */
export const bindings = triggerBindings(process.env);

const TOOL_VERSION = '0.1.0';

let shared: Omit<App, 'log'> | undefined;

/**
 * The app for one invocation. Settings are read at the first one and not while loading: a host that shows an app with
 * wrong settings as "no functions" would hide them, and so every call answers `SettingsInvalid` instead.
 */
export function appFor(context: LogContext): App {
  const log = logOf(context);
  if (shared === undefined) {
    const config = parseConfig(process.env);
    for (const warning of config.warnings) log.warn('setting', { warning });
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
  const { maxConcurrency } = config;
  const hub = (connection: HubConnection, maxRequestsPerSecond: number | undefined) =>
    createHub({
      connection,
      clock: realWorld,
      random: Math.random,
      limiter: new Limiter({ maxConcurrency, maxRequestsPerSecond, clock: realWorld }),
    });
  return {
    blobs: openBlobs(config),
    queue: createAzureStepQueue({ connection: config.storage, queues: bindings.stepQueues }),
    world: realWorld,
    // A context takes no lines once its invocation is over.
    backgroundLog: createLog((level, line) => console[level](line)),
    primary: hub(config.primary, config.backupMaxRequestsPerSecond),
    secondary: hub(config.secondary, config.restoreMaxRequestsPerSecond),
    drillHub: config.drill === undefined ? undefined : hub(config.drill, config.restoreMaxRequestsPerSecond),
    notifier: createHttpNotifier(config),
    policy: {
      toolVersion: TOOL_VERSION,
      stepBudgetMs: config.stepBudgetMs,
      maxConcurrency,
      backupIntervalMs: scheduleIntervalMs(config.backupSchedule),
      watchIntervalMs: scheduleIntervalMs(bindings.watchdogSchedule),
      retention: config.retention,
      suspectDropPercent: config.suspectDropPercent,
      expiryFloorDays: config.expiryFloorDays,
      settleSeconds: config.settleSeconds,
      maxFailures: config.maxFailures,
      maxDeletePercent: config.maxDeletePercent,
      standbySync: config.standbySync,
      standbyDriftPercent: config.standbyDriftPercent,
      primaryTier: config.primaryTier,
      secondaryTier: config.secondaryTier,
    },
    memory: createMemory(),
    listeners: [noteOnCard],
  };
}

function openBlobs({ storage: connection, container, primary, secondary, drill }: Config): Blobs {
  const all = createAzureBlobs({ connection, container, onDate: noteStorageTime });
  const hubs = [primary.ref, secondary.ref, ...(drill === undefined ? [] : [drill.ref])];
  return withFormer(all, pairBlobs(all, primary.ref, secondary.ref), hubs);
}
