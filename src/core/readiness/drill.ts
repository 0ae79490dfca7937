import { z } from 'zod';
import { isMadeFrom } from '../run/run.ts';

const instant = z.iso.datetime();

export const drillSchema = z.strictObject({
  /** In here because the readiness card holds a whole drill. */
  formatVersion: z.literal(1).default(1),
  id: z.string(),
  requestedBy: z.enum(['timer', 'http']),
  /** Who called, as signed in or as they call themselves. */
  askedBy: z.string().optional(),
  createdAt: instant,
  /** The drill before this one, as the newest that ended while this one is active. */
  before: z.string().optional(),
  snapshotId: z.string(),
  /** Absent where there is none: then the snapshot is verified. */
  scratchHub: z.strictObject({ namespace: z.string(), hub: z.string() }).optional(),
  /**
   * `sweeping`: what an earlier drill left is rolled back. `emptying`: what this one restored is. The run a stage waits
   * for is named before it is started, so that a later call finds it.
   */
  stage: z.enum(['sweeping', 'restoring', 'emptying', 'verifying', 'over']),
  /** Since when the stage lasts. */
  stageSince: instant,
  /** The restore of an earlier drill whose records may still be in the scratch hub. */
  owes: z.string().optional(),
  sweepId: z.string().optional(),
  restoreId: z.string().optional(),
  cleanupId: z.string().optional(),
  verificationId: z.string().optional(),
  /** Why the drill will have failed once it has cleaned up behind itself. */
  failure: z.string().optional(),
  /** From then on it only cleans up behind itself. */
  canceledAt: instant.optional(),
  finishedAt: instant.optional(),
  /** Absent of one that was cancelled. */
  verdict: z.enum(['Passed', 'Failed']).optional(),
});

/** A rehearsal: a restore into the scratch hub that is emptied again, or a verification where there is none. */
export type Drill = Readonly<z.infer<typeof drillSchema>>;

const drillParts = ['sweep', 'drill', 'cleanup', 'verify'] as const;
export type DrillPart = (typeof drillParts)[number];

/** The id of a drill's run follows from the drill's, so that starting it again finds it. */
export function drillRunId(drillId: string, part: DrillPart): string {
  return `${drillId}-${part}`;
}

/** Whether a run is part of a drill. No caller may choose such an id. */
export function isDrillRunId(runId: string): boolean {
  return isMadeFrom(runId, drillParts);
}
