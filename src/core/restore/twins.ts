import type { RecordOfRows } from '../registration/record.ts';
import { canonicalRow, type Registration } from '../registration/registration.ts';

/**
 * Rows that live under a plain record's key and are, word for word, what was to be created of one of its rows, under ids
 * that nothing is known of: an import job gives out its own. One that was changed since is its device's.
 */
export function twinsOf(
  { xml }: Registration,
  record: RecordOfRows,
  live: RecordOfRows,
  mintedFor: (id: string) => readonly string[],
): { readonly isThere: boolean; readonly twins: readonly Registration[] } {
  const known = new Set(record.rows.flatMap(({ id }) => [id, ...mintedFor(id)]));
  if (live.rows.every(({ id }) => known.has(id))) return { isThere: true, twins: [] };
  const form = canonicalRow(xml);
  const same = live.rows.filter((row) => canonicalRow(row.xml) === form);
  return {
    isThere: same.some(({ id }) => known.has(id)),
    twins: same.filter(({ id, etag }) => !known.has(id) && etag <= 1),
  };
}
