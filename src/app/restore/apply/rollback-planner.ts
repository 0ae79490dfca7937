import { versionHashOf } from '../../../core/fingerprint/row.ts';
import type { CallOptions } from '../../../core/ports.ts';
import { isInstallation, type RecordOfRows } from '../../../core/registration/record.ts';
import { decideRemoval, type RemovalDecision } from '../../../core/restore/plan/decide-removal.ts';
import { outcomeOf, removalOf } from '../../../core/restore/plan/outcomes.ts';
import { type PutBack, planPutBack } from '../../../core/restore/plan/put-back.ts';
import { planRemoval, removalHashesOf, type WrittenRecord } from '../../../core/restore/plan/removal.ts';
import { isTooEarlyToMiss } from '../../../core/restore/plan/too-early.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import { type App, hubOf } from '../../app.ts';
import { findNow } from '../compare/ask-for.ts';
import { readForeignRows } from '../compare/foreign-rows.ts';
import type { RollbackScope } from '../compare/rollback-scope.ts';
import { type Journal, readJournals } from '../outcomes/journal.ts';
import { readOtherIds } from '../outcomes/minted-ids.ts';
import { LOOKING_FROM } from './next-pass.ts';
import type { Planned, RecordPlanner, ShardToPlan } from './planner.ts';

/**
 * A rollback compares what it sees with what the restore saw, and, where the restore never looked again, with what it
 * wrote. What a pass is about to remove it notes, so that later passes know whether that still shows.
 */
export async function openRollbackPlanner(
  app: App,
  run: RestoreRun,
  { shard, openRecords, openLive, idMap }: ShardToPlan,
  { restore, written, undo, extras }: RollbackScope,
): Promise<RecordPlanner> {
  const records = await openRecords();
  const live = await openLive();
  const otherIds = await readOtherIds(app, restore, shard);
  const removed = removedIn(await readJournals(app, run, run.phase.pass - 1, shard));
  const isLastPass = run.phase.pass >= LOOKING_FROM;
  const planning = {
    expiryFloorAtMs: Date.parse(run.request.expiryFloorAt),
    isTargetEmpty: false,
    elsewhere: await readForeignRows(app, run),
    mintedFor: (id: string) => [...(otherIds.get(id) ?? []), ...idMap.twinsFor(id)],
  };
  const isEarly = isTooEarlyToMiss(run, restore);
  // Once all that the restore wrote shows, what comes after a removal is none of its repeated writes.
  const writtenAt = (index: number): WrittenRecord | undefined => {
    const what = written.get(index);
    return what === undefined || isEarly || !removed.has(index) ? what : { ...what, rewriteCount: 0 };
  };
  const hub = hubOf(app, run.hub);
  return (index, _, letter) => {
    const record = index < records.count ? records.at(index) : undefined;
    const before = undo.get(record?.key ?? extras[index - records.count] ?? '');
    if (before !== undefined) {
      const { key } = before.before;
      const what = { ...before, record, written: written.get(index), earlier: putBackOf(letter), isLastPass };
      const isTooEarly = isEarly && what.written?.seen === undefined && isInstallation({ key });
      const planWith = (found: RecordOfRows | undefined): Planned => {
        const { decision, isUnconfirmed } = planPutBack({ ...what, live: found }, planning);
        const doubt = isUnconfirmed || (isTooEarly && decision.kind === 'settled') ? doubtOf(isTooEarly) : undefined;
        const isThere = decision.kind === 'settled' && decision.outcome !== 'keptLive' && !decision.hasChangedSince;
        const noted = isThere && found !== undefined ? { seen: found.rows.map(versionHashOf) } : undefined;
        return { decision, collapsed: 0, addedRows: [], noted, unconfirmed: doubt };
      };
      const listed = live.get(key);
      const planned = planWith(listed);
      const isMissed = listed === undefined && planned.decision.kind === 'settled';
      const isOpen = planned.noted === undefined ? what.earlier === 'putBack' || isMissed : isLeftShort(listed, what);
      if (!isOpen) return planned;
      // A listing may have passed over what was written, or put back, maybe under one of the restore's ids, or over a row of
      // it, also one that is to go.
      const asked = { key, rows: [...before.before.rows, ...(record?.rows ?? [])] };
      const ask = async (call: CallOptions): Promise<Planned> =>
        planWith(await findNow(hub, asked, listed, idMap.mintedFor, call));
      return { ...planned, ask };
    }
    if (record === undefined) throw new RangeError(`Nothing is to be put back for record ${index}.`);
    const removal = removalOf(letter);
    const earlier = removal ?? beforeOf(letter);
    const what = { ...writtenAt(index), removed: removed.get(index), isAnswered: removal === 'answered' };
    const isKnown = what.seen !== undefined;
    const isTooEarly = isEarly && !isKnown && isInstallation(record);
    const planFor = (found: RecordOfRows | undefined): Planned => {
      const plan = planRemoval(record, found, what, planning.mintedFor);
      const decision = decideRemoval(plan, { before: earlier, isKnown, isTooEarly, isLastPass });
      const noted = plan.kind === 'remove' ? { seen: removalHashesOf(plan.writes, found?.rows ?? []) } : undefined;
      return toPlanned(decision, noted, isTooEarly);
    };
    const listed = live.get(record.key);
    const planned = planFor(listed);
    const isPart = planned.decision.kind === 'write' && !isInstallation(record) && hasMore(record, listed);
    // Of a removal that may never have been sent, no listing shows that it was.
    const isOnlyMissed = (earlier === 'unchanged' || earlier === 'begun') && isGone(planned);
    if (!isPart && !isOnlyMissed) return planned;
    // Listings by offset may pass over one row twice, and over some of a device's.
    const ask = async (call: CallOptions): Promise<Planned> =>
      planFor(await findNow(hub, record, listed, planning.mintedFor, call));
    return { ...planned, ask };
  };
}

