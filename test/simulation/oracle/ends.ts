import { type Description, isOfRecord, isSame, type Row, slotOf, tell } from '../row.ts';
import { isExcused, isShownAtFirst, isWritten } from './excuses.ts';
import { judgeExpiry } from './expiries.ts';
import type { Facts } from './facts.ts';
import type { Fault } from './fault.ts';
import { hasPoison, isPoisoned, isRestFinished, nameOf } from './poison.ts';
import { judgeAnswer } from './requests.ts';
import { isTorn, wasTornWhenAgreed } from './returns.ts';
import { hubOf, isRestore, type KnownRestore, lookedAt, recordOf } from './runs.ts';
import { readSnapshot, type Wanted, wantedOf } from './snapshots.ts';

/** Judges what a restore says at its end against what is there. `when` tells the second look from the first. */
export function judgeEnd(facts: Facts, run: KnownRestore, when: '' | 'Later'): void {
  judgeCounts(facts, run);
  judgeAnswer(facts, run);
  const { status, request, error } = run.doc;
  if (request.dryRun) return;
  const all = wantedOf(readSnapshot(facts.container, request.sourceHub, request.snapshotId), facts.truth);
  const wanted = all.filter((one) => isSelected(run, one));
  if (status === 'Failed' && error?.code === 'RestoreIncomplete' && when === '') judgeRed(facts, run, wanted, all);
  const isRest = isRestFinished(facts, run);
  if (isRest) facts.sometimes('poison restIsFinished');
  if (isRest && when === '') noteUnplaced(facts, run, wanted);
  if (status !== 'Succeeded' && !isRest) return;
  if (when === '') for (const one of wanted) if (isInPlace(one, thereOf(facts, run, one))) run.inPlace.add(one.device);
  const judged = isRest ? wanted.filter((one) => !hasPoison(facts, run, one)) : wanted;
  const faults = judged.flatMap((one) => judgeDevice(facts, run, one));
  if (request.only === undefined && (request.purpose === 'restore' || request.purpose === 'sync'))
    faults.push(...judgeLeftovers(facts, run, all, isRest));
  const declared = declaredBy(run);
  for (const { kind: found, text, isAltered, isAdded } of faults) {
    const isKept = isAltered === true && declared['different'] === 0;
    const kind = isAdded === true && declared['leftover'] === 0 ? 'saysInPlace' : found;
    const what = differences.has(kind) ? (isKept ? 'altered' : 'different') : kind;
    // It withdraws nothing.
    if (kind === 'leftover' && request.only !== undefined) facts.sometimes('leftOfASelection');
    else if ((declared[what] ?? 0) > 0) {
      declared[what] = (declared[what] ?? 0) - 1;
      facts.sometimes(`declared ${kind}`);
      facts.trace(() => `DECLARED ${kind}: ${text}`);
    } else facts.violate(`${kind}${when}`, text);
  }
}

/** What its hub fails at, and what is not as it is to be for no other reason, it has to name. */
function noteUnplaced(facts: Facts, run: KnownRestore, wanted: readonly Wanted[]): void {
  for (const one of wanted) {
    const [row] = one.rows;
    if (row === undefined || !hasPoison(facts, run, one) || one.isTorn) continue;
    const faults = isInPlace(one, thereOf(facts, run, one)) ? [] : judgeDevice(facts, run, one);
    if (faults.some(({ kind }) => kind === 'lost' || kind === 'stale')) run.unplaced.add(nameOf(row));
  }
}

/** Ways in which what is there differs from the snapshot: a run counts one as a conflict or of unknown origin, whatever it is. */
const differences: ReadonlySet<Fault['kind']> = new Set([
  'stale',
  'incomplete',
  'otherBody',
  'altered',
  'expiresEarly',
]);

/** Of how many records a run says that they are not as the snapshot has them: it shows which. */
function declaredBy(run: KnownRestore): Record<string, number> {
  const { doc } = run;
  const counts: Readonly<Record<string, number>> = doc.result?.counts ?? {};
  const { conflict = 0, unknownOrigin = 0, goneInTarget = 0, leftover = 0, keptLive = 0, onlyInTarget = 0 } = counts;
  // An older snapshot's record that has gone since stays out, and what its device was before may be left.
  const goneSince = doc.request.askedSnapshot === 'latest' ? 0 : goneInTarget;
  return {
    different: conflict + unknownOrigin + goneSince,
    altered: keptLive + (doc.result?.changedSince ?? 0),
    saysInPlace: keptLive + conflict + unknownOrigin + goneInTarget + (doc.result?.changedSince ?? 0),
    lost: goneInTarget,
    // A repair withdraws nothing.
    leftover: leftover + conflict + (isRepair(run) ? onlyInTarget : 0),
  };
}

