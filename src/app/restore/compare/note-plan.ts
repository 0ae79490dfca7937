import { resultsFolder } from '../../../core/paths.ts';
import type { BlobFacts } from '../../../core/ports.ts';
import { membersOf } from '../../../core/registration/record.ts';
import { isAnotherForm, movesBaseline } from '../../../core/restore/plan/circumstances.ts';
import type { Outcome } from '../../../core/restore/plan/outcomes.ts';
import type { SurveyCounts } from '../../../core/restore/plan/survey.ts';
import { warningsOf } from '../../../core/restore/plan/warnings.ts';
import { mostDeletes } from '../../../core/run/amounts.ts';
import type { RestoreRun, Run } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { noteUnfinished } from '../../baseline/store.ts';
import { readSnapshotFingerprints } from '../../snapshots/fingerprints.ts';
import { readComparison } from './comparison.ts';
import { readForeignRows } from './foreign-rows.ts';
import { countChanged, maySync } from './sync-stops.ts';

/** What the run is about to do to the whole target: its bounds hold for all shards together. */
export async function notePlan(app: App, run: RestoreRun): Promise<(run: Run) => Run> {
  const isSync = run.request.purpose === 'sync';
  const isRollback = run.request.purpose === 'rollback';
  if (isRollback || (movesBaseline(run) && !isSync)) await noteUnfinished(app, run);
  const results = await app.blobs.list(resultsFolder('restore', run.id, run.phase.pass, 'seal'));
  const sumOf = (name: string): number => results.reduce((sum, { facts }) => sum + Number(facts[name] ?? 0), 0);
  const plan = {
    records: sumOf('records'),
    doomed: sumOf('doomed'),
    goneSince: sumOf('gone_since'),
    absent: sumOf('absent'),
    ...(run.request.isFailback === true ? { drifted: sumOf('drifted') } : {}),
    ...(isSync ? await countChanged(app, run, sumOf) : {}),
    isAnotherForm: isAnotherForm(sumOf('reworded'), sumOf('agreed')),
  };
  // Only then it matters how many of them are moves.
  const isExceeded = plan.doomed > mostDeletes(plan.records, app.policy.maxDeletePercent);
  const moves = isExceeded ? await countMoves(app, run) : 0;
  const withPlan = (current: RestoreRun): RestoreRun =>
    current.found === undefined
      ? current
      : { ...current, found: { ...current.found, plan: { ...plan, doomed: Math.max(0, plan.doomed - moves) } } };
  if (isSync) {
    if (!(await maySync(app, withPlan(run)))) return (current) => current;
    await noteUnfinished(app, run);
  }
  return (current) => {
    if (current.kind !== 'restore' || current.found === undefined) return current;
    const planned = withPlan(current);
    const isSome = (name: string): boolean => results.some(({ facts }) => facts[name] === '1');
    const unread = { isBaselineLost: isSome('lost'), areWritesUntold: isSome('untold') };
    return { ...planned, warnings: [...planned.warnings, ...warningsOf(planned, unread, app.policy)] };
  };
}

/**
 * How many records that are to be withdrawn the snapshot has under another key: each is created there and withdrawn under
 * the old one, which is a move and no loss. Where the rows of one record went to several, one of these is the move.
 */
async function countMoves(app: App, run: RestoreRun): Promise<number> {
  const elsewhere = await readForeignRows(app, run);
  const isMoved = new Uint8Array(elsewhere.doomedCount);
  let moves = 0;
  for (const shard of membersOf({ first: 0, count: run.shardCount })) {
    const fingerprints = await readSnapshotFingerprints(app, run, shard);
    const comparison = await readComparison(app, run, shard, fingerprints.count);
    for (let index = 0; index < fingerprints.count; index += 1) {
      if (comparison.livesAt(index)) continue;
      const doomed = elsewhere.doomedWith(fingerprints.handleHashesAt(index), fingerprints.idHashesAt(index));
      const moved = doomed.find((place) => isMoved[place] === 0);
      if (moved === undefined) continue;
      isMoved[moved] = 1;
      moves += 1;
    }
  }
  return moves;
}

/** What `notePlan` sums up over all shards. */
export function planFacts(
  counts: SurveyCounts & { readonly isLost: boolean },
  extraOutcomes: readonly Outcome[],
): BlobFacts {
  return {
    doomed: String(extraOutcomes.filter((outcome) => outcome === 'pending').length),
    absent: String(counts.absentCount),
    gone_since: String(counts.goneSinceCount),
    agreed: String(counts.agreedCount),
    reworded: String(counts.rewordedCount),
    drifted: String(counts.driftedCount),
    lost: counts.isLost ? '1' : '0',
  };
}

export function standbyFacts({ changedCount, removedCount }: SurveyCounts, onlyInTarget: number): BlobFacts {
  return {
    changed_there: String(changedCount),
    removed_there: String(removedCount),
    only_there: String(onlyInTarget),
  };
}
