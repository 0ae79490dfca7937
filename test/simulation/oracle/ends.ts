import { type Description, isSame, type Row, slotOf, tell } from '../row.ts';
import type { Facts } from './facts.ts';
import { hubOf, type KnownRestore, lookedAt } from './runs.ts';
import { readSnapshot, type Wanted, wantedOf } from './snapshots.ts';

/** Differences of expiry below this do not count. */
const DAY_MS = 86_400_000;

/** Judges what a restore says at its end against what is there. `when` tells the second look from the first. */
export function judgeEnd(facts: Facts, run: KnownRestore, when: '' | 'Later'): void {
  judgeCounts(facts, run);
  const { status, request, error } = run.doc;
  if (request.dryRun) return;
  const all = wantedOf(readSnapshot(facts.container, request.sourceHub, request.snapshotId), facts.truth);
  const wanted = all.filter((one) => isSelected(run, one));
  if (status === 'Failed' && error?.code === 'RestoreIncomplete' && when === '') judgeRed(facts, run, wanted);
  if (status !== 'Succeeded') return;
  for (const one of wanted) judgeDevice(facts, run, one, when);
  if (request.only === undefined && request.purpose === 'restore') judgeLeftovers(facts, run, all, when);
}

function judgeCounts(facts: Facts, { id, doc }: KnownRestore): void {
  if (doc.result === undefined) return;
  const { total, ...counts } = doc.result.counts;
  const sum = Object.values(counts).reduce((so, one) => so + one, 0);
  if (sum !== total) facts.violate('countsDoNotAddUp', `${id}: ${JSON.stringify(doc.result.counts)}`);
  if (doc.status === 'Succeeded' && counts.failed + counts.pending > 0) facts.violate('greenWithFailures', id);
}

/** The simulation's operators select platforms only. */
function isSelected({ doc }: KnownRestore, { rows }: Wanted): boolean {
  const { only } = doc.request;
  return only?.platforms === undefined || rows.some(({ platform }) => only.platforms?.includes(platform));
}

/** What its device, or the service, did since the run's last look, no run can know. */
function isExcused(facts: Facts, run: KnownRestore, device: number): boolean {
  return device < 0 || facts.changedSince(hubOf(run), device, lookedAt(run)) || facts.wasLost(hubOf(run), device);
}

function judgeDevice(facts: Facts, run: KnownRestore, wanted: Wanted, when: string): void {
  if (isExcused(facts, run, wanted.device)) return;
  const hub = hubOf(run);
  const there = facts.rowsOfDevice(hub, wanted.device);
  const where = `${hub}: ${wanted.name} by ${run.id}`;
  if (there.length === 0) judgeAbsence(facts, run, wanted.device, where, when);
  else if (isInPlace(wanted, there)) {
    judgeTwins(facts, wanted, there, where, when);
    judgeExpiry(facts, run, wanted, there, where);
  } else if (!wanted.isTorn) judgeDifference(facts, wanted, there, where, when);
}

function isInPlace({ rows }: Wanted, there: readonly Row[]): boolean {
  return rows.every((row) => there.some((one) => isSame(one, row)));
}

function judgeDifference(facts: Facts, wanted: Wanted, there: readonly Row[], where: string, when: string): void {
  // Its device's own word counts, as far as anybody can tell.
  if (there.some((row) => row.by.kind === 'device')) return;
  const newest = Math.max(...there.map((row) => facts.truth.wordOf(row)?.number ?? -1));
  const number = wanted.word?.number ?? -1;
  if (newest > number) return;
  const kind = newest === number ? 'altered' : 'stale';
  facts.violate(`${kind}${when}`, `${where} is ${list(there)} instead of ${list(wanted.rows)}`);
}

function list(rows: readonly Description[]): string {
  return rows.map(tell).join(' and ') || 'nothing';
}

