import { isShownAs } from '../../baseline/agree.ts';
import { type BaselineRecord, entryOf, hasExpired, isAsAgreed, isReworded } from '../../baseline/record.ts';
import { FEW, lookUpIn } from '../../bytes/search.ts';
import { Comparison, type Extra, type LiveFingerprints } from '../../fingerprint/comparison.ts';
import type { RowFingerprint } from '../../fingerprint/row.ts';
import { type Shown, shownAt, shownBy } from '../../fingerprint/shown.ts';
import type { FingerprintTable } from '../../fingerprint/table.ts';
import { type Circumstances, decideByTable, type RecordView, type Row } from './decision-table.ts';
import { type ForeignKind, type ForeignRow, ForeignTable } from './foreign-table.ts';
import type { Outcome } from './outcomes.ts';
import { isChangedThere, isRemovedThere } from './sync-bounds.ts';

/** What a look at the target says of one shard, before any text is read. */
export interface Survey {
  readonly comparison: Comparison;
  /** For each extra of the comparison what becomes of it; `pending` for what is to be withdrawn. */
  readonly extraOutcomes: readonly Outcome[];
  readonly onlyInTarget: number;
  /** Extras that their devices changed in the target, and that are withdrawn because a failback's source wins. */
  readonly driftedExtras: number;
  /** Of a sync: records the snapshot does not hold that others changed in the standby since the last look. */
  readonly changedExtras: number;
  readonly foreign: ForeignTable;
}

/** What the first look counts: the bounds of the whole run go by it. */
export interface SurveyCounts {
  /** In the snapshot, agreed on or left different by an earlier look, and missing in the target. */
  readonly absentCount: number;
  /** In an older snapshot, missing in the target, and no longer in the newest snapshot. */
  readonly goneSinceCount: number;
  /** Of the records that both hold and that were agreed on. */
  readonly agreedCount: number;
  /** Of these, the ones that a hub shows in the agreed version and in other words. */
  readonly rewordedCount: number;
  /** That differ, and that a failback's source wins. */
  readonly driftedCount: number;
  /** Of a sync: that others changed in the standby since the last look, and removed there. */
  readonly changedCount: number;
  readonly removedCount: number;
}

export interface SurveyOptions {
  readonly readAt: number;
  /** It holds what was taken back since. */
  readonly isUndone: boolean;
  readonly nowMs: number;
  readonly around: Circumstances;
  /** What never ends in the snapshot is to live at least until then (epoch seconds). */
  readonly expiryFloor: number;
  /** Records that the run is not about, and withdrawals, are left out. */
  readonly isWhole: boolean;
  readonly isSync: boolean;
  /** Of the snapshot, by position: those that the run is about. */
  readonly isSelected: (place: number) => boolean;
  readonly baselineOf: (keyHash: number) => BaselineRecord;
  /** When the target last confirmed a write of the device's backend (epoch ms); 0 where none is known. */
  readonly spokenAt: (keyHash: number) => number;
  /** Whether a row that a device has of its own word may be in the way of one that the run writes. */
  readonly isInTheWay: (row: Pick<ForeignRow, 'handleHash' | 'idHash'>) => boolean;
}

/** A write that a hub has taken may show this much later. */
const LANDING_MS = 60_000;

/** Whether a target's word, where there is any, is later than the reading of the snapshot. */
export function isSince(spokenAt: number, readAt: number): boolean {
  return spokenAt > 0 && spokenAt >= readAt;
}

/** What shows in the target since the last look at it came from the device's backend, to both hubs. */
function isOfBackend({ agreed, note }: BaselineRecord, spokenAt: number): boolean {
  const lookAt = typeof agreed === 'object' ? agreed.target.at : (note?.target.at ?? 0);
  return isSince(spokenAt, lookAt - LANDING_MS);
}

/**
 * Takes what lives in the target part by part, of which each has all rows of its keys. `finish` is given what lives
 * under the keys of the snapshot's shard.
 */
