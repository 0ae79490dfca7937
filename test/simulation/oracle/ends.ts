import { contentOf, type Description, isSame, type Row, slotOf, tell } from '../row.ts';
import type { Word } from '../truth.ts';
import type { Oracle } from './oracle.ts';
import { hubOf, isRestore, type KnownRun } from './runs.ts';
import { readSnapshot, type SnapshotRecord } from './snapshots.ts';

type Restore = KnownRun & { readonly doc: Extract<KnownRun['doc'], { kind: 'restore' }> };

/** Judges what a restore says at its end against what is there. `when` tells the second look from the first. */
export function judgeEnd(oracle: Oracle, run: Restore, when: '' | 'Later'): void {
  judgeCounts(oracle, run);
  const { status, request } = run.doc;
  if (request.dryRun || request.purpose === 'rollback') return;
  const records = readSnapshot(oracle.parts.container, request.sourceHub, request.snapshotId);
  if (records.length === 0) return;
  if (status === 'Failed' && run.doc.error?.code === 'RestoreIncomplete' && when === '') judgeRed(oracle, run, records);
  if (status !== 'Succeeded') return;
  for (const record of records) if (isSelected(run, record)) judgeRecord(oracle, run, record, when);
  if (request.only === undefined && request.purpose === 'restore') judgeLeftovers(oracle, run, records, when);
}

function judgeCounts(oracle: Oracle, { id, doc }: Restore): void {
  if (doc.result === undefined) return;
  const { total, ...counts } = doc.result.counts;
  const sum = Object.values(counts).reduce((all, one) => all + one, 0);
  if (sum !== total) oracle.violate('countsDoNotAddUp', `${id}: ${JSON.stringify(doc.result.counts)}`);
  if (doc.status === 'Succeeded' && counts.failed + counts.pending > 0) oracle.violate('greenWithFailures', id);
}

/** The simulation's operators select platforms only. */
function isSelected({ doc }: Restore, { rows }: SnapshotRecord): boolean {
  const { only } = doc.request;
  return only?.platforms === undefined || rows.some(({ platform }) => only.platforms?.includes(platform));
}

function deviceOfRecord(oracle: Oracle, { rows }: SnapshotRecord): number {
  return rows[0] === undefined ? -1 : oracle.parts.truth.deviceOf(rows[0]);
}

function isExcused(oracle: Oracle, run: Restore, device: number): boolean {
  const hub = hubOf(run);
  return oracle.changedSince(hub, device, run.listedAt.get(hub) ?? 0) || oracle.wasLost(hub, device);
}

function judgeRecord(oracle: Oracle, run: Restore, record: SnapshotRecord, when: string): void {
  const { truth } = oracle.parts;
  const hub = hubOf(run);
  const device = deviceOfRecord(oracle, record);
  if (device < 0 || isExcused(oracle, run, device)) return;
  const there = oracle.rowsOf(hub).filter((row) => truth.deviceOf(row) === device);
  const wanted = wordOfRecord(oracle, record);
  if (there.length === 0) return judgeAbsence(oracle, run, device, `${hub}: ${record.key} by ${run.id}`, when);
  const missing = record.rows.filter((row) => !there.some((one) => isSame(one, row)));
  const isInPlace = missing.length === 0;
  if (isInPlace) return judgeTwins(oracle, run, record, there, when);
  // Its device's own word counts, as far as anybody can tell.
  if (there.some((row) => row.by.kind === 'device')) return;
  const newest = Math.max(...there.map((row) => truth.wordOf(row)?.number ?? -1));
  const text = `${hub}: ${record.key} is ${there.map(tell).join(' and ')} instead of ${record.rows.map(tell).join(' and ')} by ${run.id}`;
  if (newest > (wanted?.number ?? -1)) return;
  if (there.every((row) => contentOf(row) === wanted?.content.number)) oracle.violate(`altered${when}`, text);
  else oracle.violate(`stale${when}`, text);
}

