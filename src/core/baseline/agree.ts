import type { Shown } from '../fingerprint/shown.ts';
import {
  type Agreed,
  type BaselineRecord,
  type Entry,
  isReworded,
  type Note,
  owedToTarget,
  paidTo,
  type Reading,
  type Side,
} from './record.ts';

/** What a run did about a record, and what its closing look showed. */
export interface Observation {
  /**
   * `agreed`: both hubs were to hold the same. `removed`: withdrawn from the target. `gone`: it stays out of the
   * target; `goneSince`: for it has gone from the source since the snapshot. `left`: the target keeps what it has. `owed`: it was to be written, and is not there. `none`: the run has not decided about it.
   */
  readonly end: 'agreed' | 'removed' | 'gone' | 'goneSince' | 'left' | 'owed' | 'none';
  /** What this run wrote of what the target shows: `again` without changing its content. */
  readonly written: 'nothing' | 'again' | 'content';
  /** Of the snapshot. */
  readonly wanted: Shown | undefined;
  /** The snapshot may show another version than its device's last one: what comes after it need not be a later word. */
  readonly isUnsure?: boolean;
  /** Of the target, at the closing look. */
  readonly live: Shown | undefined;
  /** Both hold the same content. */
  readonly isSame: boolean;
  /** Epoch seconds of the snapshot's expiry; 0 where there is none. */
  readonly expiry: number;
}

/** When the snapshot was read, and when the closing look was. */
export interface Times {
  readonly readAt: number;
  readonly lookAt: number;
  /** The snapshot holds what was taken back since: that the target holds the same is no agreement. */
  readonly isUndone?: boolean;
  wasTargetInUse(since: number): boolean;
}

/**
 * What the baseline holds of a record after a run: it moves only for what the closing look proved to be as the run
 * wanted it. Everything else keeps what it had, and gets a note.
 */
export function nextRecord(before: BaselineRecord, seen: Observation, times: Times): BaselineRecord {
  if (seen.isUnsure === true && seen.end === 'left') return before;
  switch (seen.end) {
    case 'agreed':
      return seen.isSame ? agree(before, seen, times) : doubt(before, seen);
    case 'removed':
      return seen.live === undefined ? { ...before, agreed: bothAbsent(times), note: undefined } : before;
    case 'gone':
      if (seen.live !== undefined) return before;
      return seen.isUnsure === true ? keepOutInPart(before, times) : keepOut(paidTo('target', before), seen, times);
    case 'goneSince':
      return seen.live === undefined ? keepOutSince(before, seen, times) : before;
    case 'left':
      return leave(asSeen(before, seen), seen, times);
    case 'owed':
      return owedToTarget(before);
    case 'none':
      return before;
    default:
      return seen.end satisfies never;
  }
}

function leave(before: BaselineRecord, seen: Observation, times: Times): BaselineRecord {
  return { ...before, note: noteLeft(before.note, seen, times) };
}

function asSeen(before: BaselineRecord, { wanted, live }: Observation): BaselineRecord {
  const record = wanted === undefined ? before : paidTo('source', before);
  return live === undefined ? record : paidTo('target', record);
}

/** What was written does not show as it was: its device changed it since, or the target stores something else. */
function doubt(before: BaselineRecord, { written }: Observation): BaselineRecord {
  return written === 'content' && before.agreed === 'none' ? { ...before, agreed: 'unknown' } : before;
}

/** Gone from both hubs. */
function bothAbsent({ readAt, lookAt }: Times): Agreed {
  return { kind: 'tombstone', source: { version: undefined, at: readAt }, target: { version: undefined, at: lookAt } };
}

/** An agreement never moves back: a snapshot read before the source's side of it leaves that side. */
function agree(before: BaselineRecord, seen: Observation, { readAt, lookAt, isUndone }: Times): BaselineRecord {
  const { wanted, live, written, expiry } = seen;
  if (wanted === undefined || live === undefined || (isUndone && written === 'nothing')) return before;
  const { agreed } = before;
  const earlier = typeof agreed === 'object' ? agreed : undefined;
  const entry = earlier?.kind === 'entry' ? earlier : undefined;
  const isOlder = earlier !== undefined && readAt < earlier.source.at;
  const isSameContent = entry !== undefined && holdsContentOf(entry, seen);
  if (isOlder && !isSameContent && written !== 'content') return before;
  const source: Side =
    isOlder && isSameContent
      ? entry.source
      : { ...wanted, at: readAt, isOwn: entry !== undefined && isOwnSource(entry, wanted) };
  const isOwn = written !== 'nothing' || (entry !== undefined && isOwnStill(entry, live.version, source.at));
  return {
    keyHash: before.keyHash,
    agreed: { kind: 'entry', source, target: { ...live, at: lookAt, isOwn }, expiry },
    note: undefined,
  };
}

