import type { RowChange } from '../hub-store.ts';
import { type Description, isOfRecord, isSame, type Row, slotOf, tell } from '../row.ts';
import type { Word } from '../truth.ts';
import type { Facts } from './facts.ts';
import { excuseForWinning, excuseForWithdrawing, isWinning, wasNeverBackedUp } from './failbacks.ts';
import { isTwinOfAJob } from './jobs.ts';
import { isUnderAnUnknownId, judgeRequest } from './requests.ts';
import { excuseForReturn, isTorn } from './returns.ts';
import { hubOf, isRestore, isWriter, type KnownRestore, type KnownRun, keyOf, versionOf } from './runs.ts';
import { readSnapshot } from './snapshots.ts';
import {
  hasSeen,
  isInWindow,
  isSourceLaterToTheApp,
  newestLookOf,
  readAtOf,
  type ToolWriter,
  type Write,
} from './windows.ts';

/** Judges what a write of the app did to a row, at the moment at which it took effect. */
export function judgeChange(facts: Facts, { hub, before, after }: RowChange, by: ToolWriter): void {
  const run = facts.runs.get(by.runId);
  if (by.runId === '' && isTwinOfAJob(facts, hub, before, after)) return;
  if (run === undefined || !isRestore(run)) {
    facts.violate('wroteOutsideARestore', `${hub} by ${by.runId}`);
    return;
  }
  if (!isAskedFor(facts, run) && facts.wasInUse(hub, run.begunAt))
    facts.violate('wroteToTheHubInUse', `${hub} by ${run.id}`);
  const write = { run, hub, by };
  if (after !== undefined && before !== undefined) judgeReplacement(facts, write, before, after);
  else if (after !== undefined) judgeCreation(facts, write, after);
  else if (before !== undefined) judgeRemoval(facts, write, before);
  judgeRequest(facts, write, before, after);
}

/** Its hub's name was typed back: for it, or for the run that it retries. */
function isAskedFor({ runs }: Facts, { isConfirmed, doc }: KnownRun): boolean {
  if (isConfirmed || doc.kind !== 'restore' || doc.request.purpose !== 'retry') return isConfirmed;
  return runs.get(doc.request.of ?? '')?.isConfirmed === true;
}

function judgeReplacement(facts: Facts, write: Write, before: Row, after: Row): void {
  const { run, hub } = write;
  if (isSame(before, after)) return;
  const [old, now] = [facts.truth.wordOf(before), facts.truth.wordOf(after)];
  if (old === undefined || now === undefined || old.number <= now.number) return;
  if (isInWindow(write, before)) {
    facts.sometimes('overwroteInItsWindow');
    return;
  }
  // A rollback puts back what was there before.
  if (run.doc.request.purpose === 'rollback' && before.by.kind === 'tool') return;
  const whose = before.by.kind === 'tool' ? `${before.by.runId}'s` : "its device's own";
  const text = `${hub} ${before.id}: ${whose} ${tell(before)} became ${tell(after)} by ${run.id}`;
  const excuse = hasSeen(write, before) ? excuseFor(facts, write, { before, after, old, now }) : undefined;
  if (excuse !== undefined) facts.sometimes(excuse);
  else if (!hasSeen(write, before)) facts.violate('overwroteUnseen', text);
  else facts.violate('overwrittenByOlder', text);
}

interface Replacement {
  readonly before: Row;
  readonly after: Row;
  readonly old: Word;
  readonly now: Word;
}

