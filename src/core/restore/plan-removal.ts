import { versionHashOf } from '../fingerprint/row.ts';
import { distinctRows } from '../registration/distinct.ts';
import type { RecordOfRows } from '../registration/record.ts';
import { canonicalRow, type Registration } from '../registration/registration.ts';
import type { PlanOptions, Write } from './plan.ts';

/** What a restore wrote of one record. */
export interface WrittenRecord {
  /**
   * Positions of the rows that were added to a device which lived already; absent when the restore created all of it.
   */
  readonly added?: readonly number[];
  /** Marks of its rows as the target showed them afterwards; absent when the restore ended before it looked again. */
  readonly seen?: ReadonlySet<number>;
}

/** What is to become of one record a restore wrote, when that is undone. */
export type RemovalPlan =
  | { readonly kind: 'gone' | 'changed' }
  | { readonly kind: 'remove'; readonly writes: readonly Write[] };

/**
 * The version hashes of a record's rows as its restore left them: none of rows that are no longer what the restore
 * wrote, and none at all of an installation that is not.
 */
export function versionHashesOf(record: RecordOfRows, live: RecordOfRows): number[] {
  if (record.key.startsWith('i:')) return isSameToDevice(record.rows, live.rows) ? live.rows.map(versionHashOf) : [];
  const forms = distinctRows(record.rows);
  return live.rows.filter((row) => forms.has(canonicalRow(row.xml))).map(versionHashOf);
}

/**
 * Removes what a restore wrote of a record and only while all of that is exactly as the restore left it; else its
 * device changed it since and keeps it. Rows under other ids are the device's own and stay. Without version hashes a
 * row counts as untouched when it is what the restore would have written, and an installation when it is so as a whole.
 */
export function planRemoval(
  record: RecordOfRows,
  live: RecordOfRows | undefined,
  { added, seen }: WrittenRecord,
  mintedFor: PlanOptions['mintedFor'],
): RemovalPlan {
  if (live === undefined) return { kind: 'gone' };
  if (record.key.startsWith('i:')) {
    const isUntouched = seen
      ? live.rows.every((row) => seen.has(versionHashOf(row)))
      : isSameToDevice(record.rows, live.rows);
    if (!isUntouched) return { kind: 'changed' };
    return { kind: 'remove', writes: [{ kind: 'removal', id: record.key.slice(2) }] };
  }
  const rows =
    added === undefined ? [...distinctRows(record.rows).values()] : added.flatMap((at) => record.rows[at] ?? []);
  const formById = new Map(
    rows.flatMap((row) => [row.id, ...mintedFor(row.id)].map((id) => [id, canonicalRow(row.xml)] as const)),
  );
  const ours = live.rows.filter((row) => formById.has(row.id));
  const isUntouched = (row: Registration): boolean =>
    seen === undefined ? formById.get(row.id) === canonicalRow(row.xml) : seen.has(versionHashOf(row));
  if (ours.length === 0) return { kind: 'gone' };
  if (!ours.every(isUntouched)) return { kind: 'changed' };
  return { kind: 'remove', writes: ours.map(({ id, etag }) => ({ kind: 'withdrawal', id, etag }) as const) };
}

function isSameToDevice(rows: readonly Registration[], live: readonly Registration[]): boolean {
  const forms = distinctRows(rows);
  const liveForms = distinctRows(live);
  return forms.size === liveForms.size && [...forms.keys()].every((form) => liveForms.has(form));
}
