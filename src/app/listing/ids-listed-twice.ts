import { hashPair } from '../../core/bytes/hash.ts';
import { membersOf, type Neighbours } from '../../core/registration/record.ts';
import type { ScanCheckpoint } from '../../core/snapshot/scan-checkpoint.ts';
import type { App } from '../app.ts';
import { readStagedRows, readStagedTables } from './segments.ts';
import { STAGED_SECTIONS } from './stage-rows.ts';
import { SnapshotRows, SnapshotTable, snapshotNumbersOf } from './staged-row.ts';

/** Rows whose numbers are read at once, about: 40 MB as they are stored. */
const ROWS_AT_ONCE = 1_000_000;

/** A row that is not its registration's any more: the hashes of its id and of the key it was listed under. */
export type SupersededRow = readonly [idHash: number, keyHash: number];

/** Of more rows it is not counted how many devices they are: 8 bytes a row. */
const MOST_ROWS_COUNTED = 4_000_000;

/**
 * `superseded`: rows of a backup's listing whose ids it shows under another key, too, with a higher ETag: an app backend
 * gave the registration a new handle while the hub was listed. Both in a snapshot would be two devices that take the id
 * from each other in every restore. `devices`: how many handles the other rows have; `undefined` for too many rows.
 */
export async function surveyIds(app: App, checkpoint: ScanCheckpoint) {
  const { ids, handles } = await readHashes(app, checkpoint);
  const repeated = repeatedIn(ids);
  const devices = handles && countDistinct(handles);
  if (repeated.size === 0) return { superseded: [], devices };
  const suspects = await findMoved(app, checkpoint, repeated);
  if (suspects.size === 0) return { superseded: [], devices };
  const identities = Map.groupBy(await readIdentities(app, checkpoint, suspects), ({ id }) => id);
  const rows = [...identities.values()].map((alike) => alike.toSorted(byAge));
  return { superseded: rows.flatMap(olderRows), devices: handles && devices && devices - countFormer(handles, rows) };
}

/** Of every row, in no order. */
async function readHashes(app: App, checkpoint: ScanCheckpoint) {
  const ids = new Float64Array(checkpoint.rowCount);
  const handles = checkpoint.rowCount > MOST_ROWS_COUNTED ? undefined : new Float64Array(checkpoint.rowCount);
  let count = 0;
  await eachTable(app, checkpoint, (table) => {
    for (let row = 0; row < table.count; row += 1) {
      ids[count] = table.idHash(row);
      if (handles !== undefined) handles[count] = table.handleHash(row);
      count += 1;
    }
  });
  return { ids: ids.subarray(0, count), handles: handles?.subarray(0, count) };
}

/** What occurs more than once; the numbers are sorted in place. */
function repeatedIn(numbers: Float64Array): ReadonlySet<number> {
  const sorted = numbers.sort();
  const repeated = new Set<number>();
  for (let at = 1; at < sorted.length; at += 1) {
    const number = sorted[at];
    if (number !== undefined && number === sorted[at - 1]) repeated.add(number);
  }
  return repeated;
}

/** The numbers are sorted in place. */
function countDistinct(numbers: Float64Array): number {
  const sorted = numbers.sort();
  let count = 0;
  for (let at = 0; at < sorted.length; at += 1) if (at === 0 || sorted[at] !== sorted[at - 1]) count += 1;
  return count;
}

/** Of these, the hashes of ids that were listed with different keys or handles. */
async function findMoved(app: App, checkpoint: ScanCheckpoint, repeated: ReadonlySet<number>) {
  const places = new Map<number, Set<number>>();
  await eachTable(app, checkpoint, (table) => {
    for (let row = 0; row < table.count; row += 1) {
      const idHash = table.idHash(row);
      if (!repeated.has(idHash)) continue;
      const place = hashPair(table.keyHash(row), table.handleHash(row));
      places.set(idHash, (places.get(idHash) ?? new Set()).add(place));
    }
  });
  return new Set([...places].flatMap(([idHash, found]) => (found.size > 1 ? [idHash] : [])));
}

/** Handles that only older rows have. `rows`: of each id, the newest first. */
function countFormer(handles: Float64Array, rows: readonly (readonly Identity[])[]): number {
  const older = rows.flatMap(([newest, ...others]) => others.filter((one) => one.handleHash !== newest?.handleHash));
  const left = new Map(
    [...Map.groupBy(older, ({ handleHash }) => handleHash)].map(([hash, all]) => [hash, all.length]),
  );
  for (const handle of handles) {
    const count = left.get(handle);
    if (count !== undefined) left.set(handle, count - 1);
  }
  return [...left.values()].filter((count) => count === 0).length;
}

interface Identity {
  readonly id: string;
  readonly idHash: number;
  readonly keyHash: number;
  readonly handleHash: number;
  readonly etag: number;
}

/** The newest first; of equal ones any would do, and the same is chosen. */
const byAge = (a: Identity, b: Identity): number => b.etag - a.etag || b.keyHash - a.keyHash;

/** Of the rows themselves: of ten million ids two may have one hash. */
async function readIdentities(
  app: App,
  checkpoint: ScanCheckpoint,
  suspects: ReadonlySet<number>,
): Promise<Identity[]> {
  const found: Identity[] = [];
  await eachTable(app, checkpoint, async (table, section) => {
    const own = membersOf({ first: 0, count: table.count }).filter((row) => suspects.has(table.idHash(row)));
    if (own.length === 0) return;
    const shards = { first: section, count: 1 };
    const rowsOf = await readStagedRows(app, { segments: checkpoint.segments, shards, shardCount: STAGED_SECTIONS });
    const rows = new SnapshotRows(await rowsOf(section), table.numbers);
    for (const row of own) {
      const [idHash, keyHash, handleHash] = [rows.idHash(row), rows.keyHash(row), rows.handleHash(row)];
      found.push({ id: rows.read(row).id, idHash, keyHash, handleHash, etag: rows.etag(row) });
    }
  });
  return found;
}

/** All but those under the key that has the highest ETag. */
function olderRows([newest, ...others]: readonly Identity[]): SupersededRow[] {
  const elsewhere = others.filter(({ keyHash }) => keyHash !== newest?.keyHash);
  return [...new Map(elsewhere.map(({ idHash, keyHash }) => [keyHash, [idHash, keyHash] as const])).values()];
}

async function eachTable(
  app: App,
  { segments, rowCount }: ScanCheckpoint,
  take: (table: SnapshotTable, section: number) => void | Promise<void>,
): Promise<void> {
  for (const shards of groupsOf(rowCount)) {
    const tableOf = await readStagedTables(app, { segments, shards, shardCount: STAGED_SECTIONS }, snapshotNumbersOf);
    for (const section of membersOf(shards)) await take(new SnapshotTable(await tableOf(section)), section);
  }
}

/** Neighbouring sections that hold about `ROWS_AT_ONCE` together, until there are no more. */
function groupsOf(rowCount: number): Neighbours[] {
  const count = Math.min(STAGED_SECTIONS, Math.ceil(rowCount / ROWS_AT_ONCE));
  return membersOf({ first: 0, count }).map((index) => {
    const [first, end] = [index, index + 1].map((at) => Math.floor((at * STAGED_SECTIONS) / count));
    return { first: first ?? 0, count: (end ?? 0) - (first ?? 0) };
  });
}
