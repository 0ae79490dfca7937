import { isOfRecord, isSame, type Row, slotOf, tell } from '../row.ts';
import type { Facts } from './facts.ts';
import { hubOf, isRestore, isWriter, type KnownRestore, type KnownRun, lookedAt } from './runs.ts';

/** A green rollback leaves its hub as it was before the run it undoes, but for what devices did themselves. */
export function judgeRollback(facts: Facts, run: KnownRestore, when: '' | 'Later'): void {
  const { status, request } = run.doc;
  const undone = facts.runs.get(request.of ?? '');
  if (status !== 'Succeeded' || undone?.firstListedAt === undefined) return;
  const since = undoneSince(facts, run, undone);
  if (since === undefined) return;
  if (since.size > 0) facts.sometimes('rolledBackInOrder');
  const hub = hubOf(run);
  const devices = new Set([...undone.before, ...facts.rowsOf(hub)].map((row) => facts.truth.deviceOf(row)));
  // What it keeps it says.
  const kept = { left: run.doc.result?.counts.keptLive ?? 0 };
  for (const device of devices) {
    if (facts.changedSince(hub, device, undone.firstListedAt) || isUntold(facts, run, undone, device)) continue;
    if (undone.leaving.has(device)) continue;
    // It raises the ETag, by which the restore's own late writes are known.
    if (facts.hadStray(hub, device, [undone, run], undone.firstListedAt)) {
      facts.sometimes('strayBeforeTheRollback');
      continue;
    }
    const before = undone.before.filter((row) => facts.truth.deviceOf(row) === device);
    const isRemovedLate = facts.removedLateSince(hub, device, lookedAt(run));
    if (isRemovedLate) facts.sometimes('removedAfterTheRollbackLooked');
    compare(facts, run, { before, now: facts.rowsOfDevice(hub, device), isRemovedLate, kept, undoneIds: since }, when);
  }
}

/**
 * In a hub that stores something else than it is sent, what a restore has written looks as if its device had changed
 * it, unless the restore has written enough to see through that, and has seen it; and nothing is put back there as it
 * was.
 */
function isUntold(facts: Facts, run: KnownRestore, undone: KnownRun, device: number): boolean {
  const there = facts.rowsOfDevice(hubOf(run), device);
  if (facts.hub(hubOf(run))?.knobs.dropsTags !== true || there.length === 0) return false;
  const theirs = there.filter(({ by }) => by.kind === 'tool' && by.runId === undone.id);
  const isUnseen = theirs.length > 0 && theirs.every((row) => row.appliedAt > lookedAt(undone));
  const { keptLive = 0, putBack = 0 } = run.doc.result?.counts ?? {};
  const changed = keptLive + (run.doc.result?.changedSince ?? 0);
  return putBack > 0 || (changed > 0 && (isUnseen || undone.doc.error?.code !== 'TargetAltersRecords'));
}

interface Compared {
  readonly before: readonly Row[];
  readonly now: readonly Row[];
  /** No look shows what the hub has taken away since, for which no step could wait. */
  readonly isRemovedLate: boolean;
  /** How many records more it may have kept. */
  readonly kept: { left: number };
  /** Newer runs that are undone, and what has undone them. */
  readonly undoneIds: ReadonlySet<string>;
}

