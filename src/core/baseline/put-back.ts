import type { Shown } from '../fingerprint/shown.ts';
import { type BaselineRecord, entryOf, paidTo } from './record.ts';

/** A record was put back in a hub as it was before: what spoke of that row speaks of the row that is there now. */
export function putBackIn(
  record: BaselineRecord,
  hub: 'source' | 'target',
  { before, now }: { readonly before: Shown; readonly now: Shown },
): BaselineRecord {
  const { agreed, note } = paidTo(hub, record);
  const entry = entryOf({ agreed });
  const isEntryOf = entry?.[hub].version === before.version;
  const isNoteOf = note?.[hub].version === before.version;
  return {
    ...record,
    agreed: entry !== undefined && isEntryOf ? { ...entry, [hub]: { ...entry[hub], ...now } } : agreed,
    note: note !== undefined && isNoteOf ? { ...note, [hub]: { ...note[hub], version: now.version } } : note,
  };
}

/**
 * The same where what was agreed on before the restore is no longer stored, for others have moved the agreement since:
 * what lives in the target is ours, and as no snapshot has it.
 */
export function putBackOnly(keyHash: number, now: Shown, readAt: number, lookAt: number): BaselineRecord {
  const source = { version: Number.NaN, content: Number.NaN, at: readAt, isOwn: false };
  const agreed = { kind: 'entry', source, target: { ...now, at: lookAt, isOwn: true }, expiry: 0 } as const;
  return { keyHash, agreed, note: undefined };
}

/**
 * What a repair in place had brought into the source is gone from there again. It had moved nothing but the source's side
 * of an agreement, which is as before: what others have agreed on since stays. `readAt`: of the snapshot it came from.
 */
export function undoneInSource(record: BaselineRecord, before: BaselineRecord, readAt: number): BaselineRecord {
  const entry = entryOf(record);
  if (entry === undefined) return record;
  const unknown = { version: Number.NaN, content: Number.NaN, at: readAt, isOwn: false };
  return { ...record, agreed: { ...entry, source: entryOf(before)?.source ?? unknown } };
}
