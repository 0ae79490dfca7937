import { hash53 } from '../../bytes/hash.ts';
import { isAmong, versionHashOf } from '../../fingerprint/row.ts';
import { distinctRows } from '../../registration/distinct.ts';
import { isInPlace } from '../../registration/expected.ts';
import { installationIdIn, isInstallation, type RecordOfRows } from '../../registration/record.ts';
import { canonicalRow, type Registration } from '../../registration/registration.ts';
import type { Sighting } from './seen.ts';
import { deletionOf, type MintedFor, type Write } from './write.ts';

/** What a restore wrote of one record. */
export interface WrittenRecord {
  /**
   * Positions of the rows that were added to a device which lived already; absent when the restore created all of it.
   */
  readonly added?: readonly number[];
  /** Marks of its rows as the target showed them afterwards; absent when the restore ended before it looked again. */
  readonly seen?: ReadonlySet<number>;
  /** Of these, the marks of rows that the target stores otherwise than they were sent. */
  readonly altered?: ReadonlySet<number>;
  /** Of `seen` those that the rollback of a newer restore put back, maybe under other ids than the restore's. */
  readonly putBack?: ReadonlySet<number>;
  /** How often it was written again because it had not appeared. */
  readonly rewriteCount?: number;
  /** No device uses the hub: whatever lives there under its key is the restore's own. */
  readonly isOurs?: boolean;
}

/**
 * Whether a row's ETag can come of the restore's own writes: each raises it by one. A write that was repeated may take
 * effect after the last look.
 */
export function isOfRewrite(row: Registration, rewriteCount = 0, etagBefore = 0): boolean {
  return rewriteCount > 0 && row.etag > 0 && row.etag <= etagBefore + 1 + rewriteCount;
}

/** What a rollback has done about a record so far. */
export interface RemovedRecord extends WrittenRecord {
  /** What `removalHashesOf` gave of the rows that earlier passes removed. */
  readonly removed?: ReadonlySet<number> | undefined;
  /** The hub has answered that those rows are gone: the same row again is its device registering again. */
  readonly isAnswered?: boolean;
}

/** What is to become of one record a restore wrote, when that is undone. */
export type RemovalPlan =
  | { readonly kind: 'gone' | 'changed' }
  | { readonly kind: 'remove'; readonly writes: readonly Write[] };

/** What a look shows of a record that its restore wrote. An installation is as it was written as a whole, or not. */
export function sightingOf(record: RecordOfRows, live: RecordOfRows): Sighting {
  const forms = distinctRows(record.rows);
  const isWhole = isInstallation(record) && isInPlace(record, live);
  const isSeen = ({ xml }: Registration): boolean => (isInstallation(record) ? isWhole : forms.has(canonicalRow(xml)));
  const altered = live.rows.filter((row) => !isSeen(row)).map(versionHashOf);
  return { seen: live.rows.filter(isSeen).map(versionHashOf), ...(altered.length > 0 ? { altered } : {}) };
}

/** By these a later pass knows a row that is removed now, and its id where another version shows under it. */
export function removalHashesOf(writes: readonly Write[], live: readonly Registration[]): number[] {
  const isWhole = writes.some(({ kind }) => kind === 'installationDeletion');
  const ids = new Set(writes.map(({ id }) => id));
  const removed = isWhole ? live : live.filter(({ id }) => ids.has(id));
  return removed.flatMap((row) => [versionHashOf(row), idHashOf(row)]);
}

/**
 * Removes what a restore wrote of a record and only while all of that is exactly as the restore left it; else its
 * device changed it since and keeps it. Rows under other ids are the device's own and stay. Without version hashes a
 * row counts as untouched when it is what the restore would have written, and an installation when it is so as a whole.
 * A listing may leave rows out: one that shows later is judged by the same rules.
 */
export function planRemoval(
  record: RecordOfRows,
  live: RecordOfRows | undefined,
  what: RemovedRecord,
  mintedFor: MintedFor,
): RemovalPlan {
  if (live === undefined) return { kind: 'gone' };
  const installationId = installationIdIn(record.key);
  if (installationId !== undefined) {
    // One that lived before was only rid of the tag that earlier versions left.
    if (what.added !== undefined) return { kind: 'changed' };
    if (!isInstallationUntouched(record, live, what)) return { kind: 'changed' };
    // A listing may have passed over rows of it.
    const asSeen = [...new Set([...live.rows.map(versionHashOf), ...(what.seen ?? [])])];
    return { kind: 'remove', writes: [{ kind: 'installationDeletion', id: installationId, asSeen }] };
  }
  const { added } = what;
  const rows =
    added === undefined ? [...distinctRows(record.rows).values()] : added.flatMap((at) => record.rows[at] ?? []);
  const formById = new Map(
    rows.flatMap((row) => [row.id, ...mintedFor(row.id)].map((id) => [id, canonicalRow(row.xml)] as const)),
  );
  const forms = new Set(formById.values());
  const isPutBack = (row: Registration): boolean =>
    what.putBack !== undefined && isAmong(what.putBack, row) && forms.has(canonicalRow(row.xml));
  const ours = live.rows.filter((row) => formById.has(row.id) || isPutBack(row));
  if (ours.length === 0) return { kind: 'gone' };
  const isUntouched = (row: Registration): boolean => isPutBack(row) || isRowUntouched(row, formById.get(row.id), what);
  if (!ours.every(isUntouched)) return { kind: 'changed' };
  const writes = ours.map(deletionOf);
  return { kind: 'remove', writes };
}

function isInstallationUntouched(record: RecordOfRows, live: RecordOfRows, what: RemovedRecord): boolean {
  const { seen, removed, rewriteCount, isOurs } = what;
  if (isOurs) return true;
  // What was removed may still show: one that its device has made again has other ids.
  const known = [seen, removed].filter((versions) => versions !== undefined);
  if (known.length === 0) return isInPlace(record, live);
  if (live.rows.every((row) => known.some((versions) => isAmong(versions, row)))) return true;
  return live.rows.every((row) => isOfRewrite(row, rewriteCount)) && isInPlace(record, live);
}

/** A row that its device made again under its id may have the version of the one that was removed. */
function isRowUntouched(row: Registration, form: string | undefined, what: RemovedRecord): boolean {
  const { seen, altered, removed, isAnswered, isOurs } = what;
  if (isOurs) return true;
  const isAsLeft = form === canonicalRow(row.xml) || (altered !== undefined && isAmong(altered, row));
  if (removed !== undefined && isAmong(removed, row)) return !isAnswered && isAsLeft;
  if (seen !== undefined) return isAmong(seen, row) && isAsLeft;
  return !removed?.has(idHashOf(row)) && isAsLeft;
}

function idHashOf({ id }: Registration): number {
  return hash53(`id ${id}`);
}