function judgeAbsence(facts: Facts, run: KnownRestore, device: number, where: string, when: string): void {
  // It said itself that it is gone: there, or in the hub it comes from after the snapshot.
  if (facts.truth.lastWordAt(device, hubOf(run))?.content === 'out') facts.sometimes('goneByItsOwnWord');
  else if (facts.truth.lastWordOf(device)?.content === 'out') facts.sometimes('goneByItsOwnWordElsewhere');
  else facts.violate(`lost${when}`, where);
}

/** A device must not have more rows of one kind than the snapshot has, unless it made them itself. */
function judgeTwins(facts: Facts, wanted: Wanted, there: readonly Row[], where: string, when: string): void {
  for (const slot of ['native', 'template'] as const) {
    const isIn = (row: Description): boolean => slotOf(row) === slot;
    const extra = there.filter(isIn).length - wanted.rows.filter(isIn).length;
    const ours = there.filter((row) => isIn(row) && row.by.kind === 'tool').length;
    if (extra <= 0 || ours < 2) continue;
    facts.violate(`doubled${when}`, `${where} is ${list(there)}`);
  }
}

/** What expires much earlier than in the source is lost with a failover. */
function judgeExpiry(facts: Facts, run: KnownRestore, { rows }: Wanted, there: readonly Row[], where: string): void {
  const timeToLiveMs = facts.hub(hubOf(run))?.knobs.timeToLiveMs ?? Number.POSITIVE_INFINITY;
  const most = lookedAt(run) + timeToLiveMs;
  for (const row of rows) {
    const copies = there.filter((one) => one.by.kind === 'tool' && isSame(one, row));
    const expected = Math.min(row.expiresAt ?? Number.POSITIVE_INFINITY, most);
    if (!copies.some(({ expiresAt }) => expiresAt !== undefined && expiresAt < expected - DAY_MS)) continue;
    const [is, should] = [copies[0]?.expiresAt, expected].map((at) => new Date(at ?? 0).toISOString());
    facts.violate('expiresEarly', `${where}: ${tell(row)} expires ${is} instead of ${should}`);
  }
}

/** Who left the source before the snapshot was read must not stay where the app itself has put it. */
function judgeLeftovers(facts: Facts, run: KnownRestore, wanted: readonly Wanted[], when: string): void {
  const hub = hubOf(run);
  const { sourceHub, snapshotId } = run.doc.request;
  const source = sourceHub.namespace;
  const held = new Set(wanted.map(({ device }) => device));
  const readAt = facts.runs.get(snapshotId)?.firstListedAt ?? 0;
  for (const row of facts.rowsOf(hub)) {
    const device = facts.truth.deviceOf(row);
    const last = facts.truth.lastWordOf(device);
    if (held.has(device) || row.by.kind !== 'tool' || isExcused(facts, run, device)) continue;
    if (last?.content !== 'out' || last.hub !== source) continue;
    const isKnown = last.at < readAt && !facts.changedSince(source, device, readAt);
    if (isKnown) facts.violate(`leftover${when}`, `${hub}: ${tell(row)} left ${source} before ${snapshotId}`);
    else facts.sometimes('leftAfterTheSnapshot');
  }
}

/** Red although everything was in place before the run last looked. */
function judgeRed(facts: Facts, run: KnownRestore, wanted: readonly Wanted[]): void {
  const hub = hubOf(run);
  if (facts.hub(hub)?.knobs.dropsTags === true) return;
  const isSettled = (one: Wanted): boolean => {
    const there = facts.rowsOfDevice(hub, one.device);
    const isOld = there.length > 0 && there.every((row) => row.appliedAt < lookedAt(run));
    return isOld && (one.isTorn || isInPlace(one, there)) && !isExcused(facts, run, one.device);
  };
  if (wanted.every(isSettled)) {
    facts.violate('redThoughInPlace', `${run.id}: ${JSON.stringify(run.doc.result?.failuresByCode)}`);
  }
}
