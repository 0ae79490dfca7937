import { resultName, shardLabel, snapshotFingerprintsName, snapshotShardName } from '../../core/paths.ts';
import type { BlobFacts } from '../../core/ports.ts';
import { membersOf, type Neighbours, shardOf } from '../../core/registration/record.ts';
import type { BackupRun } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { readFinishedScan } from '../listing/scan.ts';
import { readStagedRows, readStagedTables } from '../listing/segments.ts';
import { STAGED_SECTIONS } from '../listing/stage-rows.ts';
import { SnapshotRows, snapshotNumbersOf } from '../listing/staged-row.ts';
import { doShards, type Moved } from '../runs/dispatch.ts';
import { storeFingerprints } from '../snapshots/fingerprints.ts';
import { sha256Hex } from '../stored/codec.ts';
import { mapConcurrent } from '../stored/concurrent.ts';
import { documents } from '../stored/documents.ts';
import { openChurn, type ShardCounter } from './churn.ts';
import { openCoverage } from './coverage.ts';
import { makeLines, type ShardLines } from './shard-lines.ts';

export type ShardResult = Awaited<ReturnType<typeof documents.snapshotShard.read>>;

/** Results read at once. */
const READERS = 16;

/**
 * Stores shards of the snapshot: rows seen twice dropped, rows of a record together. While one is packed and stored the
 * next is made.
 */
export function buildShards(app: App, run: BackupRun, shards: Neighbours): Promise<Moved> {
  return doShards(app, run, shards, { work: () => buildAll(app, run, shards), next: 'publish' });
}

async function buildAll(app: App, run: BackupRun, shards: Neighbours): Promise<void> {
  const { shardCount } = run;
  const { segments, superseded = [] } = await readFinishedScan(app, run);
  const staged = { segments, shards, shardCount };
  const [rowsOf, tableOf] = await Promise.all([
    readStagedRows(app, staged),
    readStagedTables(app, staged, snapshotNumbersOf),
  ]);
  const counters = await Promise.all([openChurn(app, run), openCoverage(app, run)]);
  let storing = Promise.resolve();
  for (const shard of membersOf(shards)) {
    const rows = new SnapshotRows(await rowsOf(shard), await tableOf(shard));
    const isOurs = (keyHash: number): boolean => shardOf(keyHash, shardCount) === shard;
    const lines = await makeLines(rows, app.world.nextTurn, {
      superseded,
      ...(shardCount > STAGED_SECTIONS ? { isOurs } : {}),
    });
    await storing;
    storing = storeShard(app, run, shard, lines, counters);
    // What becomes of it is seen when it is awaited.
    storing.catch(() => {});
  }
  await storing;
}

async function storeShard(
  app: App,
  run: BackupRun,
  shard: number,
  lines: ShardLines,
  counters: readonly (ShardCounter | undefined)[],
): Promise<void> {
  const name = resultName(run.kind, run.id, run.phase.pass, 'seal', shard);
  const { counts, duplicatesSeen } = lines;
  const bytes = await app.world.gzip(lines.bytes);
  const sha256 = sha256Hex(bytes);
  const [counted] = await Promise.all([
    Promise.all(counters.map((count) => count?.(shard, lines.fingerprints))),
    app.blobs.put(snapshotShardName(run.hub, run.id, shard), bytes, 'any'),
    storeFingerprints(app, snapshotFingerprintsName(run.hub, run.id, shard), sha256, lines.fingerprints),
  ]);
  const { records, registrations } = counts;
  const entry = { name: `shards/${shardLabel(shard)}.jsonl.gz`, records, registrations, bytes: bytes.length, sha256 };
  const facts: BlobFacts = Object.assign({ done: '1', records: String(records) }, ...counted);
  await documents.snapshotShard.write(app, name, { shard: entry, counts, duplicatesSeen }, 'any', facts);
}

/** All shards' results of a backup, in shard order. Throws `StoredDocumentInvalid`, naming the one it is about. */
export function readShardResults(app: App, run: BackupRun): Promise<ShardResult[]> {
  return mapConcurrent(membersOf({ first: 0, count: run.shardCount }), READERS, (shard) =>
    documents.snapshotShard.read(app, resultName(run.kind, run.id, run.phase.pass, 'seal', shard)),
  );
}
