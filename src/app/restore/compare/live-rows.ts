import type { LiveFingerprints } from '../../../core/fingerprint/comparison.ts';
import { FINGERPRINT_WIDTH, fingerprintAt, LiveTable } from '../../../core/fingerprint/live-table.ts';
import type { RowFingerprint } from '../../../core/fingerprint/row.ts';
import { groupRows, keyHashOf, type Neighbours, type RecordOfRows } from '../../../core/registration/record.ts';
import { parseRegistration, type Registration } from '../../../core/registration/registration.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { readFinishedScan } from '../../listing/scan.ts';
import { forEachStagedRow, openTableParts, type StagedShards } from '../../listing/segments.ts';
import { fingerprintNumbersOf } from '../../listing/staged-row.ts';
import { remembered } from '../../stored/remembered.ts';

/** What lives in the target in one shard; rows the listing showed twice are there once. */
export interface LiveShard {
  /** Part by part, each record whole in one of them: of a target that holds far more than the snapshot one is held. */
  parts(): AsyncIterable<LiveTable>;
  /** There is one part. */
  readonly isWhole: boolean;
}

/** What a look through a shard has shown. */
export interface Looked {
  /** What lives under the keys that were asked for, at least. */
  readonly live: LiveFingerprints;
  /** How many there are in all. */
  readonly records: number;
  readonly rows: number;
}

/** Looks through all that lives in a shard, and keeps what lives under these keys, which are asked for with each part. */
export async function lookThrough(
  { parts, isWhole }: LiveShard,
  keyHashes: () => Iterable<number>,
  visit: (part: LiveFingerprints) => void = () => {},
): Promise<Looked> {
  const kept: LiveTable[] = [];
  let [records, rows] = [0, 0];
  for await (const part of parts()) {
    visit(part);
    records += part.size;
    for (const [, own] of part) rows += own.length;
    kept.push(isWhole ? part : part.only(keyHashes()));
  }
  return { live: LiveTable.join(kept), records, rows };
}

/**
 * What lives in the target in neighbouring shards, each when it is asked for. Throws `StoredDocumentInvalid`, naming the
 * segment that is not as it was stored.
 */
export async function openLiveShards(
  app: App,
  run: RestoreRun,
  shards: Neighbours,
): Promise<(shard: number) => LiveShard> {
  const { areWhole, of } = await openTableParts(app, await stagedOf(app, run, shards), fingerprintNumbersOf);
  return (shard) => {
    let whole: LiveTable | undefined;
    return {
      isWhole: areWhole,
      async *parts() {
        if (whole !== undefined) return yield whole;
        for await (const table of of(shard)) {
          const part = new LiveTable(table);
          if (areWhole) whole = part;
          yield part;
        }
      },
    };
  };
}

/** What lives in the target in one shard with all that the rows say. A record is read when it is asked for. */
export interface LiveRecords {
  get(key: string): RecordOfRows | undefined;
  /** By the hash of its key. */
  find(keyHash: number): RecordOfRows | undefined;
}

/**
 * Of the records with a wanted key: of a target that holds far more than the snapshot, only these are kept. Throws as
 * `openLiveShards` does.
 */
export async function readLiveRecords(
  app: App,
  run: RestoreRun,
  shard: number,
  isWanted: (keyHash: number) => boolean,
): Promise<LiveRecords> {
  const staged = await stagedOf(app, run, { first: shard, count: 1 });
  const numbers: RowFingerprint[] = [];
  const rows: Buffer[] = [];
  const form = { width: FINGERPRINT_WIDTH, numbersOf: fingerprintNumbersOf };
  await forEachStagedRow(app, staged, form, (row, table, at) => {
    // The key's hash comes first.
    if (!isWanted(table[at] ?? 0)) return;
    numbers.push(fingerprintAt(table, at));
    // Of its own, so that what it was read with is not kept.
    rows.push(Buffer.from(row));
  });
  const places = placesByKey(rows, numbers);
  const find = (keyHash: number): RecordOfRows | undefined =>
    groupRows((places.get(keyHash) ?? []).map((place) => readRow(rows, place))).records[0];
  return { find, get: (key) => [find(keyHashOf(key))].find((record) => record?.key === key) };
}

/** Places of the rows by the hash of their record's key. Of rows with one id one stays, as `groupRows` chooses. */
function placesByKey(
  rows: readonly Buffer[],
  numbers: readonly RowFingerprint[],
): ReadonlyMap<number, readonly number[]> {
  const kept = new Map<number, number>();
  for (const [place, { idHash }] of numbers.entries()) {
    const other = kept.get(idHash);
    if (other === undefined || readRow(rows, place).etag >= readRow(rows, other).etag) kept.set(idHash, place);
  }
  return Map.groupBy(kept.values(), (place) => numbers[place]?.keyHash ?? Number.NaN);
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
