import { z } from 'zod';
import { roleSchema } from '../run/role.ts';
import { backupSchema, comparePhases, isOver, type RestoreRun, type Run, restoreSchema } from '../run/run.ts';
import { isSyncRunId } from '../run/sync.ts';
import { waitingSchema } from '../run/waiting.ts';
import { countsSchema } from '../snapshot/manifest.ts';
import { dualWritesSchema, feedbackSchema } from './both-hubs.ts';
import { drillSchema, isDrillRunId } from './drill.ts';
import { standbySchema } from './standby.ts';

const instant = z.iso.datetime();
const count = z.int().nonnegative();
const hubRef = z.strictObject({ namespace: z.string(), hub: z.string() });
const refusal = z.strictObject({ since: instant, seen: z.string() });
const storageRefusal = z.strictObject({ since: instant, message: z.string() });

export const cardSchema = z.strictObject({
  /** When everything here was last read from where it is kept; runs are noted as they move. */
  judgedAt: instant,
  /** Something it rests on has changed since: of all that is here only when the watchdog looked is still believed. */
  isExpired: z.boolean().optional(),
  /** When the watchdog last did so; absent until it has. */
  watchedAt: instant.optional(),
  /** When there was a card for the first time. */
  firstAt: instant.optional(),
  /** Which hub was in use; absent in cards of older versions. */
  role: roleSchema.optional(),
  /** Why the stored role cannot be used. */
  roleFault: z.string().optional(),
  /** A restore into the standby that ended since the role was last declared. */
  unsettled: z.strictObject({ runId: z.string(), at: instant }).optional(),
  /** Whose readiness this is: with another target set, nothing here holds. */
  secondary: hubRef,
  /** The newest good snapshot. */
  latest: z
    .strictObject({
      id: z.string(),
      readStartedAt: instant,
      readFinishedAt: instant,
      counts: countsSchema,
      /** By cards of older versions, which took a damaged one for the newest. */
      damagedAt: instant.optional(),
      /** How it differs from the good one before it. */
      churn: z
        .strictObject({ sinceSnapshotId: z.string(), seconds: z.number(), added: z.number(), changed: z.number() })
        .optional(),
      /** Of the devices that were in use before the last switch. */
      coverage: z
        .strictObject({
          ...{ of: z.string(), total: count, registered: count, restored: count },
          rewritten: count.optional(),
        })
        .optional(),
    })
    .optional(),
  /** Newer snapshots that cannot be used, and why. */
  passedOver: z.array(z.string()),
  /** The newest good snapshot that was proven. */
  proven: z
    .strictObject({
      id: z.string(),
      how: z.enum(['verified', 'drill', 'restore', 'sync']),
      at: instant,
      readStartedAt: instant,
    })
    .optional(),
  /** When any good snapshot was last proven. */
  provenAt: instant.optional(),
  /** The last ones, newest first. */
  backups: z.array(backupSchema),
  /** How far the newest backup was when it was looked at, if it went on. */
  backupProgress: z
    .strictObject({
      runId: z.string(),
      rowsRead: count,
      beatAt: z.string().optional(),
      waiting: waitingSchema.optional(),
    })
    .optional(),
  /** Where the standby is kept in step. */
  standby: standbySchema.optional(),
  /** What backends have written to both hubs and one has not confirmed; absent where nothing waits. */
  dualWrites: dualWritesSchema.optional(),
  /** Where what push services call dead is removed from the standby. */
  feedback: feedbackSchema.optional(),
  /** The newest that is neither a drill's nor a sync. */
  restore: restoreSchema.optional(),
  /** What the target held when it was last listed. */
  devicesInTarget: count.optional(),
  pace: z
    .strictObject({
      runId: z.string(),
      basis: z.enum(['restore', 'drill']),
      recordsPerSecond: z.number().positive(),
      besidesSeconds: z.number().nonnegative().optional(),
    })
    .optional(),
  /** The newest that ended. */
  lastDrill: drillSchema.optional(),
  /** Since when a hub has not answered, where it does not. */
  silentSince: z.strictObject({ primary: instant.optional(), secondary: instant.optional() }).optional(),
  /** Since when an address of the settings has not taken a call, and what was seen last, where it does not. */
  refused: z.strictObject({ heartbeat: refusal.optional(), webhook: refusal.optional() }).optional(),
  /** What the storage refuses that the app can go on without, since when and why. */
  refusedWrites: z.strictObject({ removal: storageRefusal.optional(), latest: storageRefusal.optional() }).optional(),
  openAlerts: z.array(z.strictObject({ code: z.string(), since: z.string(), message: z.string() })),
});

/**
 * What the readiness rests on, gathered in one document, so that telling it is one read. It holds instants and no ages:
 * what depends on the moment is judged when it is asked for.
 */
export type ReadinessCard = Readonly<z.infer<typeof cardSchema>>;

/** Why and since when an address of the settings takes no call. */
export type Refusal = Readonly<z.infer<typeof refusal>>;

export type StorageRefusal = Readonly<z.infer<typeof storageRefusal>>;
export type RefusedWrite = keyof NonNullable<ReadinessCard['refusedWrites']>;

/** The card with what the storage refuses, or no longer does; `undefined` when it shows that already. */
export function withRefusal(
  card: ReadinessCard,
  what: RefusedWrite,
  refused: StorageRefusal | undefined,
): ReadinessCard | undefined {
  const known = card.refusedWrites?.[what];
  if (known?.message === refused?.message) return undefined;
  const noted = refused && { ...refused, since: known?.since ?? refused.since };
  return { ...card, refusedWrites: { ...card.refusedWrites, [what]: noted } };
}

/** The newest may still go on, and those before it may have been cancelled. */
export const BACKUPS_ON_CARD = 4;

/** The card with the run as it is now; `undefined` when the card shows that already, or does not show such a run. */
export function withRun(card: ReadinessCard, run: Run): ReadinessCard | undefined {
  if (run.kind === 'backup') {
    const known = card.backups.find(({ id }) => id === run.id);
    if (known !== undefined && !isFurther(run, known)) return undefined;
    const others = card.backups.filter(({ id }) => id !== run.id);
    const backups = [run, ...others].sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
    return { ...card, backups: backups.slice(0, BACKUPS_ON_CARD) };
  }
  if (run.kind !== 'restore' || isDrillRunId(run.id)) return undefined;
  const { standby } = card;
  if (!isSyncRunId(run.id)) return isNewsOf(card.restore, run) ? { ...card, restore: run } : undefined;
  return standby !== undefined && isNewsOf(standby.last, run)
    ? { ...card, standby: { ...standby, last: run } }
    : undefined;
}

function isNewsOf(known: RestoreRun | undefined, run: RestoreRun): boolean {
  if (known === undefined) return true;
  return known.id === run.id ? isFurther(run, known) : known.createdAt <= run.createdAt;
}

/** Two who moved a run on may tell it the wrong way round. */
function isFurther(run: Run, known: Run): boolean {
  return !isOver(known) && (isOver(run) || comparePhases(run.phase, known.phase) > 0);
}
