import { z } from 'zod';
import { DrError, errorCodes } from '../errors.ts';
import type { RunKind } from '../paths.ts';
import { noteSchema } from '../request/restore.ts';
import { orderSchema, selectionSchema } from '../request/selection.ts';

export const hubRefSchema = z.strictObject({ namespace: z.string(), hub: z.string() });
const hubRef = hubRefSchema;
const instant = z.iso.datetime();
const count = z.int().nonnegative();

const phaseSchema = z.strictObject({
  name: z.enum(['scan', 'seal', 'publish', 'reconcile', 'verify', 'finish']),
  /** A backup has one pass over its hub. A restore's later passes prove, and repair, what the first one wrote. */
  pass: z.int().positive(),
  /** Of the first writing: which group of the restore's order is written. 0 where there is no order. */
  wave: count.optional(),
  /** False until the phase's messages are known to be in the queue. */
  isDispatched: z.boolean(),
  startedAt: instant,
  /** The messages of the phase become visible only then: the time a hub is given to settle. */
  notBefore: instant.optional(),
});

const outcomeCounts = {
  created: count,
  updated: count,
  unchanged: count,
  keptLive: count,
  renewed: count.default(0),
  moved: count.default(0),
  conflict: count.default(0),
  unknownOrigin: count.default(0),
  goneInTarget: count.default(0),
  withdrawn: count.default(0),
  leftover: count.default(0),
  onlyInTarget: count.default(0),
  /** Of a rollback. */
  removed: count.default(0),
  putBack: count.default(0),
  failed: count,
  pending: count,
};
const countsSchema = z.strictObject({ total: count, ...outcomeCounts });

/** When that share of the records was in place. */
const milestonesSchema = z.strictObject({
  p50At: instant.optional(),
  p90At: instant.optional(),
  p99At: instant.optional(),
});

/** More phases than any run has: six passes of three, the waves of the first, and the end. */
const MAX_HISTORY = 60;
const historySchema = z
  .array(phaseSchema.pick({ name: true, pass: true, wave: true, startedAt: true }))
  .max(MAX_HISTORY);

const failureSchema = z.strictObject({
  code: z.enum(errorCodes),
  message: z.string(),
  target: z.string().optional(),
});

/** Since when a hub is in use. */
const termSchema = z.strictObject({ hub: hubRef, since: instant });
/** Hubs that changed their roles more often than this: the oldest changes are forgotten. */
export const MAX_TERMS = 50;

/** More runs of a pair than this that ended before they were done: the oldest are forgotten. */
export const MAX_UNFINISHED = 20;

/** A rollback that more newer runs than this would have to be compared with is refused. */
export const MAX_NEWER = 50;

const newerSchema = z.strictObject({
  id: z.string(),
  /** The hubs of the app whose run it is; absent where it is this one. */
  pair: z.tuple([hubRef, hubRef]).optional(),
  /** One of its rollbacks, which are the oldest first, undid all of it. */
  isUndone: z.boolean(),
  rollbacks: z.array(z.string()),
});

/** A baseline as a run left it. */
export const baselineRefSchema = z.strictObject({ runId: z.string(), shardCount: z.int().positive(), at: instant });

const commonFields = {
  /** In here because the readiness card holds whole runs. */
  formatVersion: z.literal(1).default(1),
  id: z.string(),
  status: z.enum(['NotStarted', 'Running', 'Succeeded', 'Failed', 'Canceled']),
  requestedBy: z.enum(['timer', 'http', 'drill']),
  /** Who called, as signed in or as they call themselves. */
  askedBy: z.string().optional(),
  createdAt: instant,
  finishedAt: instant.optional(),
  /** The hub that is listed: the source of a backup, the target of a restore. */
  hub: hubRef,
  phase: phaseSchema,
  /** The phases before this one. */
  history: historySchema.optional(),
  /** 0 until known. */
  shardCount: count,
  /** How often the watchdog had to enqueue this run's steps again without any progress since. */
  kicks: count,
  /** How many shards were open when it last did. */
  openAtKick: count.optional(),
  error: failureSchema.optional(),
  warnings: z.array(z.string()),
};