export function openSurvey(fingerprints: FingerprintTable, options: SurveyOptions) {
  let places: ReadonlyMap<number, number> | undefined;
  const foreign = new ForeignTable();
  const extras: Extra[] = [];
  const extraOutcomes: Outcome[] = [];
  let onlyInTarget = 0;
  let driftedExtras = 0;
  let changedExtras = 0;
  const take = (keyHash: number, rows: readonly RowFingerprint[], place: number | undefined): void => {
    const strangers = strangersAmong(rows, fingerprints, place);
    // Nearly always: then the baseline is not asked.
    if (strangers.length === 0) return;
    const before = options.baselineOf(keyHash);
    const shown = shownBy(rows);
    const isOurs = isAsAgreed(before, shown, options.readAt) && (place === undefined || entryOf(before) !== undefined);
    const kind = isOurs ? kindOfOurs(place, options) : 'taken';
    for (const stranger of strangers) {
      if (kind !== 'taken' || options.isInTheWay(stranger)) foreign.add({ ...stranger, keyHash, kind });
    }
    if (place !== undefined) return;
    const spokenAt = options.spokenAt(keyHash);
    const isBackends = isOfBackend(before, spokenAt);
    if (options.isSync && before.agreed !== 'none' && !isBackends && isChangedThere(before, shown, false)) {
      changedExtras += 1;
    }
    const { row, outcome } = options.isWhole ? decideExtra(before, shown, spokenAt, options) : {};
    // The snapshot has it the next time.
    if (outcome === undefined) onlyInTarget += options.isWhole && !(options.isSync && isBackends) ? 1 : 0;
    else {
      extras.push({ keyHash, ...shown });
      extraOutcomes.push(outcome);
      if (row === '14' && outcome === 'pending') driftedExtras += 1;
    }
  };
  return {
    add(part: LiveFingerprints): void {
      for (const [keyHash, rows] of part) {
        places ??= fingerprints.places();
        take(keyHash, rows, places.get(keyHash));
      }
    },
    finish(live: LiveFingerprints): Survey {
      const comparison = Comparison.of(fingerprints, live, extras, options.expiryFloor);
      return { comparison, extraOutcomes, onlyInTarget, driftedExtras, changedExtras, foreign };
    },
  };
}

/** A record that the snapshot does not hold stays where it is until it is proven that it is to be withdrawn. */
function kindOfOurs(place: number | undefined, { isSelected }: SurveyOptions): ForeignKind {
  if (place === undefined) return 'staying';
  return isSelected(place) ? 'ours' : 'apart';
}

export const noTargetCounts: SurveyCounts = {
  absentCount: 0,
  goneSinceCount: 0,
  agreedCount: 0,
  rewordedCount: 0,
  driftedCount: 0,
  changedCount: 0,
  removedCount: 0,
};

/** `newestKeys`: of the newest snapshot, where the run restores another one. */
export function countTarget(
  fingerprints: FingerprintTable,
  live: LiveFingerprints,
  options: SurveyOptions,
  newestKeys: Pick<ReadonlySet<number>, 'has'> | undefined,
): SurveyCounts {
  const counts = { ...noTargetCounts };
  const sureForMs = options.expiryFloor * 1000 - options.nowMs;
  for (let index = 0; index < fingerprints.count; index += 1) {
    const keyHash = fingerprints.keyHashAt(index);
    const before = options.baselineOf(keyHash);
    const entry = entryOf(before);
    const rows = live.get(keyHash);
    const isBackends = isOfBackend(before, options.spokenAt(keyHash));
    if (rows === undefined && isBackends) continue;
    if (rows === undefined) {
      const isMissed = entry !== undefined && entry.owedTo !== 'target';
      if (isMissed || before.note?.target.version !== undefined) counts.absentCount += 1;
      if (options.isSync && isRemovedThere(before, options.nowMs, sureForMs)) counts.removedCount += 1;
      const isKnown = typeof before.agreed === 'string' || entry !== undefined;
      if (isKnown && newestKeys?.has(keyHash) === false) counts.goneSinceCount += 1;
    } else if (entry !== undefined) {
      counts.agreedCount += 1;
      if (isReworded(entry.source, shownAt(fingerprints, index)) || isReworded(entry.target, shownBy(rows))) {
        counts.rewordedCount += 1;
      }
    }
    if (rows !== undefined && options.isSync && !isBackends) {
      const isSame = shownAt(fingerprints, index).content === shownBy(rows).content;
      if (isChangedThere(before, shownBy(rows), isSame)) counts.changedCount += 1;
    }
    if (rows !== undefined && isWon(shownAt(fingerprints, index), shownBy(rows), before, options)) {
      counts.driftedCount += 1;
    }
  }
  return counts;
}

