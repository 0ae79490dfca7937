import type { Comparison } from '../../../core/fingerprint/comparison.ts';
import type { CallOptions } from '../../../core/ports.ts';
import type { RecordOfRows } from '../../../core/registration/record.ts';
import type { PassDecision } from '../../../core/restore/plan/later-pass.ts';
import type { Removal, WrittenOutcome } from '../../../core/restore/plan/outcomes.ts';
import type { JournalNote } from '../../../core/restore/plan/seen.ts';
import type { ShardRecords } from '../../../core/snapshot/shard.ts';
import type { ForeignLookup } from '../compare/foreign-rows.ts';
import type { LiveRecords } from '../compare/live-rows.ts';
import type { IdMap } from '../outcomes/id-map.ts';
import type { ShardReads } from './shard-reads.ts';

/** What one pass makes of one record. */
export interface Planned {
  readonly decision: PassDecision;
  /** Rows that became one with another. */
  readonly collapsed: number;
  /** Positions of the rows that are added to a device which lives already. */
  readonly addedRows: readonly number[];
  /** For the journal. */
  readonly noted: JournalNote | undefined;
  /** Of a record that is settled as removed. */
  readonly removal?: Removal;
  /** The hub has shown it since it was written, and shows it no longer. */
  readonly isLost?: true;
  /** One look does not prove what is settled; `tooEarly` when the restore's writes may still be on their way. */
  readonly unconfirmed?: 'unconfirmed' | 'tooEarly' | undefined;
  /** It is not as this run sent it, and no other writer can have written it. */
  readonly isAltered?: boolean;
  /** What lives there and is about to be changed: kept for a rollback. */
  readonly undo?: RecordOfRows | undefined;
  /** The listing does not show all of the record: the hub is asked for it before it counts as missing. */
  readonly ask?: (options: CallOptions) => Promise<Planned>;
  /** What else is counted of the record once it is settled. */
  readonly counted?: RecordTallies;
}

/** Each at most 1, but for rows of one template that a newer one superseded. */
export type RecordTallies = Readonly<Partial<Record<'superseded' | 'partialInstallations' | 'absenceVoid', number>>>;

/**
 * Decides about the records of one shard, by position. `earlier` is what the pass before had written of one, `letter`
 * all that it had made of it.
 */
export type RecordPlanner = (index: number, earlier: WrittenOutcome | undefined, letter: string | undefined) => Planned;

export interface ShardToPlan extends ShardReads {
  readonly shard: number;
  readonly idMap: IdMap;
  /** Positions of the records that may have to be decided about. */
  readonly wanted: readonly number[];
  /** Of those that the hub showed right after a pass before had written them. */
  readonly shown: ReadonlySet<number>;
}

/** All that a pass knows of a shard of the snapshot and of what lives in the target. */
export interface OpenComparison extends ShardToPlan {
  readonly comparison: Comparison;
  readonly records: ShardRecords;
  readonly live: LiveRecords;
  readonly elsewhere: ForeignLookup;
  /** Nothing of the record has to be looked at itself. */
  readonly isInPlace: (index: number) => boolean;
}

/** Positions of the rows that are written to a device which lives already. */
export function addedRowsOf({ rows }: RecordOfRows, decision: PassDecision): number[] {
  if (decision.kind !== 'write' || decision.outcome !== 'updated') return [];
  const ids = new Set(
    decision.writes.flatMap((write) => (write.kind === 'registration' && write.over === undefined ? [write.id] : [])),
  );
  return rows.flatMap(({ id }, index) => (ids.has(id) ? [index] : []));
}