function judgeCounts(facts: Facts, { id, doc }: KnownRestore): void {
  if (doc.result === undefined) return;
  const { total, ...counts } = doc.result.counts;
  const sum = Object.values(counts).reduce((so, one) => so + one, 0);
  if (sum !== total) facts.violate('countsDoNotAddUp', `${id}: ${JSON.stringify(doc.result.counts)}`);
  if (doc.status === 'Succeeded' && counts.failed + counts.pending > 0) facts.violate('greenWithFailures', id);
}

/** The simulation's operators select platforms only; what a retry is about shows by what it wrote. */
function isSelected({ doc, written, changed }: KnownRestore, { rows }: Wanted): boolean {
  const { only, purpose } = doc.request;
  // Its rows may have got other ids. What it withdrew of another record of that device does not make it about this one.
  const isChanged = rows.some((row) => changed.has(recordOf(row)));
  if (purpose === 'retry' && !isWritten({ written }, rows) && !isChanged) return false;
  return only?.platforms === undefined || rows.some(({ platform }) => only.platforms?.includes(platform));
}

function judgeDevice(facts: Facts, run: KnownRestore, wanted: Wanted): Fault[] {
  if (isExcused(facts, run, wanted.device, wanted.rows)) return [];
  const hub = hubOf(run);
  const there = thereOf(facts, run, wanted);
  const where = `${hub}: ${wanted.name} by ${run.id}`;
  if (there.length === 0) return judgeAbsence(facts, run, wanted.device, where);
  if (facts.wasLost(hub, wanted.device)) return [];
  if (isInPlace(wanted, there)) {
    return [...judgeSurplus(facts, run, wanted, there, where), ...judgeExpiry(facts, run, wanted, there, where)];
  }
  if (there.some((row) => facts.isOfGivenUpCall(row))) {
    facts.sometimes('replacedByAGivenUpCall');
    return [];
  }
  if (hasLeft(facts, run, wanted, there)) {
    // What its hub stored otherwise than it was sent was never agreed on.
    if (there.every((row) => facts.isAltered(row))) return [];
    return [{ kind: 'leftover', text: `${where} is ${list(there)}` }];
  }
  if (isInTheWay(run, wanted, there)) {
    facts.sometimes('inTheWayAsPassedOver');
    return [];
  }
  return wanted.isTorn ? [] : judgeDifference(facts, wanted, there, where);
}

/** It was another record, and the first listing passed over a row of that: the next restore moves it. */
function isInTheWay(run: KnownRestore, { rows }: Wanted, there: readonly Row[]): boolean {
  const isMoved = !there.some((one) => rows.some((row) => isOfRecord(row)(one)));
  return isMoved && there.length > 1 && there.some((row) => !isShownAtFirst(run, row));
}

/**
 * Its device has left, and what is there is of another record, that it was before: a leftover. Its own word there is one
 * that the service carried out after it had left.
 */
function hasLeft(facts: Facts, run: KnownRestore, { device, rows }: Wanted, there: readonly Row[]): boolean {
  const last = facts.truth.lastWordAt(device, hubOf(run));
  const isOther = there.every((one) => !facts.isOwnWord(one) && !rows.some((row) => isOfRecord(row)(one)));
  return isOther && last?.content === 'out';
}

function isInPlace({ rows }: Wanted, there: readonly Row[]): boolean {
  return rows.every((row) => there.some((one) => isSame(one, row)));
}

function judgeDifference(facts: Facts, wanted: Wanted, there: readonly Row[], where: string): Fault[] {
  const text = `${where} is ${list(there)} instead of ${list(wanted.rows)}`;
  // Its device's own word counts, as far as anybody can tell, and what a late hub carries out after its run's end looks
  // like one; but the run must not say that all is in place.
  if (there.some((row) => facts.isOwnWord(row) || facts.isStray(row))) return [{ kind: 'saysInPlace', text }];
  const newest = Math.max(...there.map((row) => facts.truth.wordOf(row)?.number ?? -1));
  const number = wanted.word?.number ?? -1;
  if (newest > number) return [];
  const isAltered = [...there, ...wanted.rows].some((row) => facts.isShortened(row));
  return [{ kind: newest < number ? 'stale' : kindOfDifference(wanted, there), text, isAltered }];
}

