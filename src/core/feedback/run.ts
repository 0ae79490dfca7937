import { z } from 'zod';
import { errorCodes } from '../errors.ts';

const count = z.int().nonnegative();
const instant = z.iso.datetime();

const burstSchema = z.strictObject({ platform: z.string(), count, most: count, from: instant });

/** Never a handle: ids are what the hubs' own tools take. */
const itemSchema = z.strictObject({
  kind: z.enum(['installation', 'registration']),
  id: z.string(),
  platform: z.string(),
  /** When the push service last called it dead; absent where it lives on under a new handle. */
  deadAt: instant.optional(),
  /**
   * `removed` from the standby; `renewed`: both hubs get its new handle; `changed`: it was written since the look and
   * stays; `failed`: the hub did not remove it.
   */
  outcome: z.enum(['removed', 'renewed', 'changed', 'failed', 'wouldBeRemoved', 'wouldBeRenewed']),
});

/** What one clean-up read and did. */
export const feedbackRunSchema = z.strictObject({
  id: z.string(),
  by: z.enum(['timer', 'http']),
  askedBy: z.string().optional(),
  startedAt: instant,
  finishedAt: instant,
  /** Of whose feedback. */
  hub: z.string(),
  /** Where records are removed. */
  standby: z.string(),
  /** Nothing was to be removed: it was asked for a preview, or the setting says so. */
  isPreview: z.boolean(),
  read: z.strictObject({
    files: count,
    verdicts: count,
    dead: count,
    renewed: count,
    credentials: count,
    passing: count,
    unreadable: count,
    /** Dated ahead of the storage's clock. */
    ahead: count,
    /** Handles that lead to each other in a circle. */
    circles: count,
    /** Of a send: how far it is, as the hub says. */
    state: z.string().optional(),
  }),
  /** Handles that are called dead: in their quiet period, of which nothing is to be done, and of which it is not known. */
  marks: z.strictObject({ waiting: count, alive: count, removed: count, unproven: count }),
  /** Records to be removed, by this run or the next. */
  due: count,
  removed: count,
  renewed: count,
  /** Why nothing, or not all, was done. */
  held: z.enum(['bound', 'restore', 'role', 'time']).optional(),
  /** The most that may be removed at once. */
  bound: count,
  bursts: z.array(burstSchema),
  items: z.array(itemSchema),
});

export type FeedbackRun = Readonly<z.infer<typeof feedbackRunSchema>>;
export type FeedbackItem = FeedbackRun['items'][number];

/** Listed in a run's document; what is beyond is only counted. */
export const MOST_ITEMS = 10_000;

const watermarkSchema = z.strictObject({
  name: z.string(),
  etag: z.string(),
  /** How many bytes of it were read. */
  read: count,
  /** SHA-256 of the last of them: a file that was written again is read from its start. */
  tail: z.string(),
});

export const feedbackStateSchema = z.strictObject({
  /** The clean-up that is under way. */
  running: z.strictObject({ id: z.string(), at: instant }).optional(),
  /** By the hub's full name. */
  files: z.record(z.string(), z.array(watermarkSchema)),
  last: feedbackRunSchema.omit({ items: true }).optional(),
  /** Why the last ones failed, since when. */
  failure: z.strictObject({ code: z.enum(errorCodes), message: z.string(), since: instant }).optional(),
});

export type FeedbackState = Readonly<z.infer<typeof feedbackStateSchema>>;
export type Watermark = FeedbackState['files'][string][number];
