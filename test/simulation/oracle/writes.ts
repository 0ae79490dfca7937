import type { RowChange } from '../hub-store.ts';
import { isSame, type Row, tell } from '../row.ts';
import type { Oracle } from './oracle.ts';
import { isRestore, type KnownRun } from './runs.ts';

/** Judges what a write of the app did to a row, at the moment at which it took effect. */
export function judgeChange(oracle: Oracle, change: RowChange, runId: string): void {
  const { before, after } = change;
  const run = oracle.runs.get(runId);
  if (run === undefined || !isRestore(run)) {
    oracle.violate('wroteOutsideARestore', `${change.hub} ${tell(after ?? before ?? neverRow)}`);
    return;
  }
  if (after === undefined) judgeRemoval(oracle, run, change);
  else if (before === undefined) judgeCreation(oracle, run, change.hub, after);
  else judgeReplacement(oracle, run, change.hub, before, after);
}

const neverRow = { platform: 'Apple', handle: 'none', tags: [], body: undefined, installationId: undefined } as const;

/** Whether the run cannot have seen the row as it is: it became so after the run's newest look began. */
function isInWindow(run: KnownRun, hub: string, row: Row): boolean {
  return row.appliedAt >= (run.listedAt.get(hub) ?? 0);
}

function judgeReplacement(oracle: Oracle, run: KnownRun, hub: string, before: Row, after: Row): void {
  const { truth, sometimes } = oracle.parts;
  if (isSame(before, after)) return;
  const [old, now] = [truth.wordOf(before), truth.wordOf(after)];
  if (old === undefined || now === undefined || old.number <= now.number) return;
  if (isInWindow(run, hub, before)) return sometimes('overwroteInItsWindow');
  // A rollback puts back what was there before.
  if (isRestore(run) && run.doc.request.purpose === 'rollback' && before.by.kind === 'tool') return;
  const whose = before.by.kind === 'device' ? "its device's own" : "an earlier run's";
  oracle.violate(
    'overwrittenByOlder',
    `${hub} ${before.id}: ${whose} ${tell(before)} became ${tell(after)} by ${run.id}`,
  );
}

function judgeCreation(oracle: Oracle, run: KnownRun, hub: string, after: Row): void {
  const { truth, sometimes } = oracle.parts;
  const device = truth.deviceOf(after);
  const now = truth.wordOf(after);
  const out = truth.lastWordAt(device, hub);
  if (now === undefined || out === undefined || out.content !== 'out' || out.number < now.number) return;
  if (out.at >= (run.listedAt.get(hub) ?? 0) || oracle.changedSince(hub, device, run.listedAt.get(hub) ?? 0)) {
    return sometimes('resurrectedInItsWindow');
  }
  // Nobody has told the app that the hub was in use then.
  if (!oracle.wasInUse(hub, out.at)) return sometimes('resurrectedWhereNotInUse');
  const isRepair = isRestore(run) && run.doc.request.sourceHub.namespace === hub;
  const isRollback = isRestore(run) && run.doc.request.purpose === 'rollback';
  if (isRepair || isRollback) return sometimes('resurrectedByRepair');
  oracle.violate('resurrected', `${hub}: ${tell(after)} by ${run.id}, unregistered there before`);
}

function judgeRemoval(oracle: Oracle, run: KnownRun, { hub, before }: RowChange): void {
  if (before === undefined || !isRestore(run)) return;
  const { truth, sometimes } = oracle.parts;
  if (isInWindow(run, hub, before)) return sometimes('removedInItsWindow');
  const isRollback = run.doc.request.purpose === 'rollback';
  const word = truth.wordOf(before);
  const isSuperseded = truth.wordsOf(truth.deviceOf(before)).some(({ number }) => number > (word?.number ?? -1));
  if (before.by.kind === 'device' && (isRollback || !isSuperseded)) {
    oracle.violate('deviceRemoved', `${hub}: ${tell(before)}, its device's own, by ${run.id}`);
  }
}
