import { versionHashOf } from '../../../core/fingerprint/row.ts';
import type { FingerprintTable } from '../../../core/fingerprint/table.ts';
import type { RecordOfRows } from '../../../core/registration/record.ts';
import { type Decision, decide } from '../../../core/restore/decide.ts';
import type { WrittenOutcome } from '../../../core/restore/outcomes.ts';
import { type PlanOptions, planRecord } from '../../../core/restore/plan.ts';
import { planRemoval, versionHashesOf } from '../../../core/restore/plan-removal.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import { openShardRecords, type ShardRecords } from '../../../core/snapshot/shard.ts';
import type { App } from '../../app.ts';
import { readComparison } from '../compare/comparison.ts';
import { readForeignHandles } from '../compare/foreign-handles.ts';
import { readLiveRecords } from '../compare/live-rows.ts';
import { readJournal } from '../outcomes/journal.ts';
import { readRunOf, readWritten } from '../outcomes/written.ts';
import { type IdMap, readMintedIds } from './id-map.ts';
import { LAST_PASS } from './next-pass.ts';

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
}

/** Decides about the records of one shard, by position. `earlier` is what the pass before had made of one. */
export type RecordPlanner = (index: number, earlier: WrittenOutcome | undefined) => Planned;

export interface ShardToPlan {
  readonly shard: number;
  readonly fingerprints: FingerprintTable;
  readonly idMap: IdMap;
  /** Positions of the records that may have to be decided about. */
  readonly wanted: readonly number[];
  /** The snapshot's records in full. */
  readonly openRecords: () => Promise<ShardRecords>;
}

export function openPlanner(app: App, run: RestoreRun, given: ShardToPlan): Promise<RecordPlanner> {
  return run.request.purpose === 'rollback' ? openRemover(app, run, given) : openRestorer(app, run, given);
}

/**
 * What is in place is seen by its fingerprints. Only where something is not, the texts are read, of the side that needs
 * it.
 */
async function openRestorer(
  app: App,
  run: RestoreRun,
  { shard, fingerprints, idMap, wanted, openRecords }: ShardToPlan,
): Promise<RecordPlanner> {
  const comparison = await readComparison(app, run, shard, fingerprints.count);
  const open = wanted.filter((index) => !comparison.isSameAt(index));
  const records = open.length === 0 ? NO_RECORDS : await openRecords();
  const lives = open.some((index) => comparison.livesAt(index));
  const live = lives ? await readLiveRecords(app, run, shard) : new Map<string, RecordOfRows>();
  const livesElsewhere = await readForeignHandles(app, run);
  const { pass } = run.phase;
  const rules = { isDryRun: run.request.dryRun, isLastPass: pass === LAST_PASS };
  const options: PlanOptions = {
    expiryFloorAtMs: Date.parse(run.request.expiryFloorAt),
    livesElsewhere,
    mintedFor: idMap.mintedFor,
    isRepair: pass > 1,
  };
  return (index, earlier) => {
    const before = earlier === 'removed' ? undefined : earlier;
    if (comparison.isSameAt(index)) {
      const collapsed = pass === 1 ? fingerprints.collapsedAt(index) : 0;
      const decision = decide({ kind: 'unchanged', collapsed }, before, rules);
      const noted = earlier === undefined ? undefined : comparison.versionHashesAt(index);
      return { decision, collapsed, addedRows: [], noted };
    }
    const record = records.at(index);
    const found = live.get(record.key);
    const plan = planRecord(record, found, options);
    const decision = decide(plan, before, rules);
    const seen = found !== undefined && decision.kind === 'settled' ? versionHashesOf(record, found) : undefined;
    const noted = decision.kind === 'write' ? 'rewritten' : seen;
    return {
      decision,
      collapsed: pass === 1 ? plan.collapsed : 0,
      addedRows: decision.kind === 'write' && decision.outcome === 'updated' ? rowsOf(record, decision) : [],
      noted: earlier === undefined ? undefined : noted,
    };
  };
}

function rowsOf({ rows }: RecordOfRows, { writes }: Extract<Decision, { kind: 'write' }>): number[] {
  const ids = new Set(writes.flatMap((write) => (write.kind === 'registration' ? [write.id] : [])));
  return rows.flatMap(({ id }, index) => (ids.has(id) ? [index] : []));
}

/**
 * The first pass of a rollback compares with what the restore saw, and notes what it is about to remove; later passes
 * compare with that note, so that a device which registers the same again is not taken for what was removed.
 */
async function openRemover(app: App, run: RestoreRun, { shard, openRecords }: ShardToPlan): Promise<RecordPlanner> {
  const records = await openRecords();
  const live = await readLiveRecords(app, run, shard);
  const restore = await readRunOf(app, run);
  const written = await readWritten(app, restore, shard);
  const minted = await readMintedIds(app, restore, shard);
  const { pass } = run.phase;
  const removed = pass === 1 ? undefined : await readJournal(app, run.id, 1, shard);
  return (index, earlier) => {
    const record = records.at(index);
    const found = live.get(record.key);
    const versionHashes = removed?.get(index);
    const seen = typeof versionHashes === 'object' ? { seen: new Set(versionHashes) } : {};
    const what = { ...written.get(index), ...seen };
    const plan = planRemoval(record, found, what, (id) => minted.get(id) ?? []);
    const decision = decide(plan, earlier === 'removed' ? earlier : undefined, { isLastPass: pass === LAST_PASS });
    const isNoted = pass === 1 && plan.kind === 'remove' && found !== undefined;
    return { decision, collapsed: 0, addedRows: [], noted: isNoted ? found.rows.map(versionHashOf) : undefined };
  };
}

/** Of a shard in which all that is wanted is in place, so that none is asked for. */
const NO_RECORDS: ShardRecords = openShardRecords({ count: 0, at: () => undefined }, '');