/** Why a row that was seen may be replaced by something older; never by a dead token under the row's id. */
function excuseFor(facts: Facts, write: Write, { before, after, old, now }: Replacement): string | undefined {
  const { onConflict, purpose } = write.run.doc.request;
  if (purpose === 'rollback') return excuseForUndoing(facts, write, before);
  // Of two rows that say the same its device keeps one.
  const isTwin = (row: Row): boolean => row.id !== before.id && isSame(row, before);
  if (facts.rowsOfDevice(write.hub, facts.truth.deviceOf(before)).some(isTwin)) return 'overwroteATwin';
  const { sourceHub, snapshotId } = write.run.doc.request;
  const { truth } = facts;
  const held = readSnapshot(facts.container, sourceHub, snapshotId).filter((row) => truth.deviceOf(row) === old.device);
  // Its device spoke while the source was listed: the snapshot has some of its rows from before, and some from after. Or
  // it has said something later, which the snapshot shows under another id: then what is replaced is out of date, too.
  if (held.some((row) => (truth.wordOf(row)?.number ?? -1) > old.number)) return 'overwroteByATornListing';
  // Likewise where its device has left the source by then, for good, or came back with another handle only.
  const isOfIt = isOfRecord(before);
  const isBack = ({ number, content }: Word): boolean => number > old.number && content !== 'out' && isOfIt(content);
  const isOver = truth.lastWordOf(old.device)?.content === 'out' || !truth.wordsOf(old.device).some(isBack);
  if (isOver && hasLeftSourceSince(facts, write, old)) return 'overwroteWhatHasLeft';
  if (before.installationId === undefined && before.handle !== after.handle) return undefined;
  if (onConflict === 'overwrite' && isConflict(facts, write, { before, after, old, now })) return 'overwroteAsAsked';
  // It asks the source before that, which may not answer in time.
  if (write.run.silent.has(sourceHub.namespace) && isTorn(facts, write.run, after)) return 'overwroteByATornListing';
  if (hasLeftSourceSince(facts, write, old) && isTorn(facts, write.run, after)) return 'overwroteByALeavingDevice';
  if (isWinning(write.run)) {
    if (held.some((row) => truth.wordOf(row)?.number === old.number)) return 'failbackOfATornListing';
    if (isTorn(facts, write.run, before)) return 'failbackOfATornListing';
  }
  // Both hubs were in use in turn: what the source shows is taken for the later word, whenever its device said it.
  if (isEarlyWord(facts, sourceHub.namespace, now) && isFromBefore(facts, write, before))
    return 'overwroteByAnEarlyWord';
  const excuse = excuseForWinning(facts, write, before, old, now);
  if (excuse !== undefined) return excuse;
  // The hub was not in use then, or no snapshot of it shows that: it is not taken for a device's newer word.
  const isKnown = facts.wasInUse(write.hub, old.at) && !wasNeverBackedUp(facts, write.hub, before.appliedAt, old.at);
  return isKnown || !isSourceLaterToTheApp(facts, write, before) ? undefined : 'overwroteWhereNotInUse';
}

/** Whether its device said so in the source only while that was not in use; it may have said the same elsewhere since. */
function isEarlyWord(facts: Facts, source: string, { device, content }: Word): boolean {
  const isSame = (word: Word): boolean =>
    word.content !== 'out' && content !== 'out' && word.content.number === content.number;
  const said = facts.truth.wordsOf(device).filter((word) => word.hub === source && isSame(word));
  return said.length > 0 && said.every(({ at }) => !facts.wasInUse(source, at));
}

/** Whether its device has left the source since, by the end of the snapshot's listing, which may show a row of it still. */
function hasLeftSourceSince(facts: Facts, { run }: Write, { device, number }: Word): boolean {
  const { sourceHub, snapshotId } = run.doc.request;
  const until = facts.runs.get(snapshotId)?.endedAt ?? 0;
  return facts.truth
    .wordsOf(device)
    .some(
      (word) => word.hub === sourceHub.namespace && word.content === 'out' && word.number > number && word.at <= until,
    );
}

/** Whether the target's own snapshot, from when it was in use, shows the row as it is. */
function isFromBefore({ container }: Facts, { run: { doc } }: Write, { id, etag }: Row): boolean {
  if (doc.ownSnapshot === undefined) return false;
  return readSnapshot(container, doc.hub, doc.ownSnapshot.id).some((row) => row.id === id && row.etag === `${etag}`);
}

