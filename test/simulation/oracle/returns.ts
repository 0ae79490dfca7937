import { contentOf, type Description, isOfRecord, type Row, slotOf } from '../row.ts';
import type { Word } from '../truth.ts';
import type { Facts } from './facts.ts';
import { excuseForLeft, wasNeverBackedUp } from './failbacks.ts';
import { hubOf, isRestore, type KnownRestore } from './runs.ts';
import { said } from './said.ts';
import { readSnapshot } from './snapshots.ts';

/** Why a device may be back in a hub where it had left, by what the app could know. */
export function excuseForReturn(
  facts: Facts,
  run: KnownRestore,
  hub: string,
  after: Row,
  out: Word,
): string | undefined {
  const { sourceHub, purpose } = run.doc.request;
  const source = sourceHub.namespace;
  // The hub was not in use then, or no run had seen that yet.
  const outAt = endOf(facts, hub, after)?.at ?? out.at;
  if (!facts.wasKnownInUse(hub, outAt)) return 'resurrectedWhereNotInUse';
  if (wasAskedFor(facts, run, after)) return 'resurrectedAsAsked';
  if (source === hub || purpose === 'rollback') return 'resurrectedByRepair';
  if (isSaid(run, said.mostMissing) || run.before.length === 0) return 'resurrectedWithTheMany';
  if (isOwedWithTheMany(facts, run, outAt)) return 'resurrectedWithTheManyAsOwed';
  // It may have spoken there since, which the snapshot does not show yet.
  const isStray = facts.rowsOfDevice(source, out.device).some((row) => facts.isStray(row));
  if (isStray || facts.hadStray(source, out.device, [], outAt)) return 'resurrectedByAStray';
  if (wasAltered(facts, source, after) || wasAltered(facts, hub, after)) return 'resurrectedFromAnAlteredRow';
  // As an installation it is another record than as a plain registration: nothing says that it is the same device.
  if (!facts.hasMet(hub, after)) return 'resurrectedAsNeverMet';
  // It spoke in the source while the settings did not call that primary, and was never seen where it left.
  if (isEarlyWord(facts, source, after)) return 'resurrectedByAnEarlyWord';
  const saidAt = lastSaidAt(facts, source, after);
  if (wasNeverBackedUp(facts, hub, outAt) || (saidAt !== undefined && wasNeverBackedUp(facts, source, saidAt)))
    return 'resurrectedAsNeverBackedUp';
  const left = excuseForLeft(facts, run, out.device);
  if (left !== undefined) return left;
  return isTorn(facts, run, after) ? 'resurrectedFromATornListing' : undefined;
}

/** Its device said the same in the source last while the settings did not call that primary. */
function isEarlyWord(facts: Facts, source: string, after: Row): boolean {
  const saidAt = lastSaidAt(facts, source, after);
  return saidAt !== undefined && !facts.wasInUse(source, saidAt);
}

function lastSaidAt({ truth }: Facts, source: string, after: Row): number | undefined {
  return truth
    .wordsOf(truth.deviceOf(after))
    .findLast(({ hub, content }) => hub === source && content !== 'out' && content.number === contentOf(after))?.at;
}

/**
 * What its device said there when it was no longer the record that the row is of: it may have left later as another one.
 * What it said before it said what the row says, wherever, is not about that: a restore may have put it there since.
 */
function endOf({ truth }: Facts, hub: string, after: Row): Word | undefined {
  const said = truth.wordOf(after)?.number ?? 0;
  const words = truth.wordsOf(truth.deviceOf(after)).filter((word) => word.hub === hub && word.number >= said);
  const isOfIt = isOfRecord(after);
  const last = words.findLastIndex(({ content }) => content !== 'out' && isOfIt(content));
  // Where it never said so there, it ended when its device left.
  const firstOut = words.findIndex(({ content }) => content === 'out');
  const since = words.slice(last < 0 ? firstOut : last + 1);
  const asAnother = since.findIndex(({ content }) => content !== 'out');
  return since.slice(0, asAnother < 0 ? since.length : Math.max(1, asAnother)).at(-1);
}

