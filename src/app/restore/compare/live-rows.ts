import { FEW } from '../../../core/bytes/search.ts';
import type { LiveFingerprints } from '../../../core/fingerprint/comparison.ts';
import type { RowFingerprint } from '../../../core/fingerprint/row.ts';
import { groupRows, keyHashOf, type Neighbours, type RecordOfRows } from '../../../core/registration/record.ts';
import { parseRegistration, type Registration } from '../../../core/registration/registration.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { readFinishedScan } from '../../listing/scan.ts';
import { readStagedRows, readStagedTables, type StagedShards } from '../../listing/segments.ts';
import { FINGERPRINT_WIDTH, fingerprintAt, fingerprintNumbersOf } from '../../listing/staged-row.ts';
import { remembered } from '../../stored/remembered.ts';

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
  /** Of keys with many rows. */
  const versions = new Map<number, Set<number>>();
  const isKnown = ({ keyHash, versionHash }: RowFingerprint, rows: readonly RowFingerprint[]): boolean => {
    if (rows.length < FEW) return rows.some((row) => row.versionHash === versionHash);
    const known = versions.get(keyHash) ?? new Set(rows.map((row) => row.versionHash));
    versions.set(keyHash, known);
    const isNew = !known.has(versionHash);
    if (isNew) known.add(versionHash);
    return !isNew;
  };
  for (let at = 0; at < table.length; at += FINGERPRINT_WIDTH) {
    const fingerprint = fingerprintAt(table, at);
    const rows = byKey.get(fingerprint.keyHash);
    if (rows === undefined) byKey.set(fingerprint.keyHash, [fingerprint]);
    else if (!isKnown(fingerprint, rows)) rows.push(fingerprint);
  }
  return byKey;
}

/** What lives in the target in one shard with all that the rows say. A record is read when it is asked for. */
export interface LiveRecords {
  get(key: string): RecordOfRows | undefined;
  /** By the hash of its key. */
  find(keyHash: number): RecordOfRows | undefined;
}

/** Throws as `openLiveFingerprints` does. */
export async function readLiveRecords(app: App, run: RestoreRun, shard: number): Promise<LiveRecords> {
  const staged = await stagedOf(app, run, { first: shard, count: 1 });
  const [rows, table] = await Promise.all([
    readStagedRows(app, staged).then((rowsOf) => rowsOf(shard)),
    readStagedTables(app, staged, fingerprintNumbersOf).then((tableOf) => tableOf(shard)),
  ]);
  if (table.length !== rows.length * FINGERPRINT_WIDTH) throw new RangeError('There are not as many numbers as rows.');
  const places = placesByKey(rows, table);
  const find = (keyHash: number): RecordOfRows | undefined =>
    groupRows((places.get(keyHash) ?? []).map((place) => readRow(rows, place))).records[0];
  return { find, get: (key) => [find(keyHashOf(key))].find((record) => record?.key === key) };
}

/** Places of the rows by the hash of their record's key. Of rows with one id one stays, as `groupRows` chooses. */
function placesByKey(rows: readonly Buffer[], table: Float64Array): ReadonlyMap<number, readonly number[]> {
  const kept = new Map<number, number>();
  for (let place = 0; place < rows.length; place += 1) {
    const { idHash } = fingerprintAt(table, place * FINGERPRINT_WIDTH);
    const other = kept.get(idHash);
    if (other === undefined || readRow(rows, place).etag >= readRow(rows, other).etag) kept.set(idHash, place);
  }
  return Map.groupBy(kept.values(), (place) => fingerprintAt(table, place * FINGERPRINT_WIDTH).keyHash);
}

function readRow(rows: readonly Buffer[], place: number): Registration {
  const row = rows[place];
  if (row === undefined) throw new RangeError(`There is no row ${place}.`);
  return parseRegistration(row.toString('utf8'));
}

/** Listings remembered by one process: each step of a pass reads what the same one staged. */
const REMEMBERED = 2;

async function stagedOf(app: App, run: RestoreRun, shards: Neighbours): Promise<StagedShards> {
  const passName = `${run.id} ${run.phase.pass}`;
  const read = () => readFinishedScan(app, run);
  const { segments } = await remembered(app.memory.finishedScans, passName, REMEMBERED, read);
  return { segments, shards, shardCount: run.shardCount };
}