/** Of the newest of its rows. */
function wordOfRecord(oracle: Oracle, { rows }: SnapshotRecord): (Word & { content: { number: number } }) | undefined {
  const { truth } = oracle.parts;
  const numbers = rows.map(contentOf);
  const own = truth.wordsOf(rows[0] === undefined ? -1 : truth.deviceOf(rows[0]));
  const word = own.findLast(({ content }) => content !== 'out' && numbers.includes(content.number));
  return word === undefined || word.content === 'out' ? undefined : { ...word, content: word.content };
}

function judgeAbsence(oracle: Oracle, run: Restore, device: number, text: string, when: string): void {
  const { truth, sometimes } = oracle.parts;
  // It said itself that it is gone: there, or in the hub it comes from after the snapshot.
  if (truth.lastWordAt(device, hubOf(run))?.content === 'out') return sometimes('goneByItsOwnWord');
  if (truth.lastWordOf(device)?.content === 'out') return sometimes('goneByItsOwnWordElsewhere');
  oracle.violate(`lost${when}`, text);
}

/** A device must not have more rows of one kind than the snapshot has, unless it made them itself. */
function judgeTwins(
  oracle: Oracle,
  run: Restore,
  { key, rows }: SnapshotRecord,
  there: readonly Row[],
  when: string,
): void {
  for (const slot of ['native', 'template'] as const) {
    const isIn = (row: Description): boolean => slotOf(row) === slot;
    const extra = there.filter(isIn).length - rows.filter(isIn).length;
    const ours = there.filter((row) => isIn(row) && row.by.kind === 'tool').length;
    // Rows that were equal became one on the way.
    if (extra <= 0 || ours < 2) continue;
    oracle.violate(`doubled${when}`, `${hubOf(run)}: ${key} is ${there.map(tell).join(' and ')} by ${run.id}`);
  }
}

/** Who left the source before the snapshot was read must not stay where the app itself has put it. */
function judgeLeftovers(oracle: Oracle, run: Restore, records: readonly SnapshotRecord[], when: string): void {
  const { truth, sometimes } = oracle.parts;
  const hub = hubOf(run);
  const held = new Set(records.map((record) => deviceOfRecord(oracle, record)));
  const readAt = oracle.runs.get(run.doc.request.snapshotId)?.firstListedAt ?? 0;
  const source = run.doc.request.sourceHub.namespace;
  for (const row of oracle.rowsOf(hub)) {
    const device = truth.deviceOf(row);
    const last = truth.lastWordOf(device);
    if (held.has(device) || row.by.kind !== 'tool' || isExcused(oracle, run, device)) continue;
    if (last?.content !== 'out' || last.hub !== source) continue;
    const isKnown = last.at < readAt && !oracle.changedSince(source, device, readAt);
    if (isKnown)
      oracle.violate(`leftover${when}`, `${hub}: ${tell(row)} left ${source} before ${run.doc.request.snapshotId}`);
    else sometimes('leftAfterTheSnapshot');
  }
}

/** Red although everything was in place before the run last looked. */
function judgeRed(oracle: Oracle, run: Restore, records: readonly SnapshotRecord[]): void {
  const { truth } = oracle.parts;
  const hub = hubOf(run);
  const lookedAt = run.listedAt.get(hub) ?? 0;
  const isSettled = (record: SnapshotRecord): boolean => {
    const device = deviceOfRecord(oracle, record);
    const there = oracle.rowsOf(hub).filter((row) => truth.deviceOf(row) === device);
    return there.length > 0 && there.every((row) => row.appliedAt < lookedAt) && !isExcused(oracle, run, device);
  };
  if (!isRestore(run) || !records.filter((record) => isSelected(run, record)).every(isSettled)) return;
  oracle.violate('redThoughInPlace', `${run.id}: ${JSON.stringify(run.doc.result?.failuresByCode)}`);
}