/** How rows differ that stem from the right word. */
function kindOfDifference({ rows }: Wanted, there: readonly Row[]): Fault['kind'] {
  const isMissing = rows.some((row) => !there.some((one) => slotOf(one) === slotOf(row)));
  if (isMissing) return 'incomplete';
  const isOtherBody = (row: Row): boolean => row.body !== undefined && !rows.some(({ body }) => body === row.body);
  return there.some(isOtherBody) ? 'otherBody' : 'altered';
}

function list(rows: readonly Description[]): string {
  return rows.map(tell).join(' and ') || 'nothing';
}

function judgeAbsence(facts: Facts, run: KnownRestore, device: number, text: string): Fault[] {
  // It said itself that it is gone: there, or in the hub it comes from after the snapshot.
  if (facts.truth.lastWordAt(device, hubOf(run))?.content === 'out') facts.sometimes('goneByItsOwnWord');
  else if (facts.truth.lastWordOf(device)?.content === 'out') facts.sometimes('goneByItsOwnWordElsewhere');
  // What the service itself loses in the hub in use looks like its device's own word.
  else if (facts.wasLostInUse(hubOf(run), device) && !isRepair(run)) facts.sometimes('lostByTheService');
  // It took its own row back because its device had registered by itself, and the service lost that.
  else if (run.removed.has(device) && facts.wasLost(hubOf(run), device)) facts.sometimes('lostWhatWasLeftToIt');
  // Likewise, because it had registered as another record, of which a withdrawal was on its way.
  else if (run.removedInWindow.has(device)) facts.sometimes('lostInItsWindow');
  // What it still saw of it the service was about to remove.
  else return [{ kind: run.leaving.has(device) ? 'incomplete' : 'lost', text }];
  return [];
}

function isRepair({ doc }: KnownRestore): boolean {
  return doc.request.sourceHub.namespace === doc.hub.namespace;
}

function isOfRepair({ runs }: Facts, { by }: Row): boolean {
  const run = by.kind === 'tool' ? runs.get(by.runId) : undefined;
  return run !== undefined && isRestore(run) && isRepair(run);
}

function thereOf(facts: Facts, run: KnownRestore, { device }: Wanted): Row[] {
  return facts.rowsOfDevice(hubOf(run), device);
}

function beforeOf({ truth }: Facts, run: KnownRestore, { device }: Wanted): Row[] {
  return run.before.filter((row) => truth.deviceOf(row) === device);
}

/** Rows beside the wanted ones: the same again, or what its device was before; unless it made them itself. */
function judgeSurplus(facts: Facts, run: KnownRestore, wanted: Wanted, there: readonly Row[], where: string): Fault[] {
  const before = beforeOf(facts, run, wanted);
  const surplus = [...there];
  for (const row of wanted.rows) {
    const at = surplus.findIndex((one) => isSame(one, row));
    if (at >= 0) surplus.splice(at, 1);
  }
  // What a torn installation's body gives is more than was listed of it.
  const isOfInstallation = (one: Description, row: Row): boolean => one.installationId === row.installationId;
  const isOfBody = (row: Row): boolean =>
    wanted.rows.some((one) => isOfInstallation(one, row)) &&
    !wanted.rows.some((one) => isOfInstallation(one, row) && slotOf(one) === slotOf(row));
  const ours = surplus.filter(
    (row) =>
      row.by.kind === 'tool' && !(row.installationId !== undefined && isOfBody(row)) && !facts.isOfGivenUpCall(row),
  );
  if (ours.length === 0) return [];
  // The same handle as an installation and as a plain registration are two records.
  const isCopy = (one: Row, row: Description): boolean =>
    one.handle === row.handle && one.installationId === row.installationId && slotOf(one) === slotOf(row);
  const isAnyCopy = (one: Row): boolean => wanted.rows.some((row) => isCopy(one, row));
  const kind = ours.some(isAnyCopy) ? 'doubled' : 'leftover';
  // Its device had registered twice there: one of the two is moved. A row of another record of it is none of them.
  const isCopyOfOurs = (one: Row): boolean => isAnyCopy(one) && ours.some((row) => isOfRecord(row)(one));
  const copies = there.filter(isCopyOfOurs);
  const areTwins =
    copies.some((one) => one.by.kind === 'device') && before.filter(isCopyOfOurs).length >= copies.length;
  if (kind === 'doubled' && areTwins) return [];
  if (kind === 'leftover' && !ours.some((row) => isShownAtFirst(run, row))) return [];
  // A row that the snapshot's listing has passed over stays.
  const isTornTwin = kind === 'doubled' && wanted.rows.some((row) => isTorn(facts, run, row));
  const text = `${where} is ${list(there)} instead of ${list(wanted.rows)}`;
  // It looks as if its device had added the row since: it stays, and the run must say so.
  const looksAdded = kind === 'leftover' && ours.every((row) => wasTornWhenAgreed(facts, run, row));
  return [{ kind: isTornTwin ? 'incomplete' : kind, text, isAdded: looksAdded }];
}