/** Of a record as it was in its hub's own term: what its device had said in the source before that was in use is there now. */
function isForEarlyWord(facts: Facts, write: Write, before: Row): boolean {
  const { sourceHub, snapshotId } = write.run.doc.request;
  const isEarly = (row: Description): boolean => {
    const word = facts.truth.wordOf(row);
    return word?.hub === sourceHub.namespace && !facts.wasInUse(word.hub, word.at);
  };
  const held = readSnapshot(facts.container, sourceHub, snapshotId).filter(isOfRecord(before));
  return held.length > 0 && held.every(isEarly) && isFromBefore(facts, write, before);
}

/**
 * Whether its device has spoken in both hubs since they agreed, as far as the app can tell. It has not where the last
 * restore left the record as this one's snapshot has it, or where its device registered by itself in a hub that was
 * never in use.
 */
function isConflict(facts: Facts, { run, hub }: Write, { before, after, old }: Replacement): boolean {
  const pair = [hub, run.doc.request.sourceHub.namespace];
  const isEarlier = (one: KnownRun): one is KnownRestore =>
    isRestore(one) && isWriter(one) && pair.includes(hubOf(one)) && one.begunAt < run.begunAt;
  const earlier = facts.runs.all().filter(isEarlier);
  const heldBy = ({ doc: { request } }: KnownRestore): readonly Description[] =>
    readSnapshot(facts.container, request.sourceHub, request.snapshotId).filter(isOfRecord(after));
  const isMet = earlier.some((one) => one.shownAt.has(`${hub}/${keyOf(before)}`) || heldBy(one).length > 0);
  if (!isMet) return facts.wasEverInUse(hub);
  const last = earlier.at(-1);
  const was = last === undefined || hubOf(last) !== hub ? [] : heldBy(last);
  const is = heldBy(run);
  const isSameInSource = was.length === is.length && is.every((row) => was.some((one) => isSame(one, row)));
  const isLeftSo = last?.inPlace.has(facts.truth.deviceOf(before)) === true && isSameInSource;
  const isSaidSince = old.hub === hub && old.at >= (last?.endedAt ?? Number.POSITIVE_INFINITY);
  return !(isLeftSo && isSaidSince);
}

function judgeCreation(facts: Facts, write: Write, after: Row): void {
  const { run, hub } = write;
  const lookedAt = newestLookOf(write);
  const device = facts.truth.deviceOf(after);
  const now = facts.truth.wordOf(after);
  const out = facts.truth.lastWordAt(device, hub);
  if (now === undefined || out === undefined || out.content !== 'out' || out.number < now.number) return;
  // It has not left: it gets another id.
  if (facts.rowsOfDevice(hub, device).some((row) => row.id !== after.id && isSame(row, after))) {
    facts.sometimes('movedWhatHadNotLeft');
    return;
  }
  // Another row of it is back since: that was judged then.
  const isOfIt = isOfRecord(after);
  if (facts.rowsOfDevice(hub, device).some((row) => row.id !== after.id && isOfIt(row) && row.appliedAt > out.at)) {
    facts.sometimes('completedWhatWasBack');
    return;
  }
  const isInItsWindow = out.at >= lookedAt || facts.changedSince(hub, device, lookedAt);
  const excuse = isInItsWindow ? 'resurrectedInItsWindow' : excuseForReturn(facts, run, hub, after, out);
  if (excuse !== undefined) facts.sometimes(excuse);
  else facts.violate('resurrected', `${hub}: ${tell(after)} by ${run.id}, unregistered there before`);
}

