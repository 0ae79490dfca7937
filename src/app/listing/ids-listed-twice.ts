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

/**
 * Rows of a backup's listing whose ids it shows under another key, too, with a higher ETag: an app backend gave the
 * registration a new handle while the hub was listed. Both in a snapshot would be two devices that take the id from each
 * other in every restore.
 */
export async function findSuperseded(app: App, checkpoint: ScanCheckpoint): Promise<SupersededRow[]> {
  const repeated = await findRepeatedIds(app, checkpoint);
  if (repeated.size === 0) return [];
  const keys = new Map<number, Set<number>>();
  await eachTable(app, checkpoint, (table) => {
    for (let row = 0; row < table.count; row += 1) {
      const idHash = table.idHash(row);
      if (repeated.has(idHash)) keys.set(idHash, (keys.get(idHash) ?? new Set()).add(table.keyHash(row)));
    }
  });
  const suspects = new Set([...keys].flatMap(([idHash, found]) => (found.size > 1 ? [idHash] : [])));
  return suspects.size === 0 ? [] : olderRows(await readIdentities(app, checkpoint, suspects));
}

/** Hashes of the ids that were listed more than once, under whatever key. */
async function findRepeatedIds(app: App, checkpoint: ScanCheckpoint): Promise<ReadonlySet<number>> {
  const ids = new Float64Array(checkpoint.rowCount);
  let count = 0;
  await eachTable(app, checkpoint, (table) => {
    for (let row = 0; row < table.count; row += 1) {
      ids[count] = table.idHash(row);
      count += 1;
    }
  });
  const sorted = ids.subarray(0, count).sort();
  const repeated = new Set<number>();
  for (let at = 1; at < count; at += 1) {
    const id = sorted[at];
    if (id !== undefined && id === sorted[at - 1]) repeated.add(id);
  }
  return repeated;
}

interface Identity {
  readonly id: string;
  readonly idHash: number;
  readonly keyHash: number;
  readonly etag: number;
}

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
      const [idHash, keyHash, etag] = [rows.idHash(row), rows.keyHash(row), rows.etag(row)];
      found.push({ id: rows.read(row).id, idHash, keyHash, etag });
    }
  });
  return found;
}

/** All but those under the key that has the highest ETag; of equal ones any key would do, and the same is chosen. */
function olderRows(identities: readonly Identity[]): SupersededRow[] {
  return [...Map.groupBy(identities, ({ id }) => id).values()].flatMap((rows) => {
    const [newest] = rows.toSorted((a, b) => b.etag - a.etag || b.keyHash - a.keyHash);
    const others = rows.filter(({ keyHash }) => keyHash !== newest?.keyHash);
    return [...new Map(others.map(({ idHash, keyHash }) => [keyHash, [idHash, keyHash] as const])).values()];
  });
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
