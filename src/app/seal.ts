import { z } from 'zod';
import { DrError } from '../core/errors.ts';
import type { ManifestShard, RecordCounts } from '../core/manifest.ts';
import { isDoneFact } from '../core/outcomes.ts';
import { parseJson, parseWith } from '../core/parse.ts';
import {
  manifestName,
  resultName,
  resultsFolder,
  shardLabel,
  snapshotShardName,
  targetShardName,
} from '../core/paths.ts';
import { handlesLivingElsewhere } from '../core/plan.ts';
import { type GroupedRows, groupRows, handleHash, type RecordOfRows, sectionsOf } from '../core/record.ts';
import { parseRegistration, type Registration } from '../core/registration.ts';
import type { BackupRun, RestoreRun, Run } from '../core/run.ts';
import type { ScanCheckpoint } from '../core/scan-checkpoint.ts';
import { formatShardLine, parseShard, splitLines } from '../core/shard.ts';
import type { App } from './app.ts';
import { compress, decompress, sha256Hex, toBytes, toText } from './codec.ts';
import { doneShards, moveOn } from './dispatch.ts';
import { storeForeignHandles } from './foreign-handles.ts';
import { beat } from './run-store.ts';
import { readScan } from './scan.ts';
import { readManifest, readSnapshotShard } from './snapshots.ts';

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

/**
 * Makes one shard of what a scan staged: rows seen twice dropped, rows of a record together, records in key order. In
 * a backup that is a shard of the snapshot; in a restore it is the target's side of the comparison. Running it twice
 * writes the same bytes twice.
 */
export async function seal(app: App, run: Run, shard: number): Promise<void> {
  const { pass } = run.phase;
  const name = resultName(run.kind, run.id, pass, 'seal', shard);
  if ((await app.blobs.get(name)) === undefined) {
    const rows = await readStagedRows(app, await readScan(app, run, pass), shard, run.shardCount);
    const grouped = groupRows(rows);
    const stored = await storeShard(app, shardNameOf(run, shard), grouped.records);
    if (run.kind === 'restore') await compareWithSnapshot(app, run, shard, grouped.records);
    await app.blobs.put(name, toBytes(JSON.stringify(toResult(shard, stored, grouped))), 'any', { done: '1' });
    await beat(app, run.kind, run.id);
  }
  const done = await doneShards(app, run.kind, run.id, pass, 'seal');
  if (done.size < run.shardCount) return;
  await moveOn(app, run, { name: run.kind === 'backup' ? 'publish' : 'reconcile', pass });
}

/** All shards' results of a backup, in shard order. */
export async function readSealResults(app: App, run: BackupRun): Promise<SealResult[]> {
  const entries = await app.blobs.list(resultsFolder(run.kind, run.id, run.phase.pass, 'seal'));
  const names = entries.filter((entry) => isDoneFact(entry.facts)).map((entry) => entry.name);
  const results: SealResult[] = [];
  for (let from = 0; from < names.length; from += 16) {
    results.push(...(await Promise.all(names.slice(from, from + 16).map((name) => readSealResult(app, name)))));
  }
  return results;
}

/** The target's records of one shard in a restore's pass. */
export async function readTargetShard(app: App, run: RestoreRun, shard: number): Promise<Map<string, RecordOfRows>> {
  const name = targetShardName(run.id, run.phase.pass, shard);
  const blob = await app.blobs.get(name);
  if (blob === undefined) throw missing(name);
  return new Map(parseShard(await decompress(blob.bytes, name), name).map((record) => [record.key, record]));
}

async function readSealResult(app: App, name: string): Promise<SealResult> {
  const blob = await app.blobs.get(name);
  if (blob === undefined) throw missing(name);
  const source = { code: 'StoredDocumentInvalid', what: `shard result ${name}`, hint: 'Start a new run.' } as const;
  return parseWith(sealResultSchema, parseJson(toText(blob.bytes), source), source);
}

function missing(name: string): DrError {
  return new DrError('StoredDocumentInvalid', `The document ${name} of this run is missing. Start a new run.`, {
    target: name,
  });
}

function shardNameOf(run: Run, shard: number): string {
  if (run.kind === 'backup') return snapshotShardName(run.hub, run.id, shard);
  return targetShardName(run.id, run.phase.pass, shard);
}

async function readStagedRows(
  app: App,
  checkpoint: ScanCheckpoint,
  shard: number,
  shardCount: number,
): Promise<Registration[]> {
  const { first, length } = sectionsOf(shard, shardCount);
  const rows: Registration[] = [];
  for (const segment of checkpoint.segments) {
    const offset = sum(segment.lengths.slice(0, first));
    const lengths = segment.lengths.slice(first, first + length);
    const size = sum(lengths);
    if (size === 0) continue;
    const blob = await app.blobs.get(segment.name, { offset, length: size });
    if (blob === undefined) throw missing(segment.name);
    // One by one: over several members zlib takes whatever follows a zero byte for padding, and leaves it out.
    let at = 0;
    for (const memberLength of lengths.filter((one) => one > 0)) {
      const text = await decompress(blob.bytes.subarray(at, at + memberLength), segment.name);
      at += memberLength;
      for (const line of splitLines(text)) {
        const xml: unknown = JSON.parse(line);
        if (typeof xml === 'string') rows.push(parseRegistration(xml));
      }
    }
  }
  return rows;
}

async function storeShard(app: App, name: string, records: readonly RecordOfRows[]) {
  const bytes = await compress(records.map(formatShardLine).join(''));
  await app.blobs.put(name, bytes, 'any');
  return { bytes: bytes.length, sha256: sha256Hex(bytes) };
}

/**
 * Comparing with the snapshot's shard here, before any reconcile step begins, does two things: every shard's checksum
 * is proven before the first write, and devices that live under another key are known to all shards.
 */
async function compareWithSnapshot(
  app: App,
  run: RestoreRun,
  shard: number,
  live: readonly RecordOfRows[],
): Promise<void> {
  const { sourceHub, snapshotId } = run.request;
  const manifest = await readManifest(app, sourceHub, snapshotId);
  if (manifest === undefined) throw missing(manifestName(sourceHub, snapshotId));
  const snapshot = await readSnapshotShard(app, manifest, shard);
  await storeForeignHandles(app, run, shard, handlesLivingElsewhere(live, snapshot, handleHash));
}

function toResult(
  shard: number,
  stored: { bytes: number; sha256: string },
  { records, duplicatesSeen }: GroupedRows,
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

function countRecords(records: readonly RecordOfRows[]): RecordCounts {
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

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
