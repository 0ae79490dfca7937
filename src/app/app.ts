import { DrError, faultCode } from '../core/errors.ts';
import { fullNameOf, isSameHub, type RunKind } from '../core/paths.ts';
import type {
  Blobs,
  Feedback,
  FeedbackFiles,
  Hub,
  HubJobs,
  HubRef,
  JobFiles,
  Log,
  LogFields,
  Notifier,
  StepQueue,
  World,
} from '../core/ports.ts';
import type { ReadinessCard, RefusedWrite, StorageRefusal } from '../core/readiness/card.ts';
import type { HubMetadata } from '../core/readiness/metadata.ts';
import type { Platform } from '../core/readiness/platform.ts';
import type { HubLook, Tier } from '../core/readiness/tiers.ts';
import type { StepWait } from '../core/run/live.ts';
import type { Run } from '../core/run/run.ts';
import type { Step } from '../core/run/step.ts';
import type { RetentionPolicy } from '../core/snapshot/retention.ts';
import type { ScanCheckpoint } from '../core/snapshot/scan-checkpoint.ts';

/** What the use cases work with: ports, and the settings that shape their decisions. */
export interface App {
  readonly blobs: Blobs;
  readonly queue: StepQueue;
  readonly world: World;
  readonly log: Log;
  /** For what is done between the invocations, to which `log` belongs. */
  readonly backgroundLog: Log;
  readonly primary: Hub;
  readonly secondary: Hub;
  /** The scratch hub of drills, where the settings name one. */
  readonly drillHub: Hub | undefined;
  /** What Resource Manager says of a hub; `undefined` where the settings have no resource id of it. Never rejects. */
  readonly hubMetadata: (hub: HubRef) => Promise<HubMetadata | undefined>;
  /** What a backup from export jobs needs; absent where the settings want none. */
  readonly exports?: BulkJobs | undefined;
  /** What import jobs need: also to look after those that were begun under other settings. */
  readonly imports?: BulkJobs | undefined;
  /** What push services have said of the devices of both hubs. */
  readonly feedback?: { readonly of: (hub: HubRef) => Feedback; readonly files: FeedbackFiles } | undefined;
  readonly notifier: Notifier;
  readonly platform: Platform;
  readonly policy: Policy;
  readonly memory: Memory;
  /** Called, one after another, after each stored change. */
  readonly listeners: readonly ((app: App, change: Change) => Promise<void>)[];
}

/** The bulk jobs of the hubs, and the storage that they write to and read from. */
export interface BulkJobs {
  readonly jobsOf: (hub: HubRef) => HubJobs;
  readonly files: JobFiles;
}

/** A stored change that others may want to react to. */
export type Change =
  | { readonly kind: 'run'; readonly run: Run }
  | { readonly kind: 'proof' | 'drillEnded' | 'role' }
  /** What the storage refuses, and why; absent when it does no longer. */
  | { readonly kind: 'refusal'; readonly what: RefusedWrite; readonly message: string | undefined };

export async function emit(app: App, change: Change): Promise<void> {
  for (const listener of app.listeners) await listener(app, change);
}

/** What backends have said of devices through both hubs, by the hashes of their keys. */
export interface Words {
  /** When the hub last confirmed a write of the device's backend, or a delete (epoch ms); 0: not since then. */
  confirmedAt(keyHash: number): number;
  /** Whether a write of its backend waits for a hub. */
  isWaiting(keyHash: number): boolean;
}

/**
 * Hashes of what lives in a target elsewhere than the snapshot has it, in ascending order and 8 bytes each: a `Set` of
 * as many devices as a hub may hold would not fit. What is ours does not stand in the way.
 */
export interface ForeignRows {
  readonly takenHandles: Float64Array;
  readonly takenIds: Float64Array;
  /** Of what is to be withdrawn, which may turn out to be too much. */
  readonly doomedHandles: Float64Array;
  readonly doomedIds: Float64Array;
  /** Of the row at the same place in `doomedIds`. */
  readonly handlesOfDoomedIds: Float64Array;
  /** Of what is ours and gets other ids. */
  readonly freedIds: Float64Array;
  /** Of what is ours and stays. */
  readonly heldHandles: Float64Array;
  readonly ourIds: Float64Array;
  /** Of the row at the same place in `ourIds`. */
  readonly ourVersions: Float64Array;
}

/**
 * What one process remembers from step to step, a field for each user. It only saves requests: losing it loses nothing.
 */
