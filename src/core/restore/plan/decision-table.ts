import { isSourcesOwnWord } from '../../baseline/agree.ts';
import type { Agreed, Entry, Note, Reading, Tombstone } from '../../baseline/record.ts';

/**
 * Whose row is it? The decision of a restore about one record, from three states: what the snapshot holds, what the
 * target holds, and the baseline, which is the last state on which the two hubs agreed. Pure and total: exactly one row
 * of the table in docs/decisions/0013 decides, and the same inputs give the same outcome in any order of shards and
 * passes. Versions are compared for equality only, and only with versions of the same hub.
 */
export function decideByTable(view: RecordView, around: Circumstances): Decision {
  const { wantedVersion, liveVersion } = view;
  if (view.isSame) return { row: '1', outcome: 'unchanged' };
  if (wantedVersion !== undefined && liveVersion !== undefined) return decideDifferent(view, around);
  if (wantedVersion !== undefined) return decideMissing(view, around);
  return liveVersion === undefined ? { row: '16', outcome: 'nothing' } : decideAbsent(view, around);
}

/** The rows of the table, as the decision record numbers them. */
export type Row =
  | '1'
  | '2'
  | '3'
  | '3b'
  | '4'
  | '5'
  | '6'
  | '7'
  | '8'
  | '9'
  | '9b'
  | '10'
  | '11'
  | '12'
  | '12b'
  | '13'
  | '14'
  | '15'
  | '16';

export type DecisionOutcome =
  | 'unchanged'
  | 'updated'
  /** Differs, and the target's row is not provably older: it stays, or is overwritten where the request says so. */
  | 'conflict'
  /** A conflict in a failback, where the hub that was in use later wins. */
  | 'sourceWins'
  | 'keptLive'
  | 'unknownOrigin'
  | 'created'
  | 'goneInTarget'
  | 'withdrawn'
  | 'leftover'
  | 'onlyInTarget'
  | 'nothing';

export interface Decision {
  readonly row: Row;
  readonly outcome: DecisionOutcome;
}

/** One record as a restore meets it: in the snapshot (wanted), in the target (live) and in the baseline. */
export interface RecordView {
  /** When the snapshot was read. */
  readonly readAt: number;
  /** `undefined`: the snapshot holds none. */
  readonly wantedVersion: number | undefined;
  /** `undefined`: the target holds none. */
  readonly liveVersion: number | undefined;
  /** Whether both are there with the same content. */
  readonly isSame: boolean;
  readonly agreed: Agreed;
  /** Whose content it is that an entry holds. */
  readonly agreedContent: 'live' | 'wanted' | 'other';
  /** The expiry agreed on has passed. */
  readonly isExpired: boolean;
  readonly note: Note | undefined;
  /**
   * The snapshot may show another version than its device's last one: its listing has passed over a row, or what it
   * shows was taken back since.
   */
  readonly isUnsure: boolean;
  /**
   * The target has confirmed a write of the device's backend, or a delete, since the snapshot was read: what the target
   * holds is the later word.
   */
  readonly isSpokenSince?: boolean;
}

export interface Circumstances {
  readonly purpose: 'restore' | 'sync' | 'failback';
  /** Creates again what a tombstone, or a newer snapshot, says is gone. */
  readonly isResurrecting: boolean;
  /** Whether the target was in use at some time after `since`. */
  wasTargetInUse(since: number): boolean;
  /** Whether the source is in use now and, since then, was so only after the target. */
  wasSourceInUseLast(since: number): boolean;
  /** Whether the target was in use before the source's present term. */
  readonly wasTargetInUseBefore: boolean;
  /** When the source's present term began; `Infinity` if it never was in use. */
  readonly sourceTermStart: number;
  /** The target's own last good snapshot, older than the source's coming into use, already held this row. */
  readonly isFromBefore: boolean;
  /** An older snapshot was chosen, and the newest good one of the same hub no longer holds the record. */
  readonly isGoneSince: boolean;
  /** Proof that the source no longer holds it: asked there, or missing in its two newest good snapshots. */
  readonly isAbsenceProven: boolean;
  /** When the source was last seen empty: what it lost then, its devices did not remove. `Infinity`: it proves nothing. */
  readonly sourceEmptyAt: number;
  readonly exceeded: { readonly deletes: boolean; readonly absences: boolean; readonly drift: boolean };
}