/** Who left the source before the snapshot was read must not stay where the app itself has put it. */
function judgeLeftovers(facts: Facts, run: KnownRestore, wanted: readonly Wanted[], isRest: boolean): Fault[] {
  const hub = hubOf(run);
  const { sourceHub, snapshotId } = run.doc.request;
  const source = sourceHub.namespace;
  const held = new Set(wanted.map(({ device }) => device));
  const readAt = facts.runs.get(snapshotId)?.firstListedAt ?? 0;
  const left = new Map<number, Fault>();
  for (const row of facts.rowsOf(hub)) {
    const device = facts.truth.deviceOf(row);
    const last = facts.truth.lastWordOf(device);
    if (held.has(device) || row.by.kind !== 'tool' || isExcused(facts, run, device)) continue;
    if (facts.wasLost(hub, device) || facts.isAltered(row) || looksChanged(facts, row)) continue;
    if (isRest && isPoisoned(facts, hub, row)) continue;
    // A repair put it back where its device had registered by itself, and the pair has agreed on nothing of it.
    if (isOfRepair(facts, row) && !facts.wasAgreedOn(row)) {
      facts.sometimes('leftoverOfARepair');
      continue;
    }
    // No look shows what its hub carries out after them.
    if (facts.isStray(row) || facts.isOfGivenUpCall(row)) continue;
    if (last?.content !== 'out' || last.hub !== source) continue;
    if (!isShownAtFirst(run, row)) {
      facts.sometimes('leftoverPassedOver');
      continue;
    }
    const isKnown = last.at < readAt && !facts.changedSince(source, device, readAt);
    if (isKnown)
      left.set(device, { kind: 'leftover', text: `${hub}: ${tell(row)} left ${source} before ${snapshotId}` });
    else facts.sometimes('leftAfterTheSnapshot');
  }
  return [...left.values()];
}

/** Its hub dropped tags of it, and the run that wrote it had written too few to see that: it says that it has changed since. */
function looksChanged(facts: Facts, row: Row): boolean {
  const run = row.by.kind === 'tool' ? facts.runs.get(row.by.runId) : undefined;
  if (run === undefined || !isRestore(run) || (run.doc.result?.changedSince ?? 0) === 0) return false;
  return facts.hub(hubOf(run))?.knobs.dropsTags === true && facts.isShortened(row);
}

/** Red although everything was in place before the run last looked. */
function judgeRed(facts: Facts, run: KnownRestore, wanted: readonly Wanted[], all: readonly Wanted[]): void {
  const hub = hubOf(run);
  if (facts.hub(hub)?.knobs.dropsTags === true) return;
  // Of what is there it may have failed to learn that, or to take it away.
  // What a retry is about and was refused does not show by what it wrote.
  const about = run.doc.request.purpose === 'retry' ? all : wanted;
  if ([...about.flatMap(({ rows }) => rows), ...facts.rowsOf(hub)].some((row) => isPoisoned(facts, hub, row))) return;
  const isSettled = (one: Wanted): boolean => {
    const there = facts.rowsOfDevice(hub, one.device);
    const isOld = there.length > 0 && there.every((row) => row.appliedAt < lookedAt(run));
    return (
      isOld &&
      (one.isTorn || isInPlace(one, there)) &&
      !isExcused(facts, run, one.device, one.rows) &&
      !facts.wasLost(hub, one.device)
    );
  };
  const isToGo = ({ id, installationId }: Row): boolean =>
    run.calls.has(`delete ${id}`) || run.calls.has(`uninstall ${installationId}`);
  // What it still saw may have gone since.
  const isSeen = facts.rowsOf(hub).some(isToGo) || facts.hadWriteOf(hub, run, lookedAt(run));
  if (wanted.every(isSettled) && !isSeen) {
    facts.violate('redThoughInPlace', `${run.id}: ${JSON.stringify(run.doc.result?.failuresByCode)}`);
  }
}
