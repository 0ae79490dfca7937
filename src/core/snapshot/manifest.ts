import { z } from 'zod';

/** The only snapshot format so far. An older app refuses a newer snapshot by this number instead of misreading it. */
export const MANIFEST_VERSION = 1;

const count = z.int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits');

export const shardSchema = z.strictObject({
  /** Relative to the snapshot's folder. */
  name: z.string(),
  records: count,
  registrations: count,
  bytes: count,
  /** Of the stored (compressed) bytes. */
  sha256,
});

export const countsSchema = z.strictObject({
  records: count,
  installations: count,
  registrations: count,
  templates: count,
  /** Registrations by platform (`Apple`, `FcmV1`, …). */
  byPlatform: z.record(z.string(), count),
  /** Those of which no native row was listed. Absent, like the next one, in a snapshot of an older version of the app. */
  partialInstallations: count.optional(),
  /** Rows in place of which a restore writes a newer one of the same template. */
  supersededRows: count.optional(),
  /** Rows that equal another one of their record: a restore writes one of these. Absent as those before. */
  duplicates: count.optional(),
  /** Handles, each counted once whatever records it is in. Absent as those before, and of a shard. */
  devices: count.optional(),
});

export const manifestSchema = z.strictObject({
  id: z.string(),
  hub: z.strictObject({ namespace: z.string(), hub: z.string() }),
  /** A listing is not a point in time: changes between the two instants may or may not be in the snapshot. */
  readStartedAt: z.iso.datetime(),
  readFinishedAt: z.iso.datetime(),
  publishedAt: z.iso.datetime(),
  counts: countsSchema,
  /** Rows the listing showed more than once. */
  duplicatesSeen: count,
  /** Rows that could not be read and are not in the snapshot. */
  unreadableRows: count,
  listingRestarts: count,
  health: z.enum(['good', 'suspect']),
  healthReasons: z.array(z.string()),
  toolVersion: z.string(),
  shards: z.array(shardSchema),
  /** SHA-256 of this document without this field. */
  digest: sha256,
});

export type Manifest = Readonly<z.infer<typeof manifestSchema>>;
export type ManifestShard = Manifest['shards'][number];
export type RecordCounts = Manifest['counts'];

/** Hex SHA-256 of a text, passed in: core computes nothing that needs the platform. */
export type DigestOf = (text: string) => string;

export function addDigest(manifest: Omit<Manifest, 'digest'>, digestOf: DigestOf): Manifest {
  return { ...manifest, digest: digestOf(JSON.stringify({ formatVersion: MANIFEST_VERSION, ...manifest })) };
}

/** Whether it is as it was written. */
export function hasItsDigest({ digest, ...manifest }: Manifest, digestOf: DigestOf): boolean {
  return addDigest(manifest, digestOf).digest === digest;
}

export function addCounts(a: RecordCounts, b: RecordCounts): RecordCounts {
  const byPlatform: Record<string, number> = { ...a.byPlatform };
  for (const [platform, registrations] of Object.entries(b.byPlatform)) {
    byPlatform[platform] = (byPlatform[platform] ?? 0) + registrations;
  }
  return {
    records: a.records + b.records,
    installations: a.installations + b.installations,
    registrations: a.registrations + b.registrations,
    templates: a.templates + b.templates,
    byPlatform,
    partialInstallations: (a.partialInstallations ?? 0) + (b.partialInstallations ?? 0),
    supersededRows: (a.supersededRows ?? 0) + (b.supersededRows ?? 0),
    duplicates: (a.duplicates ?? 0) + (b.duplicates ?? 0),
  };
}

export const noCounts: RecordCounts = { records: 0, installations: 0, registrations: 0, templates: 0, byPlatform: {} };
