import type { RecordOfRows } from '../../../core/registration/record.ts';
import { type Decision, decide } from '../../../core/restore/decide.ts';
import { type PlanOptions, planRecord } from '../../../core/restore/plan.ts';
import { versionHashesOf } from '../../../core/restore/plan-removal.ts';
import { planTakeBack } from '../../../core/restore/plan-take-back.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import { openShardRecords, type ShardRecords } from '../../../core/snapshot/shard.ts';
import type { App } from '../../app.ts';
import { readComparison } from '../compare/comparison.ts';
import { readForeignHandles } from '../compare/foreign-handles.ts';
import { readLiveRecords } from '../compare/live-rows.ts';
import { LOOKING_FROM } from './next-pass.ts';
import type { RecordPlanner, ShardToPlan } from './planner.ts';

/**
 * What is in place is seen by its fingerprints. Only where something is not, the texts are read, of the side that needs
 * it.
 */
export async function openRestorer(
  app: App,
  run: RestoreRun,
  { shard, fingerprints, idMap, wanted, openRecords }: ShardToPlan,
): Promise<RecordPlanner> {
  const comparison = await readComparison(app, run, shard, fingerprints.count);
  const { pass } = run.phase;
  const foreignHandles = await readForeignHandles(app, run);
  const isAlone = pass === 1 || foreignHandles.isEmpty;
  const isInPlace = (index: number): boolean =>
    comparison.isSameAt(index) && (isAlone || !fingerprints.handleHashesAt(index).some(foreignHandles.has));
  const open = wanted.filter((index) => !isInPlace(index));
  const records = open.length === 0 ? NO_RECORDS : await openRecords();
  const lives = open.some((index) => comparison.livesAt(index));
  const live = lives ? await readLiveRecords(app, run, shard) : new Map<string, RecordOfRows>();
  const rules = { isDryRun: run.request.dryRun, isLastPass: pass >= LOOKING_FROM };
  const options: PlanOptions = {
    expiryFloorAtMs: Date.parse(run.request.expiryFloorAt),
    livesElsewhere: foreignHandles.hasOf,
    mintedFor: idMap.mintedFor,
    isRepair: pass > 1,
  };
  return (index, earlier) => {
    const before = earlier === 'removed' ? undefined : earlier;
    if (isInPlace(index)) {
      const collapsed = pass === 1 ? fingerprints.collapsedAt(index) : 0;
      const decision = decide({ kind: 'unchanged', collapsed }, before, rules);
      const noted = earlier === undefined ? undefined : comparison.versionHashesAt(index);
      return { decision, collapsed, addedRows: [], noted };
    }
    const record = records.at(index);
    const found = live.get(record.key);
    const takenBack = before === 'created' ? planTakeBack(record, found, options) : undefined;
    const plan =
      takenBack === undefined
        ? planRecord(record, found, options)
        : ({ kind: 'takeBack', writes: takenBack, collapsed: 0 } as const);
    const decision = decide(plan, before, rules);
    const seen = found !== undefined && decision.kind === 'settled' ? versionHashesOf(record, found) : undefined;
    const noted = decision.kind === 'write' || decision.kind === 'takeBack' ? 'rewritten' : seen;
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

/** Of a shard in which all that is wanted is in place, so that none is asked for. */
const NO_RECORDS: ShardRecords = openShardRecords({ count: 0, at: () => undefined }, '');