function judgeRemoval(facts: Facts, write: Write, before: Row): void {
  const { run, hub } = write;
  run.removed.add(facts.truth.deviceOf(before));
  if (isInWindow(write, before)) {
    if (before.by.kind === 'device') run.removedInWindow.add(facts.truth.deviceOf(before));
    facts.sometimes('removedInItsWindow');
    return;
  }
  const word = facts.truth.wordOf(before)?.number ?? -1;
  const isSuperseded = facts.truth.wordsOf(facts.truth.deviceOf(before)).some(({ number }) => number > word);
  const { purpose, sourceHub, onConflict } = run.doc.request;
  if (before.by.kind !== 'device' || (purpose !== 'rollback' && isSuperseded)) return;
  const text = `${hub}: ${tell(before)}, its device's own, by ${run.id}`;
  if (!hasSeen(write, before)) {
    facts.violate('removedUnseen', text);
    return;
  }
  const excuse = excuseForUndoing(facts, write, before) ?? excuseForWithdrawing(facts, write, before);
  if (excuse !== undefined) {
    facts.sometimes(excuse);
    return;
  }
  // Of two rows that say the same its device keeps one.
  const isTwin = (row: Row): boolean =>
    slotOf(row) === slotOf(before) && (facts.truth.wordOf(row)?.number ?? -1) >= word;
  if (facts.rowsOfDevice(hub, facts.truth.deviceOf(before)).some(isTwin)) {
    facts.sometimes('removedATwin');
    return;
  }
  // The settings did not call the hub primary when its device spoke there, and the source seems to have spoken later.
  const spokenAt = facts.truth.lastWordAt(facts.truth.deviceOf(before), hub)?.at ?? 0;
  const isLater = !facts.wasInUse(hub, spokenAt) && isSourceLaterToTheApp(facts, write, before);
  const isHeld = readSnapshot(facts.container, sourceHub, run.doc.request.snapshotId).some(isOfRecord(before));
  if (onConflict === 'overwrite' && isHeld) facts.sometimes('removedAsAsked');
  else if (purpose !== 'rollback' && isForEarlyWord(facts, write, before)) facts.sometimes('removedForAnEarlyWord');
  else if (isLater && purpose !== 'rollback') facts.sometimes('removedWhereNotInUse');
  // It asks the source before that, which may not answer in time.
  else if (purpose !== 'rollback' && run.silent.has(sourceHub.namespace) && isTorn(facts, run, before))
    facts.sometimes('removedByATornListing');
  else if (purpose !== 'rollback' && isUnderAnUnknownId(facts, run, before)) facts.sometimes('removedUnderAnUnknownId');
  // What it no longer holds is gone by a removal for which no run could wait.
  else if (purpose !== 'rollback' && facts.isGoneByAStray(sourceHub.namespace, facts.truth.deviceOf(before)))
    facts.sometimes('removedAfterAStray');
  // What the service itself loses in the source looks like its device's own word there.
  else if (facts.wasLost(sourceHub.namespace, facts.truth.deviceOf(before), readAtOf(facts, run)))
    facts.sometimes('removedWhatTheSourceLost');
  else facts.violate('deviceRemoved', text);
}

/** Why a rollback may take its device's own word for its restore's: the restore's first look after it wrote showed that. */
function excuseForUndoing(facts: Facts, { run, hub }: Write, before: Row): string | undefined {
  const { of, sourceHub, snapshotId } = run.doc.request;
  const undone = facts.runs.get(of ?? '');
  // Or none of its looks has ever shown what it wrote there: the first one did not.
  const wroteBy = undone?.listedAt.get(`${hub}#2`) ?? Number.POSITIVE_INFINITY;
  const isKnown = undone?.shownAt.get(`${hub}/${keyOf(before)}`)?.some((at) => at >= wroteBy);
  if (undone === undefined || (isKnown && !undone.seen.has(versionOf(hub, before)))) return undefined;
  // Most of what it wrote came back different: that is taken for how the hub stores it.
  if (undone.doc.error?.code === 'TargetAltersRecords') return 'undidWhatSeemedAltered';
  const isSaidAgain = readSnapshot(facts.container, sourceHub, snapshotId).some((one) => isSame(one, before));
  return isSaidAgain ? 'undidWhatWasSaidAgain' : undefined;
}
