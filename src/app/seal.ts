import { z } from 'zod';
import { DrError } from '../core/errors.ts';
import type { ManifestShard, RecordCounts } from '../core/manifest.ts';
import { parseJson, parseWith } from '../core/parse.ts';
import { manifestName, resultName, shardLabel, snapshotShardName, targetShardName } from '../core/paths.ts';
import { handlesLivingElsewhere } from '../core/plan.ts';
import { type GroupedRows, groupRows, handleHash, platformOf, type RecordOfRows } from '../core/record.ts';
import type { BackupRun, RestoreRun, Run } from '../core/run.ts';
import { formatShardLine, parseShard } from '../core/shard.ts';
import type { App } from './app.ts';
import { compareWithLast } from './churn.ts';
import { compress, decompress, openDocument, sealDocument, sha256Hex } from './codec.ts';
import { forEachConcurrent } from './concurrent.ts';
import { doneShards, moveOn } from './dispatch.ts';
import { storeForeignHandles } from './foreign-handles.ts';
import { beat } from './run-store.ts';
import { readFinishedScan } from './scan.ts';
import { readStagedRows } from './segments.ts';
import { storeSelection } from './shard-progress.ts';
import { readManifest, readSnapshotShard } from './snapshots.ts';
import { selectionOf } from './written-records.ts';

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

/** Results read at once. */
const READERS = 16;

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
    const rows = await readStagedRows(app, (await readFinishedScan(app, run)).segments, shard, run.shardCount);
    const grouped = groupRows(rows);
    const lines = grouped.records.map(formatShardLine);
    const [stored, churn] = await Promise.all([
      storeShard(app, shardNameOf(run, shard), lines),
      run.kind === 'backup' ? compareWithLast(app, run, shard, lines) : {},
    ]);
    if (run.kind === 'restore') await compareWithSnapshot(app, run, shard, grouped.records);
    await app.blobs.put(name, sealDocument(name, JSON.stringify(toResult(shard, stored, grouped))), 'any', {
      done: '1',
      records: String(grouped.records.length),
      ...churn,
    });
    await beat(app, run.kind, run.id);
  }
  const done = await doneShards(app, run.kind, run.id, pass, 'seal');
  if (done.size < run.shardCount) return;
  await moveOn(app, run, { name: run.kind === 'backup' ? 'publish' : 'reconcile', pass });
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

/** The target's records of one shard in a restore's pass. */
export async function readTargetShard(app: App, run: RestoreRun, shard: number): Promise<Map<string, RecordOfRows>> {
  const name = targetShardName(run.id, run.phase.pass, shard);
  const { shard: sealed } = await readSealResult(app, resultName('restore', run.id, run.phase.pass, 'seal', shard));
  const blob = await app.blobs.get(name);
  if (blob === undefined) throw missing(name);
  if (sha256Hex(blob.bytes) !== sealed.sha256) throw changed(name);
  return new Map(parseShard(await decompress(blob.bytes, name), name).map((record) => [record.key, record]));
}

async function readSealResult(app: App, name: string): Promise<SealResult> {
  const blob = await app.blobs.get(name);
  if (blob === undefined) throw missing(name);
  const source = {
    code: 'StoredDocumentInvalid',
    what: `shard result ${name}`,
    hint: 'Start a new run.',
    target: name,
  } as const;
  return parseWith(sealResultSchema, parseJson(openDocument(name, blob.bytes), source), source);
}

function missing(name: string): DrError {
  return new DrError('StoredDocumentInvalid', `The document ${name} of this run is missing. Start a new run.`, {
    target: name,
  });
}

function changed(name: string): DrError {
  const message = `The document ${name} of this run was changed after it was written, or put in another's place. Start a new run.`;
  return new DrError('StoredDocumentInvalid', message, { target: name });
}

function shardNameOf(run: Run, shard: number): string {
  if (run.kind === 'backup') return snapshotShardName(run.hub, run.id, shard);
  return targetShardName(run.id, run.phase.pass, shard);
}

async function storeShard(app: App, name: string, lines: readonly string[]) {
  const bytes = await compress(lines.join(''));
  await app.blobs.put(name, bytes, 'any');
  return { bytes: bytes.length, sha256: sha256Hex(bytes) };
}

/**
 * Comparing with the snapshot's shard here, before any reconcile step begins, does three things: every shard's checksum
 * is proven before the first write, devices that live under another key are known to all shards, and so is how many
 * records the restore is about.
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
  if (run.phase.pass > 1) return;
  const isSelected = await selectionOf(app, run, shard, snapshot);
  await storeSelection(app, run, shard, snapshot.map(platformOf), isSelected);
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
