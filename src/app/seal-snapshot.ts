import { setImmediate as letOthersIn } from 'node:timers/promises';
import { z } from 'zod';
import { DrError } from '../core/errors.ts';
import type { ManifestShard, RecordCounts } from '../core/manifest.ts';
import { parseJson, parseWith } from '../core/parse.ts';
import { resultName, shardLabel, snapshotShardName } from '../core/paths.ts';
import { type GroupedRows, groupRows, type RecordOfRows } from '../core/record.ts';
import { parseOctets, type RegistrationFields } from '../core/registration.ts';
import type { BackupRun } from '../core/run.ts';
import { formatShardLine } from '../core/shard.ts';
import type { Octets } from '../core/utf8.ts';
import type { App } from './app.ts';
import { compareWithLast } from './churn.ts';
import { compress, fromOctets, openDocument, sealDocument, sha256Hex } from './codec.ts';
import { forEachConcurrent } from './concurrent.ts';
import { readFinishedScan } from './scan.ts';
import { readStagedRows } from './segments.ts';

const count = z.int().nonnegative();
const sealResultSchema = z.strictObject({
  formatVersion: z.literal(1),
  shard: z.strictObject({ name: z.string(), records: count, registrations: count, bytes: count, sha256: z.string() }),
  counts: z.strictObject({
    records: count,
    installations: count,
    registrations: count,
    templates: count,
    byPlatform: z.record(z.string(), count),
  }),
  duplicatesSeen: count,
});

export type SealResult = Readonly<z.infer<typeof sealResultSchema>>;

/** Results read at once. */
const READERS = 16;
/** Read or written without a pause: some 10 ms in which this process answers nobody. */
const ROWS_AT_ONCE = 1000;

/** A row as it came, and what is read of it. */
type StagedRow = RegistrationFields & { readonly octets: Octets };

/** Stores one shard of the snapshot: rows seen twice dropped, rows of a record together, records in key order. */
export async function sealSnapshotShard(app: App, run: BackupRun, shard: number): Promise<void> {
  const name = resultName(run.kind, run.id, run.phase.pass, 'seal', shard);
  const { segments } = await readFinishedScan(app, run);
  const staged = await readStagedRows(app, { segments, shard, shardCount: run.shardCount });
  const grouped = groupRows(await mapWithPauses(staged, (octets): StagedRow => ({ ...parseOctets(octets), octets })));
  const lines = await mapWithPauses(grouped.records, formatShardLine);
  const [stored, churn] = await Promise.all([
    storeShard(app, snapshotShardName(run.hub, run.id, shard), lines),
    compareWithLast(app, run, shard, lines),
  ]);
  await app.blobs.put(name, sealDocument(name, JSON.stringify(toResult(shard, stored, grouped))), 'any', {
    done: '1',
    records: String(grouped.records.length),
    ...churn,
  });
}

/** All shards' results of a backup, in shard order. Throws `StoredDocumentInvalid`, naming the one it is about. */
export async function readSealResults(app: App, run: BackupRun): Promise<SealResult[]> {
  const results = new Map<number, SealResult>();
  const shards = Array.from({ length: run.shardCount }, (_, shard) => shard);
  await forEachConcurrent(shards, READERS, async (shard) => {
    results.set(shard, await readSealResult(app, resultName(run.kind, run.id, run.phase.pass, 'seal', shard)));
  });
  return shards.flatMap((shard) => results.get(shard) ?? []);
}

async function readSealResult(app: App, name: string): Promise<SealResult> {
  const blob = await app.blobs.get(name);
  const source = {
    code: 'StoredDocumentInvalid',
    what: `shard result ${name}`,
    hint: 'Start a new run.',
    target: name,
  } as const;
  if (blob === undefined) throw new DrError(source.code, `The ${source.what} is missing. ${source.hint}`, source);
  return parseWith(sealResultSchema, parseJson(openDocument(name, blob.bytes), source), source);
}

async function mapWithPauses<From, To>(items: readonly From[], map: (item: From) => To): Promise<To[]> {
  const mapped: To[] = [];
  for (const item of items) {
    mapped.push(map(item));
    if (mapped.length % ROWS_AT_ONCE === 0) await letOthersIn();
  }
  return mapped;
}

async function storeShard(app: App, name: string, lines: readonly Octets[]) {
  const bytes = await compress(fromOctets(lines.join('')));
  await app.blobs.put(name, bytes, 'any');
  return { bytes: bytes.length, sha256: sha256Hex(bytes) };
}

function toResult(
  shard: number,
  stored: { bytes: number; sha256: string },
  { records, duplicatesSeen }: GroupedRows<StagedRow>,
): SealResult {
  const counts = countRecords(records);
  const entry: ManifestShard = {
    name: `shards/${shardLabel(shard)}.jsonl.gz`,
    records: counts.records,
    registrations: counts.registrations,
    ...stored,
  };
  return { formatVersion: 1, shard: entry, counts, duplicatesSeen };
}

function countRecords(records: readonly RecordOfRows<StagedRow>[]): RecordCounts {
  const byPlatform: Record<string, number> = {};
  let registrations = 0;
  let templates = 0;
  for (const { rows } of records) {
    registrations += rows.length;
    for (const row of rows) {
      byPlatform[row.platform] = (byPlatform[row.platform] ?? 0) + 1;
      if (row.isTemplate) templates += 1;
    }
  }
  const installations = records.filter((record) => record.key.startsWith('i:')).length;
  return { records: records.length, installations, registrations, templates, byPlatform };
}