export interface Memory {
  /** Tells this process from others in the leases it holds; drawn with the first one. */
  processId: string | undefined;
  /** By the name of its lease each step in hand. */
  readonly held: Map<string, HeldStep>;
  /** Names of leases this process is about to take. */
  readonly taking: Set<string>;
  stopRenewing: (() => void) | undefined;
  /** Runs this process has done a step of, until they are over. */
  readonly watched: Map<string, RunKind>;
  stopWatching: (() => void) | undefined;
  /** The readiness card as this process last wrote it. */
  lastCard: { readonly name: string; readonly card: ReadinessCard; readonly etag: string } | undefined;
  /** By run the last shard that was open when its phase's results were last listed. */
  readonly lastOpen: Map<string, { readonly phase: string; readonly shard: number }>;
  /** By run and phase the shards that are being worked on; a shard twice when its message came twice. */
  readonly inFlight: Map<string, number[]>;
  /**
   * Steps this process works on, each as its message says: from its delivery until it is done or enqueued again, which
   * is before and after it has a lease. With when it was delivered (epoch ms).
   */
  readonly stepsInHand: Map<Step, number>;
  /** Of these, those that have enqueued themselves again, or are about to. */
  readonly enqueued: WeakSet<Step>;
  /** Steps that have more to write to a hub, the first one first. */
  readonly writing: Set<HeldStep>;
  /** The host stops: steps save, enqueue themselves again and end. */
  isStopping: boolean;
  /** Why the card could not be stored the last time, since when, and whether nothing else could be either. */
  cardRefusal: (StorageRefusal & { readonly isForAll: boolean }) | undefined;
  /** Alerts that were sent, which could not be stored. */
  readonly sentAlerts: Set<string>;
  /** By what was tried the code of what it fails with, which is logged. */
  readonly faults: Map<string, string>;
  /** By run whether it was over when it was last read. */
  readonly endLooks: Map<string, { isOver: boolean; atMs: number; found: Promise<boolean> }>;
  /** By run and pass what lives in the target under another key. */
  readonly foreignRows: Map<string, Promise<ForeignRows>>;
  /** By run the hashes of handles and ids that it may write. */
  readonly inTheWay: Map<string, Promise<Float64Array>>;
  /** By run the shard counts that its source has maps of registration ids for. */
  readonly idMapCounts: Map<string, Promise<readonly number[]>>;
  /** By run and pass what its listing staged. */
  readonly finishedScans: Map<string, Promise<ScanCheckpoint>>;
  /** By run what backends have said of devices through its target, and when that was read. */
  readonly words: Map<string, { readonly atMs: number; readonly came: Promise<Words> }>;
  /** By run, sources that did not answer. */
  readonly silentSources: Set<string>;
  /** Time a hub's throttling has cost that some shard has already counted. */
  readonly lostTime: Map<Hub, { atMs: number; totalMs: number }>;
  /** What was last read of each hub's settings. */
  readonly metadata: Map<Hub, { freshUntilMs: number; readonly answer: Promise<HubMetadata | undefined> }>;
  /** The last probe of each hub. */
  readonly probes: Map<Hub, { readonly atMs: number; readonly answer: Promise<HubLook> }>;
}

/** A step in the hands of this process. */
export interface HeldStep {
  readonly step: Step;
  /** Of its lease. */
  readonly name: string;
  /** When its time is up (epoch ms). */
  readonly deadlineAt: number;
  readonly takenAtMs: number;
  /** What it waited for before, without any progress since. */
  readonly wait: StepWait | undefined;
  etag: string;
  /** Another process has taken it over: it has to stop without a trace. */
  isLost: boolean;
  /** A renewal came so late that the lease may have been over before. */
  wasLate: boolean;
  /** The last renewal. */
  renewing: Promise<void>;
  /** What it was answered is known, and so is the `etag`. */
  isAnswered: boolean;
  /** When that began, until it ends. */
  renewingSinceMs: number | undefined;
  /** When the last one that succeeded began: by then no other process had taken the step over. */
  renewedAtMs: number;
}

export function createMemory(): Memory {
  return {
    processId: undefined,
    held: new Map(),
    taking: new Set(),
    stopRenewing: undefined,
    watched: new Map(),
    stopWatching: undefined,
    lastCard: undefined,
    lastOpen: new Map(),
    inFlight: new Map(),
    stepsInHand: new Map(),
    enqueued: new WeakSet(),
    writing: new Set(),
    isStopping: false,
    cardRefusal: undefined,
    sentAlerts: new Set(),
    faults: new Map(),
    endLooks: new Map(),
    foreignRows: new Map(),
    inTheWay: new Map(),
    idMapCounts: new Map(),
    finishedScans: new Map(),
    words: new Map(),
    silentSources: new Set(),
    lostTime: new Map(),
    metadata: new Map(),
    probes: new Map(),
  };
}