function hasMore(record: RecordOfRows, listed: RecordOfRows | undefined): boolean {
  return listed !== undefined && listed.rows.length < record.rows.length;
}

/** The restore left more rows of an installation than the listing shows: without those it may look as it was before. */
function isLeftShort(
  listed: RecordOfRows | undefined,
  { record, written }: Pick<PutBack, 'record' | 'written'>,
): boolean {
  if (listed === undefined || record === undefined || written === undefined || !isInstallation(record)) return false;
  return listed.rows.length < (written.seen?.size ?? record.rows.length);
}

function isGone({ decision }: Planned): boolean {
  if (decision.kind !== 'settled' || decision.hasChangedSince) return false;
  return decision.outcome === 'unchanged' || decision.outcome === 'removed';
}

/** What the passes before were about to remove, by a record's position. */
function removedIn(journals: readonly Journal[]): Map<number, Set<number>> {
  const removed = new Map<number, Set<number>>();
  for (const [index, note] of journals.flatMap((journal) => [...journal])) {
    if (note !== 'rewritten') removed.set(index, new Set([...(removed.get(index) ?? []), ...note.seen]));
  }
  return removed;
}

function beforeOf(letter: string | undefined): 'unchanged' | 'keptLive' | undefined {
  const outcome = outcomeOf(letter);
  return outcome === 'unchanged' || outcome === 'keptLive' ? outcome : undefined;
}

function putBackOf(letter: string | undefined): PutBack['earlier'] {
  return outcomeOf(letter) === 'putBack' ? 'putBack' : beforeOf(letter);
}

function doubtOf(isTooEarly: boolean): NonNullable<Planned['unconfirmed']> {
  return isTooEarly ? 'tooEarly' : 'unconfirmed';
}

function toPlanned(decision: RemovalDecision, noted: Planned['noted'], isTooEarly: boolean): Planned {
  const unconfirmed = decision.unconfirmed ? doubtOf(isTooEarly) : undefined;
  const common = { collapsed: 0, addedRows: [], noted, unconfirmed };
  switch (decision.kind) {
    case 'unchanged':
    case 'keptLive':
      return { ...common, decision: { kind: 'settled', outcome: decision.kind, hasChangedSince: false } };
    case 'removed': {
      const { removal, hasChangedSince } = decision;
      return { ...common, removal, decision: { kind: 'settled', outcome: 'removed', hasChangedSince } };
    }
    case 'failed':
      return { ...common, decision };
    case 'remove':
      return { ...common, decision: { kind: 'write', outcome: 'removed', writes: decision.writes } };
    default:
      return decision satisfies never;
  }
}