/** A run between the same hubs has said so since, and was stopped or asked for less: what it has not written is still to be there. */
function isOwedWithTheMany({ runs }: Facts, run: KnownRestore, outAt: number): boolean {
  return runs.all().some((one) => {
    if (!isRestore(one) || hubOf(one) !== hubOf(run) || one.begunAt <= outAt || one.begunAt >= run.begunAt)
      return false;
    const isOfPair = one.doc.request.sourceHub.namespace === run.doc.request.sourceHub.namespace;
    const isPartial = one.doc.status !== 'Succeeded' || one.doc.request.only !== undefined;
    return isOfPair && isPartial && isSaid(one, said.mostMissing);
  });
}

function isSaid({ doc }: KnownRestore, what: string): boolean {
  return doc.warnings.some((warning) => warning.includes(what));
}

/** By this run, or by one before it, into either hub, whose writes the pair agreed on. */
function wasAskedFor(facts: Facts, run: KnownRestore, { id, installationId = '' }: Row): boolean {
  const hasResurrected = facts.runs.all().some((one) => {
    const isMeant = isRestore(one) && one.doc.request.resurrect === true;
    return isMeant && (one === run || one.written.has(id) || one.written.has(installationId));
  });
  return hasResurrected || isSaid(run, said.heldUndone);
}

/** The hub stored it otherwise than it was sent: nothing is agreed on, and it is not known to have been there. */
function wasAltered(facts: Facts, hub: string, after: Row): boolean {
  const { id, installationId = '' } = after;
  const there = facts.rowsOfDevice(hub, facts.truth.deviceOf(after));
  return facts.runs.all().some((one) => {
    const isAltered = one.doc.error?.code === 'TargetAltersRecords' && hubOf(one) === hub;
    return isAltered && [id, installationId, ...there.map((row) => row.id)].some((key) => one.written.has(key));
  });
}

/** The snapshot's listing passed over a row of it, or the source had lost one: what it shows seems to have changed. */
export function isTorn(facts: Facts, { doc }: KnownRestore, after: Description): boolean {
  const { sourceHub, snapshotId } = doc.request;
  const backup = facts.runs.get(snapshotId);
  const isPlain = after.installationId === undefined;
  const isOfIt = isOfRecord(after);
  // A plain device may have two registrations that say the same.
  const nameOf = (row: Description & Pick<Row, 'id'>): string => (isPlain ? row.id : slotOf(row));
  const held = readSnapshot(facts.container, sourceHub, snapshotId).filter(isOfIt).map(nameOf);
  // Since then its device may have spoken there as another record.
  const device = facts.truth.deviceOf(after);
  const isWord = ({ hub, at, content }: Word): boolean =>
    hub === sourceHub.namespace && at < (backup?.firstListedAt ?? 0) && content !== 'out' && isOfIt(content);
  const spokeAt = facts.truth.wordsOf(device).findLast(isWord)?.at ?? 0;
  const wasLost = (facts.lostAt(sourceHub.namespace, device) ?? -1) >= spokeAt;
  if (wasLost && (!isPlain || held.length > 0)) return true;
  const there = (backup?.before ?? []).filter(isOfIt);
  return held.length > 0 && there.some((row) => !held.includes(nameOf(row)));
}

/** An earlier restore to what is the source now agreed on a snapshot of this hub whose listing had passed over a row. */
export function wasTornWhenAgreed(facts: Facts, run: KnownRestore, after: Row): boolean {
  const source = run.doc.request.sourceHub.namespace;
  return facts.runs.all().some((one) => {
    const isOpposite = isRestore(one) && hubOf(one) === source && one.doc.request.sourceHub.namespace === hubOf(run);
    return isOpposite && one.doc.status === 'Succeeded' && isTorn(facts, one, after);
  });
}
