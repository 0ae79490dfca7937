import type { LiveFingerprints } from '../../../core/fingerprint/comparison.ts';
import type { RowFingerprint } from '../../../core/fingerprint/row.ts';
import { groupRows, type Neighbours, type RecordOfRows } from '../../../core/registration/record.ts';
import { parseRegistration } from '../../../core/registration/registration.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { readFinishedScan } from '../../listing/scan.ts';
import { readStagedRows, readStagedTables, type StagedShards } from '../../listing/segments.ts';
import { FINGERPRINT_WIDTH, fingerprintAt, fingerprintNumbersOf } from '../../listing/staged-row.ts';

/**
 * What lives in the target in neighbouring shards, each when it is asked for; rows the listing showed twice are there
 * once. Throws `StoredDocumentInvalid`, naming the segment that is not as it was stored.
 */
export async function openLiveFingerprints(
  app: App,
  run: RestoreRun,
  shards: Neighbours,
): Promise<(shard: number) => Promise<LiveFingerprints>> {
  const tableOf = await readStagedTables(app, await stagedOf(app, run, shards), fingerprintNumbersOf);
  return async (shard) => toLiveFingerprints(await tableOf(shard));
}

function toLiveFingerprints(table: Float64Array): LiveFingerprints {
  const byKey = new Map<number, RowFingerprint[]>();
  for (let at = 0; at < table.length; at += FINGERPRINT_WIDTH) {
    const fingerprint = fingerprintAt(table, at);
    const rows = byKey.get(fingerprint.keyHash);
    if (rows === undefined) byKey.set(fingerprint.keyHash, [fingerprint]);
    else if (!rows.some(({ versionHash }) => versionHash === fingerprint.versionHash)) rows.push(fingerprint);
  }
  return byKey;
}

/** What lives in the target in one shard with all that the rows say, by key. Throws as `openLiveFingerprints` does. */
export async function readLiveRecords(app: App, run: RestoreRun, shard: number): Promise<Map<string, RecordOfRows>> {
  const rowsOf = await readStagedRows(app, await stagedOf(app, run, { first: shard, count: 1 }));
  const { records } = groupRows((await rowsOf(shard)).map((row) => parseRegistration(row.toString('utf8'))));
  return new Map(records.map((record) => [record.key, record]));
}

async function stagedOf(app: App, run: RestoreRun, shards: Neighbours): Promise<StagedShards> {
  const { segments } = await readFinishedScan(app, run);
  return { segments, shards, shardCount: run.shardCount };
}
