import { z } from 'zod';
import { intentSchema } from '../../core/dual/intent.ts';
import { errorCodes } from '../../core/errors.ts';
import { markSchema } from '../../core/feedback/mark.ts';
import { feedbackRunSchema, feedbackStateSchema } from '../../core/feedback/run.ts';
import { alertSchema } from '../../core/readiness/alerts.ts';
import { cardSchema } from '../../core/readiness/card.ts';
import { drillSchema } from '../../core/readiness/drill.ts';
import { erasureKinds } from '../../core/request/erasure.ts';
import { importSchema, openImportsSchema } from '../../core/restore/import-job.ts';
import { outcomesSchema } from '../../core/restore/plan/outcomes.ts';
import { roleSchema } from '../../core/run/role.ts';
import { baselineRefSchema, runSchema } from '../../core/run/run.ts';
import { exportSchema } from '../../core/snapshot/export-job.ts';
import {
  countsSchema,
  hasItsDigest,
  MANIFEST_VERSION,
  manifestSchema,
  shardSchema,
} from '../../core/snapshot/manifest.ts';
import { checkpointSchema, rowCountSchema } from '../../core/snapshot/scan-checkpoint.ts';
import { sha256Hex } from './codec.ts';
import { defineDocument } from './document.ts';
import { bare, digestOfNumbers, indented, numbered } from './envelopes.ts';

const count = z.int().nonnegative();
const instant = z.iso.datetime();
const START_NEW_RUN = 'Start a new run; this one cannot continue.';
const scanKind = { what: 'scan checkpoint', version: 4, hint: START_NEW_RUN };
const verifiedKind = { what: 'result', version: 1, hint: 'Verify again.' };
const noteKind = { what: 'note', version: 1, hint: 'The next restore repairs it.' };

