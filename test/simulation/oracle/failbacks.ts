import type { Row } from '../row.ts';
import type { Word } from '../truth.ts';
import type { Facts } from './facts.ts';
import { hubOf, isRestore, type KnownRestore, type KnownRun } from './runs.ts';
import type { Write } from './windows.ts';

/** Where more differ than this, both hubs were alive: the run only adds. */
const MOST_DRIFTED = 20;

/** Whether the hub in use wins where both hubs differ: only that was in use since both agreed. */
export function isWinning({ doc }: KnownRestore): boolean {
  return doc.request.isFailback === true && (doc.found?.plan?.drifted ?? 0) <= MOST_DRIFTED;
}

/** Why a failback may replace what a device said last in its target, by what its source says of it. */
export function excuseForWinning(
  facts: Facts,
  { run, hub }: Write,
  before: Row,
  old: Word,
  now: Word,
): string | undefined {
  if (!isWinning(run)) return undefined;
  // It has come into use since the run began. Who writes there looks at that once in a step.
  const wasInUse = facts.wasInUse(hub, old.at - facts.knobs.policy.stepBudgetMs);
  if (old.hub === hub && old.at > run.begunAt && wasInUse && facts.wasInUse(hub, old.at)) return undefined;
  const source = run.doc.request.sourceHub.namespace;
  if (old.hub === hub && !facts.wasInUse(hub, old.at)) return 'failbackOverAWordWhereNotInUse';
  if (now.hub === source && facts.wasInUse(source, now.at)) return 'failbackOfALaterWord';
  if (wasNeverBackedUp(facts, hub, before.appliedAt, old.at)) return 'failbackOverTheLastMinutes';
  return excuseForLeft(facts, run, old.device);
}

/** Likewise, withdraw what a device said there. */
export function excuseForWithdrawing(facts: Facts, { run, hub }: Write, before: Row): string | undefined {
  if (!isWinning(run)) return undefined;
  const spokenAt = facts.truth.lastWordAt(facts.truth.deviceOf(before), hub)?.at ?? 0;
  if (!facts.wasInUse(hub, spokenAt)) return 'failbackOverAWordWhereNotInUse';
  return wasNeverBackedUp(facts, hub, before.appliedAt, spokenAt) ? 'failbackOverTheLastMinutes' : undefined;
}

/** As many records as the restore that filled the source left there as they were, and said so. */
export function excuseForLeft(facts: Facts, run: KnownRestore, device: number): string | undefined {
  const source = run.doc.request.sourceHub.namespace;
  const isFilling = (one: KnownRun): one is KnownRestore =>
    isRestore(one) && hubOf(one) === source && one.begunAt < run.begunAt && one.doc.request.activate === true;
  const counts = facts.runs.all().findLast(isFilling)?.doc.result?.counts;
  if (counts === undefined) return undefined;
  run.wonAsLeft.add(device);
  const { unknownOrigin, conflict, keptLive, leftover, onlyInTarget } = counts;
  const isDeclared = run.wonAsLeft.size <= unknownOrigin + conflict + keptLive + leftover + onlyInTarget;
  return isDeclared ? 'broughtWhatWasLeft' : undefined;
}

/**
 * A device spoke in the hub in use after the last snapshot of it, and before the role moved to the other hub: no snapshot
 * shows it. The service may carry it out only after that.
 */
export function wasNeverBackedUp(facts: Facts, hub: string, at: number, spokenAt = at): boolean {
  const endedAt = facts.endOfTerm(hub, at) ?? facts.endOfTerm(hub, spokenAt);
  if (endedAt === undefined) return false;
  return !facts.runs.all().some((one) => {
    const readAt = one.firstListedAt ?? 0;
    const isBackup = one.doc.kind === 'backup' && hubOf(one) === hub && one.doc.status === 'Succeeded';
    return isBackup && readAt >= at && readAt < endedAt;
  });
}
