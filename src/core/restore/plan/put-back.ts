import { isAmong, versionHashOf } from '../../fingerprint/row.ts';
import { distinctRows, isSameRegistration } from '../../registration/distinct.ts';
import { expectedForms, isInPlace } from '../../registration/expected.ts';
import { isInstallation, type RecordOfRows } from '../../registration/record.ts';
import { canonicalRow, type Registration } from '../../registration/registration.ts';
import {
  creationOf,
  overwriteOf,
  type Planning,
  planCreation,
  planInstallation,
  planMove,
  type Writes,
} from './first-writes.ts';
import type { PassDecision } from './later-pass.ts';
import { isOfRewrite, type WrittenRecord } from './removal.ts';
import { deletionsFrom } from './write.ts';

/** What lived in the target under a record's key before a restore changed it. */
export interface Undo {
  readonly before: RecordOfRows;
  /** A record under another key was written over a row of it. */
  readonly isDisplaced: boolean;
}

export interface PutBack extends Undo {
  /** As the snapshot has it, which the restore wrote. `undefined` of a record that only the target held. */
  readonly record: RecordOfRows | undefined;
  readonly live: RecordOfRows | undefined;
  readonly written: WrittenRecord | undefined;
  /** What the pass before made of the record; absent in the first. */
  readonly earlier: 'putBack' | 'unchanged' | 'keptLive' | undefined;
  /** Look only. */
  readonly isLastPass: boolean;
}

export interface PutBackPlan {
  readonly decision: PassDecision;
  /** One look does not prove it. */
  readonly isUnconfirmed: boolean;
}

/**
 * What is to become of a record that a restore overwrote or withdrew: as it was before, where the target is still as
 * the restore left it.
 */
export function planPutBack(all: PutBack, planning: Planning): PutBackPlan {
  const given = { ...all, live: isBesideIt(all) ? onlyOf(all.before, all.live) : all.live };
  const { before, live, earlier } = given;
  const wasPutBack = earlier === 'putBack';
  if (live === undefined && !isWithdrawn(given) && !wasPutBack) return keptLive(given, earlier !== 'keptLive');
  if (live === undefined) {
    // Its device registered under another key.
    if (before.rows.some(planning.elsewhere.isTaken)) return keptLive(given, false);
    // A hub may ignore an installation that is as it was last sent.
    const isIgnored = wasPutBack && isInstallation(before);
    return toPlan(given, isIgnored ? planInstallation(before, planning, [], true) : planCreation(before, planning));
  }
  if (isAsBefore(before, live)) {
    const move = planReturn(given, live, planning);
    return move === undefined ? settled(wasPutBack ? 'putBack' : 'unchanged') : toPlan(given, move);
  }
  if (isUntouched(given, live)) return toPlan(given, planRestoration(given, live, planning));
  return keptLive(given, !isKnown(given) && earlier !== 'keptLive');
}

/** Of the record some rows were written over, and others were not: those are no part of what is put back. */
function isBesideIt({ before, live, written, isDisplaced }: PutBack): boolean {
  if (!isDisplaced || written !== undefined || isInstallation(before)) return false;
  const hasId = idsIn(before);
  const others = live?.rows.filter((row) => !hasId(row)) ?? [];
  return !others.some((row) => before.rows.some((one) => isSameRegistration(one, row)));
}

function onlyOf(before: RecordOfRows, live: RecordOfRows | undefined): RecordOfRows | undefined {
  const rows = live?.rows.filter(idsIn(before)) ?? [];
  return rows.length === 0 ? undefined : { key: before.key, rows };
}

function idsIn({ rows }: RecordOfRows): (row: Registration) => boolean {
  const ids = new Set(rows.map(({ id }) => id));
  return ({ id }) => ids.has(id);
}

/** It was not written over under its own key, or the restore has never seen what it wrote there. */
function isWithdrawn({ record, written, isDisplaced }: PutBack): boolean {
  return record === undefined || written === undefined || isDisplaced;
}

/** What the restore left is known. */
function isKnown({ record, written }: PutBack): boolean {
  return record === undefined || written?.seen !== undefined;
}

