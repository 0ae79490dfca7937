import { isAmong } from '../fingerprint/row.ts';
import { isInPlace } from '../registration/expected.ts';
import type { RecordOfRows } from '../registration/record.ts';
import type { Decision } from './decide.ts';
import { type Planning, planUpdate } from './first-writes.ts';
import type { WrittenRecord } from './plan-removal.ts';

export interface PutBack {
  /** As the snapshot has it, which the restore wrote. */
  readonly record: RecordOfRows;
  /** As it lived before. */
  readonly undo: RecordOfRows;
  readonly live: RecordOfRows | undefined;
  readonly written: WrittenRecord | undefined;
  /** A pass before has put it back. */
  readonly wasPutBack: boolean;
  /** Look only. */
  readonly isLastPass: boolean;
}

/** What is to become of a record that a restore overwrote: as it was before, where it still is as the restore left it. */
export function planPutBack(given: PutBack, planning: Planning): Decision {
  const { record, undo, live, written, wasPutBack, isLastPass } = given;
  const settled = (outcome: 'unchanged' | 'keptLive' | 'putBack', hasChangedSince = false): Decision => ({
    kind: 'settled',
    outcome,
    hasChangedSince,
  });
  if (live === undefined) return wasPutBack ? settled('putBack', true) : settled('keptLive');
  if (isInPlace(undo, live)) return settled(wasPutBack ? 'putBack' : 'unchanged');
  const seen = written?.seen;
  const isUntouched = seen === undefined ? isInPlace(record, live) : live.rows.every((row) => isAmong(seen, row));
  if (!isUntouched) return wasPutBack ? settled('putBack', true) : settled('keptLive');
  if (isLastPass) return { kind: 'failed', code: 'NotApplied' };
  const writes = planUpdate(undo, live, planning);
  return typeof writes === 'string' ? { kind: 'failed', code: writes } : { kind: 'write', outcome: 'putBack', writes };
}
