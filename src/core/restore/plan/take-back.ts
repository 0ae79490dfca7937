import { distinctRows } from '../../registration/distinct.ts';
import { isInstallation, type RecordOfRows } from '../../registration/record.ts';
import { canonicalRow } from '../../registration/registration.ts';
import type { PlanOptions } from './later-pass.ts';
import { deletionOf, type Write } from './write.ts';

/**
 * Takes back a plain record that this run created while its device registered by itself, under another id or as an
 * installation: the device would be pushed twice. Only while all of it is as it was written, once: a
 * row that changed since, or was written again, is in use. `undefined` when nothing of that kind happened.
 */
export function planTakeBack(
  record: RecordOfRows,
  live: RecordOfRows | undefined,
  { livesElsewhere, mintedFor }: Pick<PlanOptions, 'livesElsewhere' | 'mintedFor'>,
): Extract<Write, { kind: 'rowDeletion' }>[] | undefined {
  if (live === undefined || isInstallation(record)) return undefined;
  const ids = new Set(record.rows.flatMap(({ id }) => [id, ...mintedFor(id)]));
  const ours = live.rows.filter(({ id }) => ids.has(id));
  if (ours.length === 0 || (ours.length === live.rows.length && !record.rows.some(livesElsewhere))) return undefined;
  const forms = distinctRows(record.rows);
  if (!ours.every(({ xml, etag }) => etag <= 1 && forms.has(canonicalRow(xml)))) return undefined;
  return ours.map(deletionOf);
}