/** Every kind of JSON document the app stores. Their blobs' names are in `core/paths.ts`. */
export const documents = {
  run: defineDocument({ what: 'run document', version: 1, hint: START_NEW_RUN, schema: runSchema }),

  /** The one active run of its kind on a hub. */
  lock: defineDocument({
    what: 'lock',
    version: 'none',
    hint: 'The next run takes its place.',
    envelope: bare,
    schema: z.object({ runId: z.string(), takenAt: z.string().refine((at) => !Number.isNaN(Date.parse(at))) }),
  }),

  scan: defineDocument({ ...scanKind, schema: checkpointSchema }),
  /** The same blob, for those who only show how far it has come. */
  scanRowCount: defineDocument({ ...scanKind, schema: rowCountSchema }),

  /** The export job a backup has asked for, from before it did. */
  export: defineDocument({ what: 'export job', version: 1, hint: START_NEW_RUN, schema: exportSchema }),

  /** The import job of a shard, from before it is handed over. */
  import: defineDocument({
    what: 'import job',
    version: 1,
    hint: START_NEW_RUN,
    schema: importSchema,
    isGzipped: true,
  }),
  /** A restore whose import jobs are looked after. */
  openImports: defineDocument({
    what: 'note of import jobs',
    version: 1,
    hint: 'Remove it: what its restore wrote twice, the next restore finds.',
    schema: openImportsSchema,
  }),

  /** A snapshot's shard as it was stored, until the manifest names it. */
  snapshotShard: defineDocument({
    what: 'shard result',
    version: 1,
    hint: 'Start a new run.',
    schema: z.strictObject({ shard: shardSchema, counts: countsSchema, duplicatesSeen: count }),
  }),

  manifest: defineDocument({
    what: 'manifest',
    version: MANIFEST_VERSION,
    hint: 'Restore another snapshot (notification-hubs-dr snapshots lists them), and find out who changed the container.',
    codes: { invalid: 'SnapshotCorrupt', unknownVersion: 'SnapshotVersionUnknown' },
    envelope: indented,
    schema: manifestSchema.refine(
      (manifest) => hasItsDigest(manifest, sha256Hex),
      'it was changed after it was written',
    ),
  }),

  /** Whom no restore brings back from a snapshot. */
  erased: defineDocument({
    what: 'list of erasures',
    version: 1,
    hint: 'Restore another snapshot: whom this one may not bring back is no longer known.',
    schema: z.strictObject({
      key: z.string().min(32),
      erasures: z.array(z.strictObject({ kind: z.enum(erasureKinds), hash: z.string(), at: instant })).min(1),
    }),
  }),

  /** For readers outside, and a second opinion on the newest manifest, whose digest it has. */
  latest: defineDocument({
    what: 'document',
    version: 1,
    hint: 'The next backup repairs it.',
    schema: z.strictObject({ snapshotId: z.string(), digest: z.string() }),
  }),

  /** What a verification found in one shard: nothing, or why it cannot be restored. */
  soundShard: defineDocument({ ...verifiedKind, schema: z.strictObject({}) }),
  damagedShard: defineDocument({
    ...verifiedKind,
    schema: z.strictObject({ name: z.string(), code: z.enum(errorCodes), message: z.string() }),
  }),

  restoredShard: defineDocument({
    what: 'shard result',
    version: 1,
    hint: 'Start a new restore; it finds what this one wrote and leaves it unchanged.',
    schema: outcomesSchema,
  }),

  /** What a pass saw of the rows its restore had written. */
  journal: defineDocument({
    what: 'journal',
    version: 2,
    hint: 'What the restore wrote can no longer be distinguished from what devices changed since: remove it by hand.',
    isGzipped: true,
    schema: z.strictObject({
      /** A record's position in its shard, and the version hashes of its rows. */
      seen: z.array(z.tuple([count], count)),
      /** Positions of records that were written again: what was seen of them before no longer holds. */
      rewritten: z.array(count),
      /** Likewise of rows that were not as they were written. */
      altered: z.array(z.tuple([count], count)).default([]),
    }),
  }),

  /** What lived in a restore's target before it was overwritten or withdrawn. */
  undo: defineDocument({
    what: 'record of what was overwritten',
    version: 1,
    hint: 'What the restore overwrote or withdrew of these devices cannot be put back.',
    isGzipped: true,
    schema: z.strictObject({
      records: z.array(
        z.strictObject({
          key: z.string(),
          rows: z.array(z.string()),
          /** A record under another key was written over these. */
          isDisplaced: z.boolean().default(false),
        }),
      ),
    }),
  }),

  /** New registration ids in place of those the target refused: by the snapshot's id, oldest first. */
  idMap: defineDocument({
    what: 'id map',
    version: 1,
    hint: 'Start a new restore.',
    schema: z.strictObject({ ids: z.record(z.string(), z.array(z.string()).min(1).readonly()) }),
  }),

  /**
   * What a pair of hubs last agreed on: the run that left it so, and the one before, in case it is damaged; and runs
   * that have begun to write, and of which it knows nothing.
   */
  baseline: defineDocument({
    what: 'baseline',
    version: 1,
    hint: 'Until a restore ends, nothing is withdrawn and rows that differ stay.',
    schema: z
      .strictObject({
        current: baselineRefSchema.optional(),
        previous: baselineRefSchema.optional(),
        // Earlier versions stored none, and always a run.
        unfinished: z.array(z.string()).optional(),
      })
      .refine(({ current, unfinished }) => current !== undefined || unfinished !== undefined)
      .transform(({ unfinished = [], ...stored }) => ({ ...stored, unfinished })),
  }),

  /** Which hub of the pair is in use. */
  role: defineDocument({
    what: 'role of the hubs',
    version: 1,
    hint: 'Declare which hub is in use: notification-hubs-dr role HUB',
    schema: roleSchema,
  }),

  /** What a backend intends both hubs to hold of one device. */
  intent: defineDocument({
    what: 'intended write',
    version: 1,
    hint: 'Delete it, and write the device again: what a backend wanted of it is no longer known.',
    schema: intentSchema,
  }),

  /**
   * By hub (`{namespace}/{hub}`) the id it gave for a registration whose own it did not take; under such an id, the
   * registration `of` which it is, so that no other one takes it for its own.
   */
  otherIds: defineDocument({
    what: 'ids of a registration',
    version: 1,
    hint: 'Delete it: the hub is then asked for the row by its handle.',
    schema: z.strictObject({ ids: z.record(z.string(), z.string()), of: z.string().optional() }),
  }),

  /** How many of them wait in one folder. */
  lag: defineDocument({
    what: 'count of intended writes',
    version: 1,
    hint: 'It is written again within a minute.',
    schema: z.strictObject({ waiting: count, refused: count, oldestAt: instant.optional(), at: instant }),
  }),

  /** What push services have called dead, a part of it. It holds handles: as long as something is to be done about one. */
  feedbackMarks: defineDocument({
    what: 'list of dead devices',
    version: 1,
    hint: 'Delete it: what push services say from then on counts.',
    isGzipped: true,
    schema: z.strictObject({ marks: z.array(markSchema) }),
  }),

  /** How far feedback was read, and what the last clean-ups came to. */
  feedbackState: defineDocument({
    what: 'state of the feedback',
    version: 1,
    hint: 'Delete it: all feedback is read again, which changes nothing that is done.',
    schema: feedbackStateSchema,
  }),

  feedbackRun: defineDocument({
    what: 'account of what was removed',
    version: 1,
    hint: 'Delete it: it only says what was done.',
    schema: feedbackRunSchema,
  }),

  /** How fast the last restore wrote. */
  pace: defineDocument({
    ...noteKind,
    schema: z.strictObject({
      runId: z.string(),
      basis: z.enum(['restore', 'drill']),
      recordsPerSecond: z.number().positive(),
      /** Of a restore, beside its writing. Absent in notes of older versions. */
      besidesSeconds: z.number().nonnegative().optional(),
      at: instant,
    }),
  }),

  /** How many devices the last listing of a hub by a restore counted. */
  seen: defineDocument({
    ...noteKind,
    schema: z.strictObject({ runId: z.string(), devices: count, rows: count.optional(), at: instant }),
  }),

  /** When a backup last found its hub empty. */
  empty: defineDocument({
    ...noteKind,
    hint: 'Nothing is withdrawn from the other hub until the next backup of an empty hub replaces it, or it is deleted.',
    schema: z.strictObject({ at: instant }),
  }),

  /** Of a call that changes something; without its answer while it works, or where its host died. */
  audit: defineDocument({
    what: 'audit record',
    version: 1,
    hint: 'Who changed it is no longer known.',
    schema: z.strictObject({
      at: instant,
      what: z.string(),
      method: z.string(),
      path: z.string(),
      name: z.string().optional(),
      principal: z.string().optional(),
      from: z.string().optional(),
      /** Of the key that was sent. */
      key: z.string().optional(),
      answer: z.strictObject({ status: count, runId: z.string().optional(), code: z.string().optional() }).optional(),
    }),
  }),

  drill: defineDocument({
    what: 'drill',
    version: 1,
    hint: 'Start a new drill: notification-hubs-dr drill',
    schema: drillSchema,
  }),

  /** Which drill is the newest; the place of a new one is taken by compare-and-swap. */
  newestDrill: defineDocument({
    what: 'document',
    version: 1,
    hint: 'The next drill repairs it.',
    schema: z.strictObject({ id: z.string(), before: z.string().optional(), at: instant }),
  }),

  alert: defineDocument({
    what: 'alert',
    version: 1,
    hint: 'It is written again if its condition still holds.',
    schema: alertSchema,
  }),

  readinessCard: defineDocument({
    what: 'readiness card',
    version: 1,
    hint: 'It is judged and written again.',
    schema: cardSchema,
  }),
} as const;

