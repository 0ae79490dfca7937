import { isOfRecord, type Row, tell } from '../row.ts';
import type { Facts } from './facts.ts';
import { hubOf, isRestore, type KnownRestore, keyOf } from './runs.ts';
import { readSnapshot, type SnapshotRow } from './snapshots.ts';
import { readAtOf, type Write } from './windows.ts';

/** Fewer withdrawals than this are always within the bound. */
const LEAST_DELETES = 20;

/** Judges a write by what was asked for. */
export function judgeRequest(facts: Facts, write: Write, before: Row | undefined, after: Row | undefined): void {
  const { purpose, only } = write.run.doc.request;
  if (purpose === 'rollback') return;
  if (after !== undefined && only?.platforms !== undefined && !only.platforms.includes(after.platform))
    facts.violate('wroteBeyondItsSelection', `${write.hub}: ${tell(after)} by ${write.run.id}`);
  if (after === undefined && before !== undefined) judgeWithdrawal(facts, write, before);
  if (after !== undefined && before === undefined) judgeReturn(facts, write, after);
}

/** What the source holds is not withdrawn, unless it was silent and the request takes its snapshot's word. */
function judgeWithdrawal(facts: Facts, { run, hub, by }: Write, before: Row): void {
  const { sourceHub, leftovers } = run.doc.request;
  const device = facts.truth.deviceOf(before);
  // Else it is only moved, or replaced.
  if (facts.rowsOfDevice(hub, device).length > 0) return;
  // What this run itself wrote is looked after by its later passes.
  if (leftovers === 'withdraw' || before.by.kind !== 'tool' || before.by.runId === run.id) return;
  const inSource = facts.rowsOf(sourceHub.namespace).find(isOfRecord(before));
  if (inSource === undefined) return;
  // While the source does not answer, its two newest snapshots are proof, also where their listings passed over it.
  const isHeld = (run.doc.source?.newestGood ?? []).some((id) =>
    readSnapshot(facts.container, sourceHub, id).some(isOfRecord(before)),
  );
  const isUnseen = run.silent.has(sourceHub.namespace) && (inSource.appliedAt >= readAtOf(facts, run) || !isHeld);
  // The source was asked for it before, and did not hold it then.
  const askedAt = run.askedAt.get(`${sourceHub.namespace}/${keyOf(before)}`)?.at(-1) ?? by.looked.listedAt;
  if (inSource.appliedAt >= Math.min(askedAt, by.looked.listedAt)) facts.sometimes('withdrawnInItsWindow');
  else if (isUnderAnUnknownId(facts, run, before)) facts.sometimes('withdrawnUnderAnUnknownId');
  else if (isUnseen) facts.sometimes('withdrawnWhileTheSourceWasSilent');
  else facts.violate('withdrawnThoughInSource', `${hub}: ${tell(before)} by ${run.id}`);
}

/**
 * A plain registration is asked for by its id. The source holds it under others only, which it has shown to no restore,
 * nor got from one: its listings passed over them.
 */
export function isUnderAnUnknownId(facts: Facts, { doc, askedAt }: KnownRestore, before: Row): boolean {
  const source = doc.request.sourceHub;
  if (before.installationId !== undefined || !askedAt.has(`${source.namespace}/${before.id}`)) return false;
  const isOfIt = isOfRecord(before);
  const isKnown = ({ id, by }: Row): boolean =>
    by.kind === 'tool' ||
    facts.runs
      .all()
      .some((run) => isRestore(run) && snapshotOf(facts, run).some((row) => row.id === id && isOfIt(row)));
  return !facts.rowsOf(source.namespace).some((row) => isOfIt(row) && isKnown(row));
}

function snapshotOf({ container }: Facts, { doc: { request } }: KnownRestore): readonly SnapshotRow[] {
  return readSnapshot(container, request.sourceHub, request.snapshotId);
}

/** Who was gone from the newest good snapshot, as the run knew it, is not brought back by an older one. */
function judgeReturn(facts: Facts, { run, hub }: Write, after: Row): void {
  const { doc } = run;
  const { askedSnapshot, snapshotId, resurrect, leftovers, sourceHub, purpose } = doc.request;
  const [newest] = doc.source?.newestGood ?? [];
  if (askedSnapshot === 'latest' || newest === undefined || newest === snapshotId || purpose !== 'restore') return;
  if (resurrect === true || leftovers === 'keep' || (doc.found?.plan?.goneSince ?? 0) > LEAST_DELETES) return;
  const readAt = facts.runs.get(newest)?.firstListedAt ?? 0;
  const device = facts.truth.deviceOf(after);
  const last = facts.truth.lastWordOf(device);
  if (last?.content !== 'out' || last.hub !== sourceHub.namespace || last.at >= readAt) return;
  // It lives there, and is moved or overwritten.
  if (facts.rowsOfDevice(hub, device).some(({ id }) => id !== after.id)) return;
  // A hub may remove an installation a while after its device has left.
  if (readSnapshot(facts.container, sourceHub, newest).some((row) => facts.truth.deviceOf(row) === device)) return;
  facts.violate('broughtBack', `${hub}: ${tell(after)} by ${run.id}, gone before ${newest}`);
}

/** Judges what a run says at its end by what was asked for. */
export function judgeAnswer(facts: Facts, run: KnownRestore): void {
  const { id, doc, before } = run;
  const { result, request, found } = doc;
  if (result === undefined || request.purpose === 'rollback') return;
  const { withdrawn, goneInTarget } = result.counts;
  if (request.leftovers === 'keep' && withdrawn > 0) facts.violate('withdrewThoughAskedToKeep', `${id}: ${withdrawn}`);
  // Those it brought back and the hub removed again were not kept out.
  const keptOut = goneInTarget - result.removedByService;
  if (request.resurrect === true && keptOut > 0) facts.violate('keptOutThoughAskedFor', `${id}: ${keptOut}`);
  const most = Math.max(LEAST_DELETES, (found?.plan?.records ?? before.length) / 10);
  // A device that lives under another key, or handle, is moved and not lost.
  const lost = [...run.removed].filter((device) => facts.rowsOfDevice(hubOf(run), device).length === 0);
  if (lost.length > most) facts.violate('withdrewTooMany', `${id}: ${lost.length} devices of ${before.length} rows`);
}