export const backupSchema = z.strictObject({
  ...commonFields,
  kind: z.literal('backup'),
  result: z
    .strictObject({
      snapshotId: z.string(),
      recordCount: count,
      registrationCount: count,
      /** As in the snapshot's counts: absent where these have none. */
      deviceCount: count.optional(),
      duplicateCount: count.optional(),
      health: z.enum(['good', 'suspect']),
      healthReasons: z.array(z.string()),
    })
    .optional(),
  /** Handles in its listing; absent while not counted. */
  deviceCount: count.optional(),
  /** Its rows came from an export job. */
  isExport: z.literal(true).optional(),
});

export const restoreSchema = z.strictObject({
  ...commonFields,
  kind: z.literal('restore'),
  request: z.strictObject({
    /**
     * A sync is a restore into the standby after a backup, a drill one into the scratch hub; the others are about the
     * run `of`.
     */
    purpose: z.enum(['restore', 'sync', 'retry', 'rollback', 'drill']).default('restore'),
    of: z.string().optional(),
    snapshotId: z.string(),
    /** As the caller wrote it (`latest` or an id): a repeated PUT is compared with this. */
    askedSnapshot: z.string(),
    target: z.enum(['secondary', 'primary', 'drill']),
    /** As the caller wrote it, where that was not the hub's name in the settings. */
    askedTarget: z.literal('standby').optional(),
    sourceHub: hubRef,
    onConflict: z.enum(['keep', 'overwrite']),
    /** What the source no longer holds and is provably ours. */
    leftovers: z.enum(['withdraw', 'keep']).optional(),
    /** Creates again what went since. */
    resurrect: z.boolean().optional(),
    /** Its target becomes the hub in use when all that can be written is. */
    activate: z.boolean().optional(),
    /** The hub in use wins where only it was in use since both agreed. */
    isFailback: z.boolean().optional(),
    dryRun: z.boolean(),
    only: selectionSchema.optional(),
    order: orderSchema.optional(),
    note: noteSchema.optional(),
    /** Installations get at least this expiry. Fixed when the run starts, so that every step decides alike. */
    expiryFloorAt: instant,
  }),
  /** The baseline that the run decides by; absent where the pair had none when it began. */
  baseline: z.strictObject({ current: baselineRefSchema, previous: baselineRefSchema.optional() }).optional(),
  /** Runs whose writes the pair's baseline does not know, oldest first: the last look at them is this run's first. */
  unfinished: z
    .array(z.strictObject({ id: z.string(), endedAt: instant.optional() }))
    .max(MAX_UNFINISHED)
    .optional(),
  /** Of a rollback: runs that wrote to its hub after the restore that it undoes, the oldest first. */
  newer: z.array(newerSchema).max(MAX_NEWER).optional(),
  /** Which hub was in use since when, as the run began, the oldest first; that one was so from the beginning. */
  terms: z.array(termSchema).max(MAX_TERMS).optional(),
  /** The newest good snapshot of the target itself, where that was in use once. */
  ownSnapshot: z.strictObject({ id: z.string(), readAt: instant }).optional(),
  /** What was known of the source when the run began. Absent in runs of older versions. */
  source: z
    .strictObject({
      /** When the listing of the snapshot began. */
      readAt: instant,
      isSuspect: z.boolean(),
      /** It was read between a restore into its hub and the rollback of that. */
      isUndone: z.literal(true).optional(),
      /** Some of its records were erased since, and are not brought back. */
      hasErasures: z.literal(true).optional(),
      /** Records were removed from the target as dead, and the baseline does not know of it yet. */
      hasDead: z.literal(true).optional(),
      /** Backends write to both hubs. */
      hasDualWrites: z.literal(true).optional(),
      /** Its two newest good snapshots, the newest first. */
      newestGood: z.array(z.string()).max(2),
      /** When its oldest snapshot began. */
      oldestAt: instant,
      /** When the last listing that showed it empty began. */
      emptyAt: instant.optional(),
    })
    .optional(),
  /** How many rows listings of the target may show: the first one, if an earlier run has listed it, and later ones. */
  expectedRows: z.strictObject({ first: count.optional(), later: count }).optional(),
  /** Some of its records were, or are to be, created by import jobs of its hub. */
  imports: z
    .strictObject({
      /** No more of them: the hub has none to give, and all else is written directly. */
      isOff: z.literal(true).optional(),
      /** Its jobs refuse lines with registration ids. */
      isWithoutIds: z.literal(true).optional(),
    })
    .optional(),
  /** What the first look at the target showed. */
  found: z
    .strictObject({
      rows: count,
      /** As `terms`, when its listing ended, where the role had changed by then: the run decides by it. */
      terms: z.array(termSchema).max(MAX_TERMS).optional(),
      /** Records, of which these are to be withdrawn, went from the source since, or are missing though agreed on. */
      plan: z
        .strictObject({
          records: count,
          doomed: count,
          goneSince: count,
          absent: count,
          /** Of a failback: those that differ in both hubs, and that its source wins. */
          drifted: count.optional(),
          /** Of a sync: those that others than this app changed in the standby since the last look. */
          changedThere: count.optional(),
          /** A hub writes most records in another form than when they were agreed on. */
          isAnotherForm: z.boolean().optional(),
        })
        .optional(),
    })
    .optional(),
  /** Of the whole snapshot. */
  recordCount: count,
  result: z
    .strictObject({
      counts: countsSchema,
      /** By the platform of a record's first row. */
      byPlatform: z.record(z.string(), z.strictObject(outcomeCounts)).default({}),
      milestones: milestonesSchema.default({}),
      /** Rows of one device that were equal in kind, template and tags, and so became one. */
      duplicatesCollapsed: count,
      /** Writes of the later passes, for records the first pass wrote but the listing did not show, or showed twice. */
      repaired: count,
      /** Plain records this run created, and took back since their devices had registered by themselves meanwhile. */
      takenBack: count.default(0),
      /** Records whose device changed in the target after this run saw or wrote them. */
      changedSince: count,
      /** Created over what their devices had written since the look, which is lost: created records, too. */
      raced: count.default(0),
      /** The hub showed them after they were written, and removed them: of `goneInTarget`. */
      removedByService: count.default(0),
      /** Failed or pending records of which something may have been written. */
      attempted: count.default(0),
      /** Created though they had been agreed on and were missing: their absence was not taken for their own word. */
      absenceVoid: count.default(0),
      /** Bodies of templates that were left out for newer ones of the same template. */
      superseded: count.default(0),
      /** Installations of which the snapshot holds only templates: they get the tags that all of these share. */
      partialInstallations: count.default(0),
      secondsLostToThrottling: z.number().nonnegative(),
      failuresByCode: z.record(z.string(), count),
      passes: count,
      /** Import jobs, the registrations they were given, and what they say they made of these or refused. */
      imported: z.strictObject({ jobs: count, lines: count, made: count, refused: count }).optional(),
      /** When its target became the hub in use, if it was asked to see to that. */
      activatedAt: instant.optional(),
      /** Of a dry run: by kind the names of some records, none of them a device token. */
      examples: z.record(z.string(), z.array(z.string())).optional(),
    })
    .optional(),
});

