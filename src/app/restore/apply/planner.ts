import type { FingerprintTable } from '../../../core/fingerprint/table.ts';
import type { Decision } from '../../../core/restore/decide.ts';
import type { Removal, WrittenOutcome } from '../../../core/restore/outcomes.ts';
import type { ShardRecords } from '../../../core/snapshot/shard.ts';
import type { IdMap } from './id-map.ts';

/** What one pass makes of one record. */
export interface Planned {
  readonly decision: Decision;
  /** Rows that became one with another. */
  readonly collapsed: number;
  /** Positions of the rows that are added to a device which lives already. */
  readonly addedRows: readonly number[];
  /**
   * For the journal: the version hashes by which the record's rows are known again, or that it has to be written again.
   */
  readonly noted: readonly number[] | 'rewritten' | undefined;
  /** Of a record that is settled as removed. */
  readonly removal?: Removal;
  /** One look does not prove what is settled; `tooEarly` when the restore's writes may still be on their way. */
  readonly unconfirmed?: 'unconfirmed' | 'tooEarly' | undefined;
}

/**
 * Decides about the records of one shard, by position. `earlier` is what the pass before had written of one, `letter`
 * all that it had made of it.
 */
export type RecordPlanner = (index: number, earlier: WrittenOutcome | undefined, letter: string | undefined) => Planned;

export interface ShardToPlan {
  readonly shard: number;
  readonly fingerprints: FingerprintTable;
  readonly idMap: IdMap;
  /** Positions of the records that may have to be decided about. */
  readonly wanted: readonly number[];
  /** The snapshot's records in full. */
  readonly openRecords: () => Promise<ShardRecords>;
}