/** Contents are equal where the version is, or where the same hub showed it in the same words. */
function holdsContentOf({ source, target }: Entry, { wanted, live }: Observation): boolean {
  return isHeldAs(source, wanted) || isHeldAs(target, live);
}

/** Not where another registration has the version agreed on: its device deleted it and registered again. */
export function isHeldAs(side: Side, shown: Shown | undefined): boolean {
  return shown !== undefined && isShownAs(side, shown) && !isReworded(side, shown);
}

export function isShownAs(side: Side, shown: Shown | undefined): boolean {
  return shown !== undefined && (side.version === shown.version || side.content === shown.content);
}

function isOwnStill({ target }: Entry, version: number, sourceReadAt: number): boolean {
  return target.version === version && (target.isOwn || target.at < sourceReadAt);
}

function isOwnSource({ source }: Entry, { version }: Shown): boolean {
  return source.isOwn && source.version === version;
}

/**
 * The record stays out of the target. Where the source's version had moved since the agreement, or the agreed one was
 * its device's own, the tombstone keeps the agreed version and a note the one seen: that row is not ours to withdraw
 * on the way back.
 */
function keepOut(before: BaselineRecord, { wanted }: Observation, { readAt, lookAt }: Times): BaselineRecord {
  const { agreed } = before;
  const seenNow: Note = {
    source: { version: wanted?.version, at: readAt },
    target: { version: undefined, at: lookAt },
  };
  if (typeof agreed === 'object' && agreed.kind === 'tombstone') {
    const { target } = agreed;
    return isNewerThanLook(agreed, before.note, readAt) ? { ...before, note: { ...seenNow, target } } : before;
  }
  const isForeign = typeof agreed === 'object' && isSourcesOwnWord(agreed);
  if (typeof agreed === 'object' && (isForeign || agreed.source.version !== wanted?.version)) {
    return {
      ...before,
      agreed: { kind: 'tombstone', source: agreedSource(agreed), target: seenNow.target },
      note: seenNow,
    };
  }
  return { ...before, agreed: { kind: 'tombstone', ...seenNow }, note: undefined };
}

/**
 * Of what went the source shows a part, which may be the row that is left of it, or a later word. The agreed version
 * tells the two apart, on the way back, too.
 */
function keepOutInPart(before: BaselineRecord, { lookAt, isUndone }: Times): BaselineRecord {
  const { agreed } = before;
  if (isUndone || typeof agreed !== 'object') return before;
  if (agreed.kind === 'tombstone') return { ...before, agreed: { ...agreed, owedTo: 'target' } };
  const source = agreedSource(agreed);
  const target = { version: undefined, at: lookAt };
  return { ...before, agreed: { kind: 'tombstone', source, target, owedTo: 'target' } };
}

/** What of the source is ours to withdraw, once the record has gone from the target. */
function agreedSource(entry: Entry): Reading {
  return { version: isSourcesOwnWord(entry) ? Number.NaN : entry.source.version, at: entry.source.at };
}

/**
 * What is missing in the source now was not seen to go: its newest listing may have passed over it. A snapshot from after
 * this look that shows it tells that it is there, in whatever version; and that version is not ours to withdraw.
 */
function keepOutSince(before: BaselineRecord, seen: Observation, times: Times): BaselineRecord {
  const { agreed } = before;
  if (typeof agreed === 'object' && agreed.kind === 'tombstone') return keepOut(before, seen, times);
  return { ...before, agreed: bothAbsent({ ...times, readAt: times.lookAt }), note: undefined };
}

/** Its device wrote the agreed version in what is the source now, after the target had been read. */
export function isSourcesOwnWord({ source, target }: Entry): boolean {
  return !source.isOwn && source.at > target.at;
}

/** What the source held after the look of the tombstone is noted once. */
function isNewerThanLook(
  { source, target }: { source: Reading; target: Reading },
  note: Note | undefined,
  readAt: number,
) {
  if (readAt <= target.at || source.version === undefined) return false;
  return note === undefined || note.target.version !== undefined || note.source.at <= note.target.at;
}

/**
 * The first look at this version of the target counts. Its source's side is renewed once, by the first snapshot read
 * after that look, where the target was in use between.
 */
function noteLeft(note: Note | undefined, { wanted, live }: Observation, times: Times): Note | undefined {
  if (live === undefined) return note;
  const source = { version: wanted?.version, at: times.readAt };
  if (note === undefined || note.target.version !== live.version) {
    return { source, target: { version: live.version, at: times.lookAt } };
  }
  const isDue = note.source.at < note.target.at && times.readAt > note.target.at;
  return isDue && times.wasTargetInUse(note.source.at) ? { ...note, source } : note;
}