function compare(facts: Facts, run: KnownRestore, compared: Compared, when: string): void {
  const { before, now, isRemovedLate, kept, undoneIds } = compared;
  // What another run had sent may have arrived since.
  const isTheirs = ({ by }: Row): boolean =>
    by.kind === 'tool' && ([run.id, run.doc.request.of].includes(by.runId) || undoneIds.has(by.runId));
  const since = facts.runs.get(run.doc.request.of ?? '')?.firstListedAt ?? 0;
  if (now.some((row) => row.by.kind === 'tool' && !isTheirs(row) && row.appliedAt >= since)) return;
  const theirs = now.filter(isTheirs);
  // A record is kept as a whole.
  const hasBeyondIt = (row: Row): boolean =>
    theirs.some((one) => isOfRecord(row)(one) && isBeyondIt(facts, before, one));
  const own = theirs.filter((row) => !hasBeyondIt(row));
  const left = own.filter((row) => !before.some((one) => isSame(one, row)));
  // What the hub carried out so late no step has waited for, also where it replaced what was there before.
  const isReplacedLate = (row: Row): boolean => now.some((one) => isOfRecord(row)(one) && facts.isOfGivenUpCall(one));
  const isLost = (row: Row): boolean => !now.some((one) => isSame(one, row)) && !isReplacedLate(row);
  const lost = isRemovedLate ? [] : before.filter(isLost);
  const text = `${hubOf(run)} after ${run.id} of ${run.doc.request.of}: ${list(before)} is ${list(now)}`;
  const isSent = ({ id, installationId = '' }: Row): boolean => run.written.has(id) || run.written.has(installationId);
  // What it keeps because its device changed it, it counts so.
  const isClaimed = run.doc.result?.counts.keptLive === 0 && !left.some(isSent);
  if (lost.length > 0 && kept.left > 0 && isReached(lost, now, isTheirs)) {
    kept.left -= 1;
    facts.sometimes('notPutBackBesideItself');
  } else if (lost.length > 0) facts.violate(`rollbackLost${when}`, text);
  else if (left.length > 0 && areOfTwins(facts, run, left)) facts.sometimes('keptWhatATwinWrote');
  else if (left.length > 0) facts.violate(`${isClaimed ? 'rollbackNotSent' : 'rollbackLeft'}${when}`, text);
  else if (own.length > before.length) facts.violate(`rollbackDoubled${when}`, text);
}

/**
 * An installation of which the service had lost a row comes back whole. What the hub carried out so late no step has
 * waited for.
 */
function isBeyondIt(facts: Facts, before: readonly Row[], row: Row): boolean {
  const { installationId } = row;
  if (facts.isOfGivenUpCall(row)) return true;
  const own = before.filter((one) => one.installationId !== undefined && one.installationId === installationId);
  return own.length > 0 && !own.some((one) => slotOf(one) === slotOf(row));
}

/** It lives there by other doing than these two runs', under another key: put back it would be pushed twice. */
function isReached(lost: readonly Row[], now: readonly Row[], isTheirs: (row: Row) => boolean): boolean {
  const isThere = (row: Row): boolean =>
    now.some((one) => one.handle === row.handle && !isOfRecord(row)(one) && !isTheirs(one));
  return lost.every(isThere);
}

/**
 * Written twice in one pass, by a step and by one that took over: what a hub does of that after the restore first looked
 * again shows as if its device had registered the same again.
 */
function areOfTwins(facts: Facts, { doc }: KnownRestore, left: readonly Row[]): boolean {
  const undone = facts.runs.get(doc.request.of ?? '');
  if (undone === undefined || doc.result?.counts.keptLive === 0) return false;
  const isRepeated = ({ id, installationId = '' }: Row): boolean =>
    undone.repeats.has(id) || undone.repeats.has(installationId);
  const lookedAgainAt = undone.listedAt.get(`${hubOf(undone)}#2`) ?? lookedAt(undone);
  // A record is kept as a whole.
  const isLate = (row: Row): boolean => isRepeated(row) && row.appliedAt > lookedAgainAt;
  return left.every((row) => left.some((one) => isOfRecord(row)(one) && isLate(one)));
}

function list(rows: readonly Row[]): string {
  return rows.map(tell).join(' and ') || 'nothing';
}

/**
 * Runs other than these two that wrote there since the one that is undone began, if all of them were undone before this
 * one began: those, and what has undone them. What was there before it is as it was, unless an older one was undone.
 */
function undoneSince(facts: Facts, run: KnownRun, undone: KnownRun): ReadonlySet<string> | undefined {
  const isOther = (one: KnownRun): boolean =>
    one !== run && one !== undone && isWriter(one) && hubOf(one) === hubOf(run);
  const others = facts.runs
    .all()
    .filter((one) => isOther(one) && (one.endedAt ?? Number.MAX_SAFE_INTEGER) > undone.begunAt);
  const ids = new Set<string>();
  for (const one of others.filter(isRestore).filter(isComplete)) {
    const of = facts.runs.get(one.doc.request.of ?? '');
    if (of === undefined || of.begunAt < undone.begunAt || (one.endedAt ?? 0) > run.begunAt) continue;
    ids.add(one.id);
    ids.add(of.id);
  }
  return others.every(({ id }) => ids.has(id)) ? ids : undefined;
}

function isComplete({ doc }: KnownRun): boolean {
  if (doc.kind !== 'restore' || doc.request.purpose !== 'rollback' || doc.status !== 'Succeeded') return false;
  return doc.result?.counts.keptLive === 0 && doc.result.changedSince === 0;
}