/** Both hold it, with different content. */
function decideDifferent(view: RecordView, around: Circumstances): Decision {
  const { agreed, agreedContent, liveVersion } = view;
  if (view.isSpokenSince) return { row: '4', outcome: 'keptLive' };
  if (isNotedRowOutdated(view, around)) return { row: '2', outcome: 'updated' };
  const conflict = doesSourceWin(view, around) ? 'sourceWins' : 'conflict';
  if (agreed === 'none' || agreed === 'unknown') {
    const isOriginOpen = agreed === 'unknown' && conflict === 'conflict';
    if (around.wasTargetInUseBefore && !isOriginOpen) {
      return { row: '6', outcome: isFromBefore(view, around) ? 'updated' : conflict };
    }
    return agreed === 'unknown' ? { row: '8', outcome: 'unknownOrigin' } : { row: '7', outcome: 'keptLive' };
  }
  if (agreed.kind === 'tombstone') return { row: '5', outcome: conflict };
  if (agreedContent === 'live') {
    if (agreed.target.version !== liveVersion) return { row: '3b', outcome: conflict };
    return { row: '3', outcome: isAgreementUnsure(view, around, agreed) ? 'conflict' : 'updated' };
  }
  return agreedContent === 'wanted' ? { row: '4', outcome: 'keptLive' } : { row: '5', outcome: conflict };
}

/** The snapshot holds it, the target does not. */
function decideMissing(view: RecordView, around: Circumstances): Decision {
  const { agreed } = view;
  const isTombstone = typeof agreed === 'object' && agreed.kind === 'tombstone';
  if (view.isSpokenSince && !around.exceeded.absences && !around.isResurrecting) {
    return { row: '10', outcome: 'goneInTarget' };
  }
  const isGoneSince = around.isGoneSince && !around.exceeded.deletes && !around.isResurrecting;
  if (isGoneSince && !isTombstone) return { row: '9', outcome: 'goneInTarget' };
  if (typeof agreed !== 'object') {
    return isNotedRowGone(view, around) ? { row: '12b', outcome: 'goneInTarget' } : { row: '12', outcome: 'created' };
  }
  if (agreed.kind === 'tombstone') {
    const isBack = around.isResurrecting || (!isGoneSince && hasReturned(view, around, agreed));
    return { row: '11', outcome: isBack ? 'created' : 'goneInTarget' };
  }
  const { source, target } = agreed;
  // What the source holds, equal to it or not, is then the later word.
  const since = { version: isSourcesOwnWord(agreed) ? Number.NaN : source.version, at: source.at };
  if (isSourceLater(view, around, since, Number.POSITIVE_INFINITY)) return { row: '9b', outcome: 'created' };
  const isVoid = agreed.owedTo === 'target' || view.isExpired || around.exceeded.absences || around.isResurrecting;
  const isOwnWord = around.wasTargetInUse(target.at) && !isVoid;
  return { row: '10', outcome: isOwnWord ? 'goneInTarget' : 'created' };
}

/** The target holds it, the snapshot does not. */
function decideAbsent(view: RecordView, around: Circumstances): Decision {
  const { agreed } = view;
  if (view.isSpokenSince) {
    return typeof agreed === 'object' ? { row: '14', outcome: 'leftover' } : { row: '15', outcome: 'onlyInTarget' };
  }
  if (isNotedRowOutdated(view, around)) return { row: '2', outcome: withdrawal(view, around) };
  if (typeof agreed !== 'object') return { row: '15', outcome: 'onlyInTarget' };
  if (agreed.target.version === view.liveVersion && (agreed.kind === 'tombstone' || view.agreedContent === 'live')) {
    return { row: '13', outcome: withdrawal(view, around) };
  }
  return { row: '14', outcome: doesSourceWin(view, around) ? withdrawal(view, around) : 'leftover' };
}

