import { gunzipSync, gzipSync } from 'node:zlib';
import { type App, createMemory, type Memory, type Policy } from '../../src/app/app.ts';
import { noteOnCard } from '../../src/app/readiness/card-store.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import { withFormer } from '../../src/app/stored/former-blobs.ts';
import { pairBlobs } from '../../src/app/stored/pair-blobs.ts';
import type { Blobs, HubRef, Log, StepQueue, World } from '../../src/core/ports.ts';
import { parseStep } from '../../src/core/run/step.ts';
import { realWorld } from '../../src/world.ts';
import { createMemoryBlobs, type MemoryBlobs } from './memory-blobs.ts';
import { createMemoryHub, type MemoryHub } from './memory-hub.ts';
import { createMemoryNotifier, type MemoryNotifier } from './memory-notifier.ts';
import { createMemoryQueue, type MemoryQueue } from './memory-queue.ts';
import { testPlatform } from './platform.ts';

/** The whole engine on memory parts and a clock of its own. */
export interface Engine {
  readonly app: App;
  readonly primary: MemoryHub;
  readonly secondary: MemoryHub;
  /** The scratch hub, where there is one. */
  readonly scratch: MemoryHub;
  /** As the app sees them. */
  readonly blobs: Blobs;
  /** What all apps on the storage account share. */
  readonly container: Blobs;
  readonly queue: MemoryQueue;
  readonly notifier: MemoryNotifier;
  /** Moves the clock. */
  advance(milliseconds: number): void;
  /** Delivers messages until none is left, waiting for delayed ones by moving the clock. */
  drain(): Promise<void>;
  /** Likewise, but all that are visible at the same time. */
  drainTogether(): Promise<void>;
  /** An engine that begins between two steps of this one, with other things between it and its parts. */
  fork(wrap?: EngineOptions['wrap']): Engine;
}

export interface EngineOptions {
  readonly policy?: Partial<Policy>;
  /** Drills restore into a hub of their own. */
  readonly hasScratchHub?: boolean;
  /** Names of the hubs, for a `wrap` that puts other hubs in their place. */
  readonly refs?: { readonly primary: HubRef; readonly secondary: HubRef };
  /** Puts something between the engine and its parts. */
  readonly wrap?: (parts: {
    blobs: Blobs;
    container: Blobs;
    queue: StepQueue;
    primary: MemoryHub;
    secondary: MemoryHub;
  }) => Partial<App>;
}

/** What an engine begins with. */
interface State {
  readonly nowMs: number;
  readonly suffix: number;
  readonly memory: Memory;
  readonly container: MemoryBlobs;
  readonly queue: MemoryQueue;
  readonly primary: MemoryHub;
  readonly secondary: MemoryHub;
  readonly scratch: MemoryHub;
}

/** The hubs of an engine: the settings call the first primary. */
export const [one, three] = [
  { namespace: 'one', hub: 'devices' },
  { namespace: 'three', hub: 'devices' },
];

export function createEngine(options: EngineOptions = {}): Engine {
  return openEngine(options, {
    nowMs: Date.parse('2026-11-23T09:00:00Z'),
    suffix: 0,
    memory: createMemory(),
    container: createMemoryBlobs(),
    queue: createMemoryQueue(),
    primary: createMemoryHub({ ref: options.refs?.primary ?? one }),
    secondary: createMemoryHub({ ref: options.refs?.secondary ?? three }),
    scratch: createMemoryHub({ ref: { namespace: 'scratch', hub: 'devices' } }),
  });
}

function openEngine({ policy = {}, hasScratchHub = false, wrap }: EngineOptions, state: State): Engine {
  let { nowMs, suffix } = state;
  const now = (): number => nowMs;
  const world: World = {
    ...realWorld,
    now,
    storageNow: now,
    sleep: async (milliseconds) => {
      nowMs += milliseconds;
    },
    repeat: () => () => {},
    newSuffix: () => (++suffix).toString(16).padStart(6, '0'),
    // Small and many: the way to a thread and the buffers for a real shard would cost more than the work.
    gzip: async (bytes) => gzipSync(bytes, { level: 1 }),
    gunzip: async (bytes) => gunzipSync(bytes),
  };
  const { memory, primary, secondary, scratch } = state;
  const container = state.container.copy(now);
  const pair = pairBlobs(container, primary.ref, secondary.ref);
  const blobs = withFormer(container, pair, [primary.ref, secondary.ref, scratch.ref]);
  const queue = state.queue.copy(now);
  const notifier = createMemoryNotifier();
  const app: App = {
    blobs,
    queue,
    world,
    log: silentLog,
    backgroundLog: silentLog,
    primary,
    secondary,
    drillHub: hasScratchHub ? scratch : undefined,
    hubMetadata: async () => undefined,
    platform: testPlatform,
    notifier,
    memory,
    listeners: [noteOnCard],
    policy: {
      toolVersion: 'test',
      stepBudgetMs: 240_000,
      maxConcurrency: 8,
      backupIntervalMs: 3_600_000,
      watchIntervalMs: 60_000,
      retention: { hourly: 24, daily: 7, weekly: 5, monthly: 12 },
      suspectDropPercent: 20,
      suspectAcceptAfter: 24,
      expiryFloorDays: 14,
      settleSeconds: 10,
      maxFailurePercent: 90,
      maxDeletePercent: 10,
      standbySync: 'off',
      standbyDriftPercent: 2,
      ignoredSettings: [],
      primaryTier: undefined,
      secondaryTier: undefined,
      ...policy,
    },
    ...wrap?.({ blobs, container, queue, primary, secondary }),
  };
  return {
    app,
    primary,
    secondary,
    scratch,
    blobs,
    container,
    queue,
    notifier,
    fork: (otherWrap) =>
      openEngine(
        { policy, hasScratchHub, ...(otherWrap === undefined ? {} : { wrap: otherWrap }) },
        {
          ...{ nowMs, suffix, memory: copyOf(memory), container, queue },
          ...{ primary: primary.copy(), secondary: secondary.copy(), scratch: scratch.copy() },
        },
      ),
    advance: (milliseconds) => {
      nowMs += milliseconds;
    },
    async drain() {
      for (let nextAt = queue.nextAt(); nextAt !== undefined; nextAt = queue.nextAt()) {
        nowMs = Math.max(nowMs, nextAt);
        for (const text of queue.take()) await runStep(app, parseStep(JSON.parse(text)));
      }
    },
    async drainTogether() {
      for (let nextAt = queue.nextAt(); nextAt !== undefined; nextAt = queue.nextAt()) {
        nowMs = Math.max(nowMs, nextAt);
        await Promise.all(queue.take().map((text) => runStep(app, parseStep(JSON.parse(text)))));
      }
    },
  };
}

const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {} };

/** Without what it holds for each hub object: a fork has hubs of its own. */
function copyOf({ lastOpen, foreignRows }: Memory): Memory {
  return { ...createMemory(), lastOpen: new Map(lastOpen), foreignRows: new Map(foreignRows) };
}