/** Whether a failback's source wins a record, as far as fingerprints tell: some are the same in other words. */
function isWon(wanted: Shown, live: Shown, { keyHash, agreed, note }: BaselineRecord, options: SurveyOptions): boolean {
  if (options.around.purpose !== 'failback' || wanted.content === live.content) return false;
  const entry = entryOf({ agreed });
  const isLive = entry !== undefined && isShownAs(entry.target, live);
  const isWanted = entry !== undefined && isShownAs(entry.source, wanted);
  const view: RecordView = {
    readAt: options.readAt,
    wantedVersion: wanted.version,
    liveVersion: live.version,
    isSame: isLive && isWanted,
    agreed,
    agreedContent: isLive ? 'live' : isWanted ? 'wanted' : 'other',
    isExpired: hasExpired(entry, options.nowMs),
    note,
    isUnsure: options.isUndone,
    isSpokenSince: isSince(options.spokenAt(keyHash), options.readAt),
  };
  return decideByTable(view, options.around).outcome === 'sourceWins';
}

/** Without an outcome where nothing is known of it. */
function decideExtra(
  before: BaselineRecord,
  shown: Shown,
  spokenAt: number,
  options: SurveyOptions,
): { readonly row: Row; readonly outcome: Outcome | undefined } {
  const { agreed, note } = before;
  const entry = entryOf(before);
  const view: RecordView = {
    readAt: options.readAt,
    wantedVersion: undefined,
    liveVersion: shown.version,
    isSame: false,
    agreed,
    agreedContent: entry !== undefined && isShownAs(entry.target, shown) ? 'live' : 'other',
    isExpired: hasExpired(entry, options.nowMs),
    note,
    isUnsure: options.isUndone,
    isSpokenSince: isSince(spokenAt, options.readAt),
  };
  const { row, outcome } = decideByTable(view, options.around);
  switch (outcome) {
    case 'withdrawn':
      return { row, outcome: 'pending' };
    case 'leftover':
    case 'conflict':
      return { row, outcome };
    default:
      return { row, outcome: undefined };
  }
}

function strangersAmong(rows: readonly RowFingerprint[], fingerprints: FingerprintTable, place: number | undefined) {
  const strangers: Omit<ForeignRow, 'keyHash' | 'kind'>[] = [];
  const known = place !== undefined && rows.length > FEW ? manyAt(fingerprints, place) : undefined;
  for (const { handleHash, idHash, versionHash } of rows) {
    const isHandleKnown =
      known?.hasHandle(handleHash) ?? (place !== undefined && fingerprints.hasHandleAt(place, handleHash));
    const isIdKnown = known?.mayHaveId(idHash) ?? (place !== undefined && fingerprints.mayHaveIdAt(place, idHash));
    if (isHandleKnown && isIdKnown) continue;
    strangers.push({ handleHash: isHandleKnown ? 0 : handleHash, idHash, versionHash });
  }
  return strangers;
}

function manyAt(fingerprints: FingerprintTable, place: number) {
  const ids = fingerprints.idHashesAt(place);
  const isId = lookUpIn(ids);
  return {
    hasHandle: lookUpIn(fingerprints.handleHashesAt(place)),
    mayHaveId: (idHash: number) => ids.length === 0 || isId(idHash),
  };
}