/** What is provably ours is withdrawn, unless the source's absence is not proven or a bound is exceeded. */
function withdrawal(view: RecordView, around: Circumstances): DecisionOutcome {
  const { agreed } = view;
  const isEntry = typeof agreed === 'object' && agreed.kind === 'entry';
  // The source would hold it, too, had a run of ours written it there.
  if (isEntry && agreed.owedTo === 'source') return 'leftover';
  // Or maybe, had a run of ours seen the whole of it here.
  const isMoved = typeof agreed === 'object' && agreed.target.version !== view.liveVersion;
  if (isMoved && agreed.owedTo === 'source') return 'leftover';
  if (isEntry && isAgreementUnsure(view, around, agreed)) return 'conflict';
  const agreedAt = (typeof agreed === 'object' ? agreed : view.note)?.source.at ?? Number.NEGATIVE_INFINITY;
  const isLost = agreedAt < around.sourceEmptyAt;
  const isAbsenceSure = around.isAbsenceProven && !isLost && !(isEntry && view.isExpired);
  return isAbsenceSure && !around.exceeded.deletes ? 'withdrawn' : 'leftover';
}

/**
 * Whether the source's word is provably later than what the target holds, which was first seen there at `seenAt`: it has
 * changed since a reading, and by then that had been seen, or the target was not in use in between, or the source has
 * been in use only after the target since.
 */
function isSourceLater(
  { wantedVersion, readAt, isUnsure }: RecordView,
  around: Circumstances,
  reading: Reading,
  seenAt: number,
): boolean {
  if (isUnsure || wantedVersion === reading.version || readAt <= reading.at) return false;
  if (reading.at >= seenAt || !around.wasTargetInUse(reading.at)) return true;
  return around.wasSourceInUseLast(reading.at) && readAt >= around.sourceTermStart;
}

/** An earlier look left the record different, the target's row is untouched since, and the source has spoken later. */
function isNotedRowOutdated(view: RecordView, around: Circumstances): boolean {
  const { liveVersion, note, agreed, wantedVersion } = view;
  if (liveVersion === undefined || note === undefined || liveVersion !== note.target.version) return false;
  // It has not: the listing behind the note had passed over it.
  const isAsAgreed = typeof agreed === 'object' && wantedVersion === agreed.source.version;
  if (wantedVersion !== undefined && isAsAgreed) return false;
  return isSourceLater(view, around, note.source, note.target.at);
}

/** An earlier look left the record different, its device has left the target since, and the source is as it was then. */
function isNotedRowGone(view: RecordView, around: Circumstances): boolean {
  const { note } = view;
  if (note?.target.version === undefined || around.exceeded.absences || around.isResurrecting) return false;
  const isLater = isSourceLater(view, around, note.source, Number.POSITIVE_INFINITY);
  return !isLater && around.wasTargetInUse(note.target.at);
}

/** Whether the source speaks of a record again that went. A note of the target's absence replaces the tombstone's look. */
function hasReturned(view: RecordView, around: Circumstances, tombstone: Tombstone): boolean {
  const { wantedVersion, readAt, note } = view;
  const { source, target } = note !== undefined && note.target.version === undefined ? note : tombstone;
  if (source.version === undefined) return wantedVersion !== undefined && readAt > source.at;
  return readAt > target.at && isSourceLater(view, around, source, target.at);
}

/** In a failback the hub in use wins where, since the agreement, it was in use only after the other. */
function doesSourceWin({ agreed }: RecordView, around: Circumstances): boolean {
  if (around.purpose !== 'failback' || around.exceeded.drift) return false;
  return around.wasSourceInUseLast(agreedAt(agreed));
}

function agreedAt(agreed: RecordView['agreed']): number {
  return typeof agreed === 'object' ? agreed.source.at : -1;
}

/** The agreement is newer than the snapshot, or was the target's own word that the source may have overtaken or not. */
function isAgreementUnsure({ liveVersion, readAt }: RecordView, around: Circumstances, agreed: Entry): boolean {
  const { source, target } = agreed;
  if (readAt < source.at) return true;
  const isForeign = !target.isOwn && liveVersion === target.version && target.at > source.at;
  return isForeign && around.wasTargetInUse(source.at);
}

function isFromBefore({ agreed, isUnsure }: RecordView, around: Circumstances): boolean {
  return around.isFromBefore && !isUnsure && agreed !== 'unknown' && around.wasSourceInUseLast(agreedAt(agreed));
}