const verificationSchema = z.strictObject({
  ...commonFields,
  kind: z.literal('verification'),
  snapshotId: z.string(),
  /** Of the whole snapshot, as its manifest says. */
  recordCount: count,
  result: z
    .strictObject({
      counts: z.strictObject({ total: count, verified: count, damaged: count, pending: count }),
      damagedArtefacts: z.array(z.strictObject({ name: z.string(), code: z.enum(errorCodes), message: z.string() })),
    })
    .optional(),
});

export const runSchema = z.discriminatedUnion('kind', [backupSchema, restoreSchema, verificationSchema]);

export type BackupRun = Readonly<z.infer<typeof backupSchema>>;
export type RestoreRun = Readonly<z.infer<typeof restoreSchema>>;
export type VerificationRun = Readonly<z.infer<typeof verificationSchema>>;
export type Run = BackupRun | RestoreRun | VerificationRun;
export type RunOf<Kind extends RunKind> = Extract<Run, { readonly kind: Kind }>;
/** The same for a parameter: the kind is inferred from the run that is handed in. */
export type OfKind<Kind extends RunKind> = RunOf<Kind> & { readonly kind: Kind };

export type NewerRun = Readonly<z.infer<typeof newerSchema>>;
export type Term = Readonly<z.infer<typeof termSchema>>;
export type Phase = Readonly<z.infer<typeof phaseSchema>>;
type PhaseName = Phase['name'];
export type RestoreCounts = Readonly<z.infer<typeof countsSchema>>;
export type OutcomeCounts = Omit<RestoreCounts, 'total'>;
export type Milestones = Readonly<z.infer<typeof milestonesSchema>>;
export type PhaseStart = NonNullable<Run['history']>[number];
export type RestoreResult = NonNullable<RestoreRun['result']>;
export type VerificationResult = NonNullable<VerificationRun['result']>;