export interface Policy {
  readonly toolVersion: string;
  /** Settings at fault, each with what is done without it: whole sentences. */
  readonly ignoredSettings: readonly string[];
  /** Work time of one step; it may be overrun by one request. */
  readonly stepBudgetMs: number;
  readonly maxConcurrency: number;
  /** Of what a restore knows of its target's rows, read at once by one step; absent: 16 MB. */
  readonly tableBytesAtOnce?: number | undefined;
  readonly backupIntervalMs: number;
  /** Where a backup's rows come from; by `auto` from an export job where the hub is large. */
  readonly backupSource?: 'list' | 'export' | 'auto' | undefined;
  /** An export job that has not moved on for so long is given up. */
  readonly exportPatienceMs?: number | undefined;
  /** What creates plain registrations; by `auto` import jobs where there are many. */
  readonly restoreWriter?: 'direct' | 'import' | 'auto' | undefined;
  /** An import job that has not moved on for so long, or was revoked so long ago, is no longer waited for. */
  readonly importPatienceMs?: number | undefined;
  /** How often the watchdog is due. */
  readonly watchIntervalMs: number;
  /** `undefined`: nothing is deleted. */
  readonly retention: RetentionPolicy | undefined;
  readonly suspectDropPercent: number;
  /** A fall that this many snapshots in a row show alike is taken for what happened; 0: never. */
  readonly suspectAcceptAfter: number;
  readonly expiryFloorDays: number;
  readonly settleSeconds: number;
  /** A restore ends when more than this of what it tried to write has failed, see `isNearlyAllRefused`. */
  readonly maxFailurePercent: number;
  /** A run that would withdraw more of the target's records than this, and more than 20, withdraws none. */
  readonly maxDeletePercent: number;
  /** Whether each good snapshot of the hub in use is restored into the standby. */
  readonly standbySync: 'off' | 'afterBackup';
  /** When more records than this, and more than 20, were changed in the standby, a failback only adds, and a sync stops. */
  readonly standbyDriftPercent: number;
  /** Whether what push services call dead is removed from the standby; `preview` says what would be. */
  readonly feedbackCleanup?: 'off' | 'preview' | 'on' | undefined;
  /** For so long after the last verdict on it a device may show that it lives. */
  readonly feedbackQuietMs?: number | undefined;
  /** What was promised, where the settings say so. */
  readonly rpoMinutes?: number | undefined;
  readonly rtoMinutes?: number | undefined;
  /** The tiers of the hubs' namespaces, which limit their devices, where the settings say so. */
  readonly primaryTier: Tier | undefined;
  readonly secondaryTier: Tier | undefined;
}

/** The configured hub a run is about. Throws `WrongTarget` when the settings have changed since the run started. */
export function hubOf(app: App, ref: HubRef): Hub {
  const hubs = [app.primary, app.secondary, ...(app.drillHub === undefined ? [] : [app.drillHub])];
  const hub = hubs.find((candidate) => isSameHub(candidate.ref, ref));
  if (hub !== undefined) return hub;
  const name = fullNameOf(ref);
  const message = `The run was started for hub ${name}, which the settings no longer name. Start a new run.`;
  throw new DrError('WrongTarget', message, { target: name });
}

/** Whether a hub has answered a call of this process since then (epoch ms): one that throttles is there, too. */
export function hasAnsweredSince(hub: Hub, sinceMs: number): boolean {
  return (hub.pace().lastAnswerAt ?? Number.NEGATIVE_INFINITY) >= sinceMs;
}

/** For work that can be done without: where it fails, that is logged, and nothing is thrown. */
export async function orWarn<T>(
  { log }: App,
  message: string,
  fields: LogFields,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    log.warn(message, { ...fields, code: error.code, reason: error.message });
    return undefined;
  }
}

/**
 * For work between the invocations, which is repeated: no caller awaits it, so that what it throws would end the
 * process.
 */
export async function orLog(app: App, message: string, fields: LogFields, work: () => Promise<void>): Promise<void> {
  const { backgroundLog: log } = app;
  const isNew = (error?: unknown): boolean => isNews(app, `${message} ${JSON.stringify(fields)}`, error);
  try {
    await work();
    isNew();
  } catch (error) {
    if (!isNew(error)) return;
    if (error instanceof DrError) log.warn(message, { ...fields, code: error.code, reason: error.message });
    else log.error(message, { ...fields, code: faultCode(error) });
  }
}

/** Whether a fault of what is tried again and again is to be logged: one that it did not have the last time. */
export function isNews({ memory: { faults } }: App, tried: string, error: unknown): boolean {
  const code = error === undefined ? undefined : faultCode(error);
  const isNew = faults.get(tried) !== code;
  if (code === undefined) faults.delete(tried);
  else faults.set(tried, code);
  return isNew;
}

/** An instant as stored documents hold it. */
export function toInstant(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
