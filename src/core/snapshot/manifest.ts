import { z } from 'zod';
import { DrError } from '../errors.ts';
import { parseJson, parseWith, type Source } from '../parse.ts';

/** The only snapshot format so far. An older app refuses a newer snapshot by this number instead of misreading it. */
const MANIFEST_VERSION = 1;

const count = z.int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits');

const shardSchema = z.strictObject({
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
});

const manifestSchema = z.strictObject({
  formatVersion: z.literal(MANIFEST_VERSION),
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

export function sealManifest(manifest: Omit<Manifest, 'digest'>, digestOf: DigestOf): Manifest {
  return { ...manifest, digest: digestOf(JSON.stringify(manifest)) };
}

export function formatManifest(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 1)}\n`;
}

/** Throws `SnapshotVersionUnknown` for a format this version cannot read, `SnapshotCorrupt` for anything damaged. */
export function parseManifest(text: string, blobName: string, digestOf: DigestOf): Manifest {
  const source: Source = {
    code: 'SnapshotCorrupt',
    what: `manifest ${blobName}`,
    hint: 'Restore another snapshot (GET /api/snapshots), and look into who changed the container.',
    target: blobName,
  };
  const json = parseJson(text, source);
  refuseUnknownVersion(json, blobName);
  const manifest = parseWith(manifestSchema, json, source);
  const { digest, ...rest } = manifest;
  if (digestOf(JSON.stringify(rest)) !== digest) {
    throw new DrError('SnapshotCorrupt', `The ${source.what} was changed after it was written. ${source.hint}`, {
      target: blobName,
    });
  }
  return manifest;
}

function refuseUnknownVersion(json: unknown, blobName: string): void {
  const version = typeof json === 'object' && json !== null && 'formatVersion' in json ? json.formatVersion : undefined;
  if (typeof version !== 'number' || version === MANIFEST_VERSION) return;
  throw new DrError(
    'SnapshotVersionUnknown',
    `The manifest ${blobName} has format version ${version}; this app reads version ${MANIFEST_VERSION}. ` +
      'Deploy the version of the app that wrote it, or restore another snapshot.',
    { target: blobName },
  );
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
  };
}

export const noCounts: RecordCounts = { records: 0, installations: 0, registrations: 0, templates: 0, byPlatform: {} };