export function isRollbackOf({ request }: RestoreRun, { id }: Pick<RestoreRun, 'id'>): boolean {
  return request.purpose === 'rollback' && request.of === id;
}

export function isOver(run: Run): boolean {
  return run.status === 'Succeeded' || run.status === 'Failed' || run.status === 'Canceled';
}

/** Whether a restore has looked at all that it wrote: one that ended earlier does not know what took effect. */
export function hasLookedLast({ phase }: RestoreRun): boolean {
  return phase.name === 'finish';
}

const phaseOrder: Record<PhaseName, number> = { scan: 0, seal: 1, reconcile: 2, verify: 2, publish: 2, finish: 3 };

/** What tells one phase of a run from another. */
export type PhaseKey = Pick<Phase, 'name' | 'pass' | 'wave'>;

/** Negative when `a` comes before `b` in the life of a run. */
export function comparePhases(a: PhaseKey, b: PhaseKey): number {
  return a.pass - b.pass || phaseOrder[a.name] - phaseOrder[b.name] || (a.wave ?? 0) - (b.wave ?? 0);
}

/** The run one phase on. Throws when that would be backwards: phases only move forward. */
export function advance<R extends Run>(run: R, to: Omit<Phase, 'isDispatched'>): R {
  if (comparePhases(run.phase, to) >= 0) {
    throw new DrError('Internal', `Run ${run.id} cannot go from ${describePhase(run.phase)} to ${describePhase(to)}.`);
  }
  const { name, pass, wave, startedAt } = run.phase;
  const past: PhaseStart = { name, pass, wave, startedAt };
  const history = [...(run.history ?? []), past].slice(-MAX_HISTORY);
  return { ...run, status: 'Running', kicks: 0, phase: { ...to, isDispatched: false }, history };
}

/** `reconcile#1`, or `reconcile#1.2` in the third group of an order. */
export function describePhase({ name, pass, wave }: PhaseKey): string {
  return `${name}#${pass}${wave ? `.${wave}` : ''}`;
}

const runIdPattern = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/;

/** Ids travel in URLs and blob names: 1 to 64 letters, digits, `-`, `_` or `.`, ending in a letter or digit. */
export function isRunId(text: string): boolean {
  return runIdPattern.test(text);
}

/** `2026-11-23T09-38-02Z-1a2b3c`: sorts by time. A backup's id is also the id of the snapshot it makes. */
export function newRunId(nowMs: number, suffix: string): string {
  return `${new Date(nowMs).toISOString().slice(0, 19).replaceAll(':', '-')}Z-${suffix}`;
}

/** Whether it was made from the id of a snapshot or drill, which the app gives out itself, and one of these endings. */
export function isMadeFrom(id: string, endings: readonly string[]): boolean {
  const [, ending = ''] = /^\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}Z-[0-9a-f]{6}-([a-z]+)$/.exec(id) ?? [];
  return endings.includes(ending);
}

/** When the run that made this id started (epoch ms), or `undefined` for an id a caller chose. */
export function startOfRunId(runId: string): number | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})T(\d{2})-(\d{2})-(\d{2})Z-/.exec(runId);
  if (match === null) return undefined;
  const startedAt = Date.parse(`${match[1]}T${match[2]}:${match[3]}:${match[4]}Z`);
  return Number.isNaN(startedAt) ? undefined : startedAt;
}