const numbers = z.custom<Float64Array>((value) => value instanceof Float64Array);

/** Every kind of blob of numbers. They have no version: what an older app stored of them is made again. */
export const numberBlobs = {
  /** The fingerprints of the records of a snapshot's shard. */
  fingerprints: defineDocument({
    what: 'fingerprints',
    version: 'none',
    hint: 'Start a new run.',
    envelope: numbered('prints'),
    schema: z
      .strictObject({
        title: z.strictObject({
          /** Absent where an older version of the app stored them: those say less. */
          form: z.literal(2).optional(),
          /** The SHA-256 of the shard's stored bytes. */
          of: z.string(),
          /** Of the numbers. */
          sha256: z.string(),
          platforms: z.array(z.string()).readonly(),
        }),
        numbers,
      })
      .refine((whole) => whole.title.sha256 === digestOfNumbers(whole.numbers), 'they are not as they were stored'),
  }),

  /** What a restore's target has of each record of a snapshot's shard. */
  comparison: defineDocument({
    what: 'comparison',
    version: 'none',
    hint: 'Start a new run.',
    envelope: numbered('comparison'),
    schema: z.strictObject({ title: z.strictObject({ extraCount: count }), numbers }),
  }),

  /** Rows of a restore's target whose handle, or id, the snapshot's shard does not have under their key. */
  foreignRows: defineDocument({
    what: 'list of rows',
    version: 'none',
    hint: 'Start a new restore.',
    envelope: numbered('foreign'),
    schema: z.strictObject({ title: z.strictObject({}), numbers }),
  }),

  /** Pairs of a record's key hash and when both hubs had confirmed a write of its backend (epoch ms). */
  confirmed: defineDocument({
    what: 'list of confirmed writes',
    version: 'none',
    hint: 'Devices in it count as changed in the standby by others: a sync may stop.',
    envelope: numbered('confirmed'),
    schema: z.strictObject({ title: z.strictObject({}), numbers }),
  }),

  /** A shard of what a pair of hubs last agreed on. */
  baselineShard: defineDocument({
    what: 'baseline',
    version: 'none',
    hint: 'Its records are of unknown origin: nothing of them is withdrawn.',
    envelope: numbered('baseline'),
    schema: z.strictObject({ title: z.strictObject({}), numbers }),
  }),
} as const;
