import type { Shown } from '../fingerprint/shown.ts';
import { type BaselineRecord, entryOf } from './record.ts';

/** A record was put back in a hub as it was before: what spoke of that row speaks of the row that is there now. */
export function putBackIn(
  record: BaselineRecord,
  hub: 'source' | 'target',
  { before, now }: { readonly before: Shown; readonly now: Shown },
): BaselineRecord {
  const { agreed, note } = record;
  const entry = entryOf(record);
  const isEntryOf = entry?.[hub].version === before.version;
  const isNoteOf = note?.[hub].version === before.version;
  return {
    ...record,
    agreed: entry !== undefined && isEntryOf ? { ...entry, [hub]: { ...entry[hub], ...now } } : agreed,
    note: note !== undefined && isNoteOf ? { ...note, [hub]: { ...note[hub], version: now.version } } : note,
  };
}