function isAsBefore(before: RecordOfRows, live: RecordOfRows): boolean {
  if (live.rows.length > before.rows.length) return false;
  const isSameSize = live.rows.length === before.rows.length;
  return (isSameSize && live.rows.every(wasIn(before))) || isInPlace(before, live);
}

/** By version and content: a row that was deleted and made again under its id begins with the first ETag again. */
function wasIn({ rows }: RecordOfRows): (row: Registration) => boolean {
  const byId = Map.groupBy(rows, ({ id }) => id);
  return ({ id, etag, xml }) =>
    byId.get(id)?.some((row) => row.etag === etag && canonicalRow(row.xml) === canonicalRow(xml)) === true;
}

/**
 * Each row is as it was before or as the restore left it: one that died may have written some of them. Some may have
 * been put back, too.
 */
function isUntouched({ before, record, written, earlier }: PutBack, live: RecordOfRows): boolean {
  const isBefore = wasIn(before);
  const formsBefore = earlier === 'putBack' ? distinctRows(before.rows) : new Map<string, Registration>();
  const seen = written?.seen ?? new Set<number>();
  const forms = record === undefined ? new Set<string>() : expectedForms(record);
  const isWritten = (row: Registration): boolean => {
    const etagBefore = before.rows.find(({ id }) => id === row.id)?.etag;
    // Of a record whose device was faster the restore has written nothing.
    const mayBeOurs =
      written !== undefined && (written.seen === undefined || isOfRewrite(row, written.rewriteCount, etagBefore));
    return mayBeOurs && forms.has(canonicalRow(row.xml));
  };
  return live.rows.every(
    (row) => isBefore(row) || isAmong(seen, row) || isWritten(row) || formsBefore.has(canonicalRow(row.xml)),
  );
}

/**
 * Back to the id it had: another record may need the one that the restore moved it to. Tried once, for its content is
 * right under either id, and records that exchanged theirs would wait for one another.
 */
function planReturn(given: PutBack, live: RecordOfRows, planning: Planning): Writes | undefined {
  const { before, earlier } = given;
  if (earlier !== undefined || !isUntouched(given, live)) return undefined;
  if (before.rows.some(planning.elsewhere.isTaken)) return undefined;
  return planMove(before, live, planning);
}

function planRestoration({ before, written }: PutBack, live: RecordOfRows, planning: Planning): Writes {
  if (isInstallation(before)) {
    // A listing may have passed over rows.
    const known = [...live.rows, ...before.rows].map(versionHashOf);
    return planInstallation(before, planning, [...known, ...(written?.seen ?? [])]);
  }
  // Rows that are there keep their ids: records that exchanged theirs would wait for one another.
  const wanted = distinctRows(before.rows);
  const rest = new Map(live.rows.map((row) => [row.id, row]));
  const missing = [...wanted].filter(([form, { id }]) => {
    const same = [...rest.values()].filter(({ xml }) => canonicalRow(xml) === form);
    const kept = same.find((row) => row.id === id) ?? same[0];
    return kept === undefined || !rest.delete(kept.id);
  });
  const writes = missing.map(([, row]) => {
    const over = rest.get(row.id) ?? [...rest.values()][0];
    if (over === undefined) return creationOf(row, planning);
    rest.delete(over.id);
    return overwriteOf(row, over);
  });
  return [...writes, ...deletionsFrom(live.key, rest.values())];
}

function toPlan({ isLastPass }: PutBack, writes: Writes): PutBackPlan {
  if (isLastPass) return { decision: { kind: 'failed', code: 'NotApplied' }, isUnconfirmed: false };
  if (typeof writes === 'string') return { decision: { kind: 'failed', code: writes }, isUnconfirmed: false };
  return { decision: { kind: 'write', outcome: 'putBack', writes }, isUnconfirmed: false };
}

/** Its device's own by now; what was put back before counts so. */
function keptLive({ earlier }: PutBack, isUnconfirmed: boolean): PutBackPlan {
  if (earlier === 'putBack') return settled('putBack', true);
  return { ...settled('keptLive'), isUnconfirmed };
}

function settled(outcome: 'unchanged' | 'keptLive' | 'putBack', hasChangedSince = false): PutBackPlan {
  return { decision: { kind: 'settled', outcome, hasChangedSince }, isUnconfirmed: false };
}
